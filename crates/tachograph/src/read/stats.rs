//! The statistics of one series, for readers.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::lane::bucket;
use crate::lane::coarse_bucket;
use crate::lane::wide::Wide;
use crate::read::buckets::Buckets;
use crate::series::encoding::float::{self, Float};
use crate::series::metric::scaled;

/// Statistics in two views with the same fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Views<T> {
    /// Since the start or the last reset.
    pub lifetime: T,
    /// Over the sliding window; `None` for a collector without windows.
    pub window: Option<T>,
}

/// Statistics of a timing or a histogram, in the metric's unit (seconds for a timing).
///
/// `count`, `sum`, `min`, `max` and `mean` are exact; quantiles are within [`TimingStats::error`]
/// of a recorded value. Without samples, everything except `count` and `sum` is `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "RawTiming")]
pub struct TimingStats {
    /// The number of samples.
    pub count: u64,
    /// Their sum, rounded to a float; [`Buckets::sum`] has it exactly.
    #[serde(serialize_with = "float::serialize")]
    pub sum: f64,
    /// The least sample.
    #[serde(serialize_with = "float::option")]
    pub min: Option<f64>,
    /// The greatest sample.
    #[serde(serialize_with = "float::option")]
    pub max: Option<f64>,
    /// Their mean.
    #[serde(serialize_with = "float::option")]
    pub mean: Option<f64>,
    /// The median.
    #[serde(serialize_with = "float::option")]
    pub p50: Option<f64>,
    /// The quantile 0.9.
    #[serde(serialize_with = "float::option")]
    pub p90: Option<f64>,
    /// The quantile 0.95.
    #[serde(serialize_with = "float::option")]
    pub p95: Option<f64>,
    /// The quantile 0.99.
    #[serde(serialize_with = "float::option")]
    pub p99: Option<f64>,
    /// The quantile 0.999.
    #[serde(serialize_with = "float::option")]
    pub p999: Option<f64>,
    buckets: Buckets,
}

/// Quantiles that are computed with every snapshot, in units of 1e-6.
const PRECOMPUTED: [u32; 5] = [500_000, 900_000, 950_000, 990_000, 999_000];

/// The largest relative distance between a value and the middle of its bucket.
const FINE_ERROR: f64 = 1.0 / 2048.0;

/// A quantile in units of 1e-6; `None` outside 0 to 1.
fn millionths(q: f64) -> Option<u32> {
    let millionths = (q * 1e6).round();
    (0.0..=1e6).contains(&millionths).then_some(millionths as u32)
}

impl TimingStats {
    pub(crate) fn of(buckets: Buckets) -> Self {
        let (totals, scale) = (buckets.totals(), buckets.scale());
        let [p50, p90, p95, p99, p999] = buckets.quantiles(PRECOMPUTED);
        let some = |value: u64| (totals.count > 0).then(|| scaled(value as f64, scale));
        let sum = totals.sum as f64;
        Self {
            count: totals.count,
            sum: scaled(sum, scale),
            min: some(totals.min),
            max: some(totals.max),
            mean: (totals.count > 0).then(|| scaled(sum / totals.count as f64, scale)),
            p50,
            p90,
            p95,
            p99,
            p999,
            buckets,
        }
    }

    /// The quantile `q` between 0 and 1, in steps of 1e-6: the smallest value such that at least
    /// `ceil(q * count)` samples do not exceed it. `None` without samples, or for a `q` outside 0
    /// to 1. Costs one pass over the buckets.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        self.buckets.quantiles([millionths(q)?])[0]
    }

    /// The distribution itself.
    pub fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// Bytes of both views' buckets, which may be shared.
    pub(crate) fn bucket_bytes(views: &Views<Self>) -> usize {
        let lifetime = views.lifetime.buckets.rows();
        let rows = views.window.as_ref().map(|window| window.buckets.rows());
        let other = rows.filter(|rows| !std::ptr::eq(*rows, lifetime));
        size_of_val(lifetime) + other.map_or(0, size_of_val)
    }

    /// The largest relative error of any quantile: 1/2,048 from the buckets' width, or 3.2 % if a
    /// sample was coalesced under overload. [`TimingStats::error_at`] gives it for one quantile.
    pub fn error(&self) -> f64 {
        if self.buckets.coalesced() > 0 { coarse_bucket::ERROR } else { FINE_ERROR }
    }

    /// The largest relative error of the quantile `q`: 3.2 % if samples around it were coalesced
    /// under overload, otherwise 1/2,048. `None` as for [`TimingStats::quantile`], which costs the
    /// same.
    pub fn error_at(&self, q: f64) -> Option<f64> {
        let (_, bucket) = self.buckets.ranked([millionths(q)?])[0]?;
        // A coarse bucket consists of whole buckets and its count is exact, so the quantile lies in
        // it.
        let bucket = coarse_bucket::index(bucket::low(bucket)) as u16;
        let found = self.buckets.coarse().binary_search_by_key(&bucket, |row| row.0);
        Some(if found.is_ok() { coarse_bucket::ERROR } else { FINE_ERROR })
    }

    /// Samples per second over a duration, such as [`Snapshot::window_elapsed`].
    ///
    /// [`Snapshot::window_elapsed`]: crate::Snapshot::window_elapsed
    pub fn rate(&self, over: Duration) -> f64 {
        per_second(self.count as f64, over)
    }
}

/// Statistics of a counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterStats {
    /// The total: 0 to 2^64 - 1 for a counter, -2^63 to 2^63 - 1 for an up-down counter; in a
    /// window, the net change.
    pub value: i128,
}

impl CounterStats {
    /// Change per second over a duration, such as [`Snapshot::window_elapsed`].
    ///
    /// [`Snapshot::window_elapsed`]: crate::Snapshot::window_elapsed
    pub fn rate(&self, over: Duration) -> f64 {
        per_second(self.value as f64, over)
    }
}

/// Statistics of a gauge. If no value was set, everything except `count` is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawGauge")]
pub struct GaugeStats {
    /// The value set last.
    #[serde(serialize_with = "float::option")]
    pub current: Option<f64>,
    /// The least value set.
    #[serde(serialize_with = "float::option")]
    pub min: Option<f64>,
    /// The greatest value set.
    #[serde(serialize_with = "float::option")]
    pub max: Option<f64>,
    /// The mean of the finite values set.
    #[serde(serialize_with = "float::option")]
    pub mean: Option<f64>,
    /// The number of values set.
    pub count: u64,
    /// The number of finite values, which the mean is computed from.
    pub finite: u64,
    pub(crate) sum: Wide,
}

fn per_second(amount: f64, over: Duration) -> f64 {
    if over.is_zero() { 0.0 } else { amount / over.as_secs_f64() }
}

/// A timing's statistics as they were serialized. Everything except the buckets follows from these.
#[derive(serde::Deserialize)]
#[allow(dead_code, reason = "some formats tell fields by their order")]
struct RawTiming {
    count: u64,
    sum: Float,
    min: Option<Float>,
    max: Option<Float>,
    mean: Option<Float>,
    p50: Option<Float>,
    p90: Option<Float>,
    p95: Option<Float>,
    p99: Option<Float>,
    p999: Option<Float>,
    buckets: Buckets,
}

impl From<RawTiming> for TimingStats {
    fn from(raw: RawTiming) -> Self {
        Self::of(raw.buckets)
    }
}

/// A gauge's statistics as they were serialized.
#[derive(serde::Deserialize)]
struct RawGauge {
    current: Option<Float>,
    min: Option<Float>,
    max: Option<Float>,
    #[serde(rename = "mean")]
    _mean: Option<Float>,
    count: u64,
    finite: u64,
    sum: Wide,
}

impl TryFrom<RawGauge> for GaugeStats {
    type Error = String;

    fn try_from(raw: RawGauge) -> Result<Self, String> {
        let RawGauge { current, min, max, _mean, count, finite, sum } = raw;
        if finite > count {
            return Err("this is no gauge: more values were finite than were set".to_owned());
        }
        let [current, min, max] = [current, min, max].map(|it| it.map(|float| float.0));
        let mean = (finite > 0).then(|| sum.over(finite));
        Ok(Self { current, min, max, mean, count, finite, sum })
    }
}
