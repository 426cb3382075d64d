//! What counts leave open: intervals of proportions and of quantiles.
//!
//! Both follow from one inequality (Hoeffding 1963, theorem 1): of `n` independent samples, each
//! counted with probability `p`, a share of `s` or less is counted with a probability of at most
//! `exp(-n d(s, p))` for `s < p`, where `d` is the divergence below; likewise `s` or more for `s >
//! p`. It holds for every `n`, needs no assumption about the distribution of the samples, and is
//! about a quarter wider than the exact binomial interval.

/// The divergence of a share `s` from a probability `p` (Kullback and Leibler), in nats.
fn divergence(s: f64, p: f64) -> f64 {
    let part = |x: f64, y: f64| if x > 0.0 { x * (x / y).ln() } else { 0.0 };
    part(s, p) + part(1.0 - s, 1.0 - p)
}

/// The last point from `inside` towards `outside` at which `is_in` holds.
fn border(inside: f64, outside: f64, is_in: impl Fn(f64) -> bool) -> f64 {
    let (mut inside, mut outside) = (inside, outside);
    for _ in 0..60 {
        let middle = f64::midpoint(inside, outside);
        *(if is_in(middle) { &mut inside } else { &mut outside }) = middle;
    }
    outside
}

/// The probabilities that `part` counted ones of `all` do not rule out, at a probability of error
/// of `doubt`. Counts may be fractions: effective ones.
pub(super) fn proportion(part: f64, all: f64, doubt: f64) -> (f64, f64) {
    let (share, most) = (part / all, (2.0 / doubt).ln() / all);
    let is_open = |p: f64| divergence(share, p) <= most;
    (border(share, 0.0, is_open), border(share, 1.0, is_open))
}

/// The ranks, from 1 to `count`, between which the quantile `q` lies, at a probability of error of
/// `doubt`; `None` where samples are too few to bound it on that side. `effective` of the samples
/// count as independent.
///
/// This is Woodruff's method (1952): an interval of the share of samples below the quantile, and
/// the samples at its two ends.
pub(super) fn ranks(q: f64, count: u64, effective: f64, doubt: f64) -> (Option<u64>, Option<u64>) {
    let most = (2.0 / doubt).ln() / effective;
    let is_open = |share: f64| divergence(share, q) <= most;
    let rank = |share: f64| share * count as f64;
    // Every sample below the quantile is possible, or every one above it.
    let low = (!is_open(0.0)).then(|| rank(border(q, 0.0, is_open)).floor() as u64 + 1);
    let high = (!is_open(1.0)).then(|| (rank(border(q, 1.0, is_open)).ceil() as u64).min(count));
    (low, high)
}

/// How much more the counts of stretches vary than independent ones would, at least 1: Pearson's
/// statistic over the degrees of freedom (McCullagh and Nelder 1989, 4.5.2). `stretches` are counts
/// with their expectation and their variance if independent.
pub(super) fn dispersion(stretches: impl Iterator<Item = (f64, f64, f64)>) -> f64 {
    let (mut sum, mut degrees) = (0.0, -1.0);
    for (count, expected, variance) in stretches.filter(|it| it.2 > 0.0) {
        sum += (count - expected) * (count - expected) / variance;
        degrees += 1.0;
    }
    if degrees > 0.0 { f64::max(1.0, sum / degrees) } else { 1.0 }
}
