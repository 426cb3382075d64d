//! A distribution, for readers.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::lane::bucket;
use crate::read::rows::{self, Row, Totals};
use crate::series::metric::scaled;

/// A distribution: counts by bucket, in the layout of an HDR histogram with three digits.
///
/// Shared between snapshots while nothing changes; cheap to clone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawBuckets")]
pub struct Buckets {
    rows: Arc<[Row]>,
    /// Counts of coalesced samples, by coarse bucket.
    coarse: Arc<[Row]>,
    totals: Totals,
    scale: f64,
}

/// One bucket: the number of samples between `low` and `high`, both inclusive, in recorded units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The least value of the bucket.
    pub low: u64,
    /// The greatest value of the bucket.
    pub high: u64,
    /// Samples in it.
    pub count: u64,
}

/// Counts sorted by bucket, those of coalesced samples, and the totals.
pub(crate) type Parts<'a> = (Cow<'a, [Row]>, &'a [Row], Totals);

impl Buckets {
    /// The sum of distributions.
    pub(crate) fn of_all<'a>(all: impl IntoIterator<Item = Parts<'a>>, scale: f64) -> Self {
        let (mut sum, mut scratch) = ((Vec::new(), Vec::new(), Totals::default()), Vec::new());
        for (rows, coarse, totals) in all {
            rows::merge(&mut sum.0, &rows, &mut scratch);
            rows::merge(&mut sum.1, coarse, &mut scratch);
            sum.2.absorb(&totals);
        }
        Self::new(sum.0.into(), sum.1.into(), sum.2, scale)
    }

    pub(crate) fn parts(&self) -> Parts<'_> {
        (Cow::Borrowed(&self.rows), &self.coarse, self.totals)
    }

    pub(crate) fn new(rows: Arc<[Row]>, coarse: Arc<[Row]>, totals: Totals, scale: f64) -> Self {
        Self { rows, coarse, totals, scale }
    }

    /// The non-empty buckets, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Bucket> {
        self.rows.chunk_by(|a, b| a.0 == b.0).map(|rows| Bucket {
            low: bucket::low(rows[0].0),
            high: bucket::high(rows[0].0),
            count: rows.iter().map(|row| u64::from(row.1)).sum(),
        })
    }

    /// The position of the samples: pairs of a representative value in recorded units and a number
    /// of samples, in ascending order. The value is the bucket's middle, within 1/2,048 of all its
    /// samples, but never below the least or above the greatest sample. A bucket with more than
    /// 2^32 samples appears more than once.
    #[inline]
    pub fn placed(&self) -> impl Iterator<Item = (u64, u64)> {
        let (least, greatest) = (self.totals.min, self.totals.max);
        self.rows
            .iter()
            .map(move |row| (bucket::middle(row.0).min(greatest).max(least), u64::from(row.1)))
    }

    /// The number of samples [placed](Buckets::placed) at or below each of `values`, in recorded
    /// units, which must ascend. One pass over the rows, with no arithmetic except adding counts.
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

    /// The last bucket whose samples are placed at or below a value; `None` if there is none.
    fn last_up_to(&self, value: u64) -> Option<u16> {
        let (least, greatest) = (self.totals.min, self.totals.max);
        if value < least || value >= greatest {
            return (value >= greatest).then_some(u16::MAX);
        }
        // Lower buckets are placed below it, higher buckets above.
        let bucket = bucket::index(value);
        let placed = bucket::middle(bucket).min(greatest).max(least);
        if placed <= value { Some(bucket) } else { bucket.checked_sub(1) }
    }

    /// The exact sum of all samples, in recorded units (nanoseconds for a timing).
    pub fn sum(&self) -> u128 {
        self.totals.sum
    }

    pub(crate) fn totals(&self) -> Totals {
        self.totals
    }

    /// Counts sorted by bucket; a bucket may have several.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Counts of coalesced samples, sorted by coarse bucket.
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

    /// Samples coalesced under overload: counted and summed exactly, placed within 3.2 %.
    pub fn coalesced(&self) -> u64 {
        self.totals.coalesced
    }

    /// The value of one recorded unit in the metric's unit (1e-9 for a timing).
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Converts a value from recorded units to the metric's unit, rounding only once if the scale
    /// is a decimal fraction.
    #[inline]
    pub fn scaled(&self, recorded: u64) -> f64 {
        scaled(recorded as f64, self.scale)
    }

    /// Quantiles in ascending order, each in units of 1e-6, in one pass.
    pub(crate) fn quantiles<const N: usize>(&self, millionths: [u32; N]) -> [Option<f64>; N] {
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

    /// The ranks of these quantiles, from 1, and the buckets that contain them.
    pub(crate) fn ranked<const N: usize>(&self, millionths: [u32; N]) -> [Option<(u128, u16)>; N] {
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

/// Buckets as they were serialized.
#[derive(serde::Deserialize)]
pub(crate) struct RawBuckets {
    rows: Arc<[Row]>,
    coarse: Arc<[Row]>,
    totals: Totals,
    scale: f64,
}

impl TryFrom<RawBuckets> for Buckets {
    type Error = String;

    fn try_from(raw: RawBuckets) -> Result<Self, String> {
        let RawBuckets { rows, coarse, totals, scale } = raw;
        let Totals { count, min, max, coalesced, .. } = totals;
        let sum = |rows: &[Row]| rows.iter().map(|row| u128::from(row.1)).sum::<u128>();
        let counted = sum(&rows);
        let bad = if !rows.is_sorted_by_key(|row| row.0) {
            "its rows are not in the order of their buckets"
        } else if rows.last().is_some_and(|last| last.0 > bucket::index(u64::MAX)) {
            "it has a bucket beyond the last one"
        } else if rows.iter().any(|row| row.1 == 0) {
            "it has an empty bucket"
        } else if counted != u128::from(count) {
            "its count is not the sum of its buckets"
        } else if count > 0 && min > max {
            "its min is above its max"
        } else if count == 0 && totals != Totals::default() {
            "it has totals without samples"
        } else if coalesced > count {
            "more samples were coalesced than there are"
        } else if sum(&coarse) != u128::from(coalesced) {
            "its coalesced count is not the sum of its coarse buckets"
        } else if !coarse.is_sorted_by_key(|row| row.0) {
            "its coarse rows are not in the order of their buckets"
        } else if !(scale.is_finite() && scale > 0.0) {
            "its scale is not above 0"
        } else {
            return Ok(Self { rows, coarse, totals, scale });
        };
        Err(format!("this is no distribution: {bad}"))
    }
}
