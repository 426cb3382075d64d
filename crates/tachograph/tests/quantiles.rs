//! Quantiles against an oracle that keeps and sorts every sample.

use proptest::prelude::*;
use tachograph::MetricsCollector;

/// The quantile by its definition: the smallest sample that at least ceil(q * count) samples do
/// not exceed.
fn oracle(sorted: &[u64], millionths: u32) -> u64 {
    let rank = (u128::from(millionths) * sorted.len() as u128).div_ceil(1_000_000).max(1);
    sorted[rank as usize - 1]
}

/// Samples of one of several shapes: uniform at some magnitude, log-uniform, two peaks, constant.
fn samples() -> impl Strategy<Value = Vec<u64>> {
    let size = 1..4_000usize;
    let shape = prop_oneof![
        (1u32..63).prop_map(|bits| (0u64..1 << bits).boxed()),
        Just((0u32..64, any::<u64>()).prop_map(|(shift, raw)| raw >> shift).boxed()),
        (any::<u32>(), any::<u32>()).prop_map(|(a, b)| {
            prop_oneof![9 => u64::from(a)..u64::from(a) + 100, 1 => u64::from(b)..u64::from(b) + 7]
                .boxed()
        }),
        (any::<u64>()).prop_map(|value| Just(value).boxed()),
    ];
    (shape, size).prop_flat_map(|(shape, size)| prop::collection::vec(shape, size))
}

fn within_a_thousandth(reported: f64, exact: u64) -> bool {
    (reported - exact as f64).abs() <= exact as f64 * 0.001
}

fn within_half_a_bucket(placed: u64, exact: u64) -> bool {
    u128::from(placed.abs_diff(exact)) * 2_048 <= u128::from(exact)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn quantiles_are_within_a_thousandth_of_the_sorted_oracles(
        values in samples(),
        qs in prop::collection::vec(0u32..=1_000_000, 1..20),
        limits in prop::collection::vec((0u32..64, any::<u64>()).prop_map(|(s, raw)| raw >> s), 9),
    ) {
        let metrics = MetricsCollector::builder().manual().build();
        let histogram = metrics.register_histogram("h");
        // In pieces that fit the lane, with a read after each, so that nothing is coalesced.
        for piece in values.chunks(2_000) {
            piece.iter().for_each(|&value| histogram.record(value));
            metrics.get_timing("h");
        }
        let stats = metrics.get_timing("h").expect("registered");
        let mut sorted = values;
        sorted.sort_unstable();
        prop_assert_eq!(stats.count as usize, sorted.len());
        prop_assert_eq!(stats.buckets().sum(), sorted.iter().map(|&v| u128::from(v)).sum::<u128>());
        prop_assert_eq!(stats.buckets().min(), sorted.first().copied());
        prop_assert_eq!(stats.buckets().max(), sorted.last().copied());
        let mut placed = stats.buckets().placed().flat_map(|(at, count)| vec![at; count as usize]);
        for &value in &sorted {
            let at = placed.next().expect("one for each sample");
            prop_assert!(within_half_a_bucket(at, value), "{at} for {value}");
            prop_assert!((sorted[0]..=sorted[sorted.len() - 1]).contains(&at));
        }
        prop_assert_eq!(placed.next(), None);
        let mut bounds: Vec<u64> = sorted.iter().copied().step_by(50).collect();
        bounds.extend([0, sorted[0], u64::MAX].into_iter().chain(limits));
        bounds.sort_unstable();
        let expected = bounds.iter().map(|&bound| {
            let up_to = stats.buckets().placed().take_while(|(at, _)| *at <= bound);
            up_to.map(|(_, count)| count).sum::<u64>()
        });
        let found = stats.buckets().up_to(bounds.iter().copied());
        prop_assert!(expected.eq(found), "up to {:?}", bounds);
        for q in qs.into_iter().chain([0, 500_000, 990_000, 1_000_000]) {
            let reported = stats.quantile(f64::from(q) * 1e-6).expect("not empty");
            let exact = oracle(&sorted, q);
            prop_assert!(within_a_thousandth(reported, exact), "q {q}: {reported} for {exact}");
        }
        let precomputed = [
            (stats.p50, 500_000), (stats.p90, 900_000), (stats.p95, 950_000),
            (stats.p99, 990_000), (stats.p999, 999_000),
        ];
        for (reported, q) in precomputed {
            prop_assert!(within_a_thousandth(reported.expect("not empty"), oracle(&sorted, q)));
        }
    }
}

#[test]
fn quantiles_outside_zero_to_one_are_none() {
    let metrics = MetricsCollector::builder().manual().build();
    metrics.histogram("h", 1);
    let stats = metrics.get_timing("h").expect("recorded");
    for q in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert_eq!(stats.quantile(q), None, "{q}");
    }
}

#[test]
fn dense_distributions_answer_as_sparse_ones_do() {
    let metrics = MetricsCollector::builder().manual().build();
    let histogram = metrics.register_histogram("h");
    let mut values: Vec<u64> = (0..40_000u64).map(|i| i * i % 1_000_003 * 17).collect();
    for piece in values.chunks(2_000) {
        piece.iter().for_each(|&value| histogram.record(value));
        metrics.get_timing("h");
    }
    values.sort_unstable();
    let stats = metrics.get_timing("h").expect("registered");
    assert!(stats.buckets().iter().count() > 2_048, "dense by now");
    for q in (0..=1_000_000).step_by(1_000) {
        let reported = stats.quantile(f64::from(q) * 1e-6).expect("not empty");
        assert!(within_a_thousandth(reported, oracle(&values, q)), "q {q}");
    }
}

#[test]
fn durations_beyond_the_longest_bucket_are_placed_within_their_bounds() {
    let metrics = MetricsCollector::builder().manual().build();
    let hours = |hours: u64| std::time::Duration::from_secs(3_600 * hours);
    [2, 3].into_iter().for_each(|h| metrics.timing("t", hours(h)));
    let stats = metrics.get_timing("t").expect("recorded");
    let bounds = [1, 2, 3].map(|h| hours(h).as_nanos() as u64);
    let up_to: Vec<_> = stats.buckets().up_to(bounds.into_iter()).collect();
    let placed = |bound| stats.buckets().placed().filter(move |(at, _)| *at <= bound);
    let expected = bounds.map(|bound| placed(bound).map(|(_, count)| count).sum::<u64>());
    assert_eq!((up_to[0], &up_to[..]), (0, &expected[..]));
    assert_eq!(up_to[2], 2);
}
