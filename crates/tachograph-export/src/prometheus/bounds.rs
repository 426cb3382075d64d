//! The bounds of classic buckets.

use std::sync::Arc;

use tachograph::{Buckets, Unit};
use thiserror::Error;

use super::number::label;

/// Servers refuse scrapes with more.
const BOUNDS_MAX: usize = 1_000;

/// The upper bounds of a classic histogram's buckets, inclusive. The infinite bucket is always
/// there. Cheap to clone.
///
/// The default depends on the metric's unit: 1, 2.5, 5 and so on from 1 µs to 10 s for seconds;
/// every power of four from 64 B to 64 MiB for bytes; every tenth for ratios and percents; 1, 2, 5
/// and so on from 1 to 1,000,000 for anything else.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bounds(Option<Arc<[Bound]>>);

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bound {
    pub(super) value: f64,
    /// `le="0.005"} `: the end of a line's labels.
    pub(super) label: String,
}

/// Bounds that a histogram cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum BoundsError {
    /// A bound is not greater than the previous one, or is NaN.
    #[error("bound {0} is not above the one before: give them in ascending order")]
    NotAscending(f64),
    /// More than 1,000 bounds.
    #[error("a histogram has at most {BOUNDS_MAX} bounds: give fewer")]
    TooMany,
}

impl Bounds {
    /// Bounds in the metric's unit (seconds for a timing), in ascending order. You may leave out
    /// the infinite one.
    ///
    /// # Errors
    /// If they do not ascend, or there are more than 1,000.
    ///
    /// ```
    /// use tachograph_export::prometheus::Bounds;
    ///
    /// let slow = Bounds::new([0.001, 0.01, 0.1, 1.0])?;
    /// let doubling = Bounds::new((0..20).map(|i| 1e-6 * f64::from(1 << i)))?;
    /// assert!(Bounds::new([2.0, 1.0]).is_err());
    /// # Ok::<(), tachograph_export::prometheus::BoundsError>(())
    /// ```
    pub fn new(bounds: impl IntoIterator<Item = f64>) -> Result<Self, BoundsError> {
        let mut values: Vec<f64> = bounds.into_iter().take(BOUNDS_MAX + 2).collect();
        values.pop_if(|last| *last == f64::INFINITY);
        if values.len() > BOUNDS_MAX {
            return Err(BoundsError::TooMany);
        }
        let mut before = f64::NEG_INFINITY;
        for &value in &values {
            // NaN compares false.
            let ascends = value > before && value < f64::INFINITY;
            ascends.then_some(()).ok_or(BoundsError::NotAscending(value))?;
            before = value;
        }
        Ok(Self(Some(values.into_iter().map(Bound::new).collect())))
    }

    /// The bounds for a metric with this unit.
    pub(super) fn of(&self, unit: &Unit) -> Arc<[Bound]> {
        self.0.clone().unwrap_or_else(|| usual(unit).iter().copied().map(Bound::new).collect())
    }
}

const SECONDS: [f64; 22] = [
    1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025,
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

const COUNTS: [f64; 19] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5,
    5e5, 1e6,
];

const RATIOS: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

const PERCENTS: [f64; 10] = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0];

const BYTES: [f64; 11] = [
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

fn usual(unit: &Unit) -> &'static [f64] {
    match unit {
        Unit::Seconds => &SECONDS,
        Unit::Bytes => &BYTES,
        Unit::Ratio => &RATIOS,
        Unit::Percent => &PERCENTS,
        Unit::None | Unit::Other(_) => &COUNTS,
    }
}

impl Bound {
    fn new(value: f64) -> Self {
        Self { value, label: format!("le=\"{}\"}} ", label(value)) }
    }
}

/// Bounds in recorded units, as a distribution counts them.
#[derive(Clone, Debug)]
pub(super) struct Edges {
    bounds: Arc<[Bound]>,
    scale: f64,
    /// Only for the last bounds: the first ones may be below every sample.
    units: Vec<u64>,
}

impl Edges {
    pub(super) fn new(bounds: Arc<[Bound]>, scale: f64) -> Self {
        let units = bounds.iter().filter_map(|bound| in_units(bound.value, scale)).collect();
        Self { bounds, scale, units }
    }

    /// Passes each bound with the number of samples at or below it. A snapshot bucket that
    /// straddles a bound is counted on the side of its middle.
    pub(super) fn counts(&self, distribution: &Buckets, mut each: impl FnMut(&Bound, u64)) {
        if self.scale != distribution.scale() {
            return Self::new(Arc::clone(&self.bounds), distribution.scale())
                .counts(distribution, each);
        }
        let (beneath, bounds) = self.bounds.split_at(self.bounds.len() - self.units.len());
        beneath.iter().for_each(|bound| each(bound, 0));
        let counts = distribution.up_to(self.units.iter().copied());
        bounds.iter().zip(counts).for_each(|(bound, count)| each(bound, count));
    }
}

/// The greatest number of units within a bound; `None` for a negative bound.
fn in_units(bound: f64, scale: f64) -> Option<u64> {
    let units = bound / scale;
    let whole = units.round();
    // 5e-6 is 5,000 units of 1e-9, even if the division rounds.
    let is_whole = (units - whole).abs() <= units.abs() * 4.0 * f64::EPSILON;
    // The cast saturates.
    (units >= 0.0).then_some(if is_whole { whole } else { units.floor() } as u64)
}

#[cfg(test)]
mod tests {
    use tachograph::MetricsCollector;

    use super::*;

    #[test]
    fn a_sample_at_a_bound_is_within_it() {
        for bound in SECONDS {
            let metrics = MetricsCollector::builder().manual().build();
            metrics.timing("t", std::time::Duration::from_secs_f64(bound));
            let stats = metrics.get_timing("t").expect("recorded");
            let edges = Edges::new(Bounds::default().of(&Unit::Seconds), 1e-9);
            edges.counts(stats.buckets(), |at, count| {
                assert_eq!(count, u64::from(at.value >= bound), "{bound} up to {}", at.value);
            });
        }
    }

    #[test]
    fn bounds_that_no_sample_can_be_near_are_fine() {
        let values = [f64::MIN, -1.0, -0.0, 1e-300, 3.5, 1e300];
        let edges = Edges::new(Bounds::new(values).expect("ascending").of(&Unit::None), 1.0);
        let metrics = MetricsCollector::builder().manual().build();
        [0, 3, 4, u64::MAX].into_iter().for_each(|value| metrics.histogram("h", value));
        let mut counts = Vec::new();
        let stats = metrics.get_timing("h").expect("recorded");
        edges.counts(stats.buckets(), |_, count| counts.push(count));
        assert_eq!(counts, [0, 0, 1, 1, 2, 4]);
    }

    #[test]
    fn bounds_that_make_no_histogram_are_refused_with_the_reason() {
        let told =
            |bounds: &[f64]| Bounds::new(bounds.iter().copied()).expect_err("refused").to_string();
        let expected = "bound 1 is not above the one before: give them in ascending order";
        assert_eq!(told(&[1.0, 1.0]), expected);
        assert!(told(&[f64::NAN]).starts_with("bound NaN"));
        assert!(told(&[f64::NEG_INFINITY]).starts_with("bound -inf"));
        assert!(told(&[f64::INFINITY, f64::INFINITY]).starts_with("bound inf"));
        let many = Bounds::new((0..).map(f64::from)).expect_err("never ends");
        assert_eq!(many, BoundsError::TooMany);
        assert_eq!(Bounds::new([1.0, f64::INFINITY]), Bounds::new([1.0]));
        assert!(Bounds::new([]).is_ok());
    }
}
