//! The statistics of one series, as readers see them.

pub(crate) mod told;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::aggregate::distribution::Totals;
use crate::lane::bucket::{self, coarse};
use crate::lane::wide::Wide;
use crate::read::rows::Row;
use crate::read::snapshot::Views;
use crate::read::stats::told::{ToldBuckets, ToldGauge, ToldTiming};
use crate::series::metric::scaled;

/// Statistics of a timing or a histogram, in the metric's unit (a timing's: seconds).
///
/// `count`, `sum`, `min`, `max` and `mean` are exact; quantiles are within [`TimingStats::error`]
/// of a recorded value. Without samples, everything but `count` and `sum` is `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "ToldTiming")]
pub struct TimingStats {
    /// Samples.
    pub count: u64,
    /// Their sum, rounded to a float; [`Buckets::sum`] has it exactly.
    #[serde(with = "told::float")]
    pub sum: f64,
    /// The least sample.
    #[serde(with = "told::float::option")]
    pub min: Option<f64>,
    /// The greatest sample.
    #[serde(with = "told::float::option")]
    pub max: Option<f64>,
    /// Their mean.
    #[serde(with = "told::float::option")]
    pub mean: Option<f64>,
    /// The median.
    #[serde(with = "told::float::option")]
    pub p50: Option<f64>,
    /// The quantile 0.9.
    #[serde(with = "told::float::option")]
    pub p90: Option<f64>,
    /// The quantile 0.95.
    #[serde(with = "told::float::option")]
    pub p95: Option<f64>,
    /// The quantile 0.99.
    #[serde(with = "told::float::option")]
    pub p99: Option<f64>,
    /// The quantile 0.999.
    #[serde(with = "told::float::option")]
    pub p999: Option<f64>,
    buckets: Buckets,
}

/// Quantiles that are computed with every snapshot, in units of 1e-6.
const PRECOMPUTED: [u32; 5] = [500_000, 900_000, 950_000, 990_000, 999_000];

/// How far a value may be from the middle of its bucket, relative to it.
const FINE_ERROR: f64 = 1.0 / 2048.0;

/// A quantile in units of 1e-6; `None` outside 0 to 1.
fn millionths(q: f64) -> Option<u32> {
    let millionths = (q * 1e6).round();
    (0.0..=1e6).contains(&millionths).then_some(millionths as u32)
}

impl TimingStats {
    pub(crate) fn new(rows: Arc<[Row]>, coarse: &[Row], totals: Totals, scale: f64) -> Self {
        let buckets = Buckets { rows, coarse: coarse.into(), totals: totals.into(), scale };
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

    /// The quantile `q` between 0 and 1, in steps of 1e-6: the smallest value that at least
    /// `ceil(q * count)` samples do not exceed. `None` without samples or for a `q` outside 0
    /// to 1. Costs one pass over the buckets.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        self.buckets.quantiles([millionths(q)?])[0]
    }

    /// The distribution itself.
    pub fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// Bytes of both views' buckets, which may be the same ones.
    pub(crate) fn bucket_bytes(views: &Views<Self>) -> usize {
        let lifetime = &views.lifetime.buckets.rows;
        let other = |window: &&Self| !Arc::ptr_eq(&window.buckets.rows, lifetime);
        let window = views.window.as_ref().filter(other);
        size_of_val(&**lifetime) + window.map_or(0, |window| size_of_val(&*window.buckets.rows))
    }

    /// How far any quantile may be from the exact one, relative to it: 1/2,048 by the buckets'
    /// width, 3.2 % if a sample was coalesced under overload. [`TimingStats::error_at`] tells it
    /// of one quantile.
    pub fn error(&self) -> f64 {
        if self.buckets.totals.coalesced > 0 { coarse::ERROR } else { FINE_ERROR }
    }

    /// How far the quantile `q` may be from the exact one, relative to it: 3.2 % if samples were
    /// coalesced under overload around it, otherwise 1/2,048. `None` as for
    /// [`TimingStats::quantile`], which costs as much.
    pub fn error_at(&self, q: f64) -> Option<f64> {
        let (_, bucket) = self.buckets.ranked([millionths(q)?])[0]?;
        // A coarse bucket is made of whole buckets and its count is exact: the quantile lies in it.
        let bucket = coarse::index(bucket::low(bucket)) as u16;
        let found = self.buckets.coarse.binary_search_by_key(&bucket, |row| row.0);
        Some(if found.is_ok() { coarse::ERROR } else { FINE_ERROR })
    }

    /// Samples a second over a time, such as [`Snapshot::window_elapsed`].
    ///
    /// [`Snapshot::window_elapsed`]: crate::Snapshot::window_elapsed
    pub fn rate(&self, over: Duration) -> f64 {
        per_second(self.count as f64, over)
    }
}

/// A distribution: counts by bucket, in the layout of an HDR histogram with three digits.
///
/// Shared between snapshots while nothing changes; cheap to clone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ToldBuckets")]
pub struct Buckets {
    rows: Arc<[Row]>,
    /// Counts of coalesced samples, by coarse bucket.
    coarse: Arc<[Row]>,
    totals: SharedTotals,
    scale: f64,
}

/// Totals in words that every serde format knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SharedTotals {
    count: u64,
    sum_high: u64,
    sum_low: u64,
    min: u64,
    max: u64,
    coalesced: u64,
}

impl From<Totals> for SharedTotals {
    fn from(totals: Totals) -> Self {
        let Totals { count, sum, min, max, coalesced } = totals;
        Self { count, sum_high: (sum >> 64) as u64, sum_low: sum as u64, min, max, coalesced }
    }
}

impl From<SharedTotals> for Totals {
    fn from(totals: SharedTotals) -> Self {
        let SharedTotals { count, sum_high, sum_low, min, max, coalesced } = totals;
        let sum = (u128::from(sum_high) << 64) | u128::from(sum_low);
        Self { count, sum, min, max, coalesced }
    }
}

/// One bucket: how many samples lie from `low` to `high`, both included, in recorded units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The least value of the bucket.
    pub low: u64,
    /// The greatest value of the bucket.
    pub high: u64,
    /// Samples in it.
    pub count: u64,
}

impl Buckets {
    /// The buckets with samples, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Bucket> {
        self.rows.chunk_by(|a, b| a.0 == b.0).map(|rows| Bucket {
            low: bucket::low(rows[0].0),
            high: bucket::high(rows[0].0),
            count: rows.iter().map(|row| u64::from(row.1)).sum(),
        })
    }

    /// Where the samples lie: a value in recorded units that stands for a bucket, and for how many
    /// samples, in ascending order. It is the bucket's middle, within 1/2,048 of all of them, but
    /// never below the least sample nor above the greatest. A bucket of more than 2^32 samples
    /// comes more than once.
    #[inline]
    pub fn placed(&self) -> impl Iterator<Item = (u64, u64)> {
        let (least, greatest) = (self.totals.min, self.totals.max);
        self.rows
            .iter()
            .map(move |row| (bucket::middle(row.0).min(greatest).max(least), u64::from(row.1)))
    }

    /// How many samples are [placed](Buckets::placed) at most at each of some values in recorded
    /// units, which ascend. One pass over the rows, and no arithmetic but their sum.
    pub fn up_to<'a>(
        &'a self,
        values: impl Iterator<Item = u64> + 'a,
    ) -> impl Iterator<Item = u64> + 'a {
        let (mut rest, mut below) = (&*self.rows, 0);
        values.map(move |value| {
            let last = self.last_up_to(value);
            while let Some((&Row(bucket, count), after)) = rest.split_first()
                && last.is_some_and(|last| bucket <= last)
            {
                below += u64::from(count);
                rest = after;
            }
            below
        })
    }

    /// The last bucket whose samples are placed at most at a value; `None` where none are.
    fn last_up_to(&self, value: u64) -> Option<u16> {
        let (least, greatest) = (self.totals.min, self.totals.max);
        if value < least || value >= greatest {
            return (value >= greatest).then_some(u16::MAX);
        }
        // Buckets below are placed below it, buckets above are placed above.
        let bucket = bucket::index(value);
        let placed = bucket::middle(bucket).min(greatest).max(least);
        if placed <= value { Some(bucket) } else { bucket.checked_sub(1) }
    }

    /// The exact sum of all samples, in recorded units (a timing's: nanoseconds).
    pub fn sum(&self) -> u128 {
        self.totals().sum
    }

    pub(crate) fn totals(&self) -> Totals {
        self.totals.into()
    }

    /// Sorted counts by bucket; one bucket may have several.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Sorted counts of coalesced samples by coarse bucket.
    pub(crate) fn coarse(&self) -> &[Row] {
        &self.coarse
    }

    /// The least sample, in recorded units.
    pub fn min(&self) -> Option<u64> {
        (self.totals.count > 0).then_some(self.totals.min)
    }

    /// The greatest sample, in recorded units.
    pub fn max(&self) -> Option<u64> {
        (self.totals.count > 0).then_some(self.totals.max)
    }

    /// Samples that overload coalesced: counted and summed exactly, placed within 3.2 %.
    pub fn coalesced(&self) -> u64 {
        self.totals.coalesced
    }

    /// What one recorded unit is worth in the metric's unit (a timing's: 1e-9).
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// A value in recorded units in the metric's unit, rounded once where that has a decimal fraction
    /// of the recorded one.
    #[inline]
    pub fn scaled(&self, recorded: u64) -> f64 {
        scaled(recorded as f64, self.scale)
    }

    /// Quantiles in ascending order, each in units of 1e-6, in one pass.
    fn quantiles<const N: usize>(&self, millionths: [u32; N]) -> [Option<f64>; N] {
        self.ranked(millionths).map(|ranked| {
            // The first and the last sample are known exactly.
            let value = match ranked? {
                (1, _) => self.totals.min,
                (last, _) if last == u128::from(self.totals.count) => self.totals.max,
                (_, bucket) => bucket::middle(bucket).clamp(self.totals.min, self.totals.max),
            };
            Some(self.scaled(value))
        })
    }

    /// The ranks of such quantiles, from 1, and the buckets that they lie in.
    fn ranked<const N: usize>(&self, millionths: [u32; N]) -> [Option<(u128, u16)>; N] {
        let count = u128::from(self.totals.count);
        let mut rows = self.rows.iter();
        let (mut below, mut bucket) = (0u128, 0u16);
        millionths.map(|q| {
            let rank = (u128::from(q) * count).div_ceil(1_000_000).max(1);
            while below < rank {
                let Row(next, n) = *rows.next()?;
                (below, bucket) = (below + u128::from(n), next);
            }
            Some((rank, bucket))
        })
    }
}

/// Statistics of a counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterStats {
    /// The total: 0 to 2^64 - 1 for a counter, -2^63 to 2^63 - 1 for one that goes both ways;
    /// in a window, the net change.
    pub value: i128,
}

impl CounterStats {
    /// Change a second over a time, such as [`Snapshot::window_elapsed`].
    ///
    /// [`Snapshot::window_elapsed`]: crate::Snapshot::window_elapsed
    pub fn rate(&self, over: Duration) -> f64 {
        per_second(self.value as f64, over)
    }
}

/// Statistics of a gauge. Without a value set, everything but `count` is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ToldGauge")]
pub struct GaugeStats {
    /// The value set last.
    #[serde(with = "told::float::option")]
    pub current: Option<f64>,
    /// The least value set.
    #[serde(with = "told::float::option")]
    pub min: Option<f64>,
    /// The greatest value set.
    #[serde(with = "told::float::option")]
    pub max: Option<f64>,
    /// The mean of the finite values set.
    #[serde(with = "told::float::option")]
    pub mean: Option<f64>,
    /// How many values were set.
    pub count: u64,
    /// How many of them were finite, which the mean is of.
    pub finite: u64,
    pub(crate) sum: Wide,
}

fn per_second(amount: f64, over: Duration) -> f64 {
    if over.is_zero() { 0.0 } else { amount / over.as_secs_f64() }
}
