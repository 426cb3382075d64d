//! Distributions in frames: counts in exponential buckets.

use serde::{Deserialize, Serialize};

/// Buckets per power of two, as in schema 3 of Prometheus's native histograms.
pub const PER_OCTAVE: i32 = 8;

/// 1, and the upper edges of the buckets between 1 and 2: 2^(j/8).
const EDGES: [f64; 9] = [
    1.0,
    1.090_507_732_665_257_7,
    1.189_207_115_002_721,
    1.296_839_554_651_009_6,
    std::f64::consts::SQRT_2,
    1.542_210_825_407_940_7,
    1.681_792_830_507_429,
    1.834_008_086_409_342_4,
    2.0,
];

/// Sparse counts by bucket, in ascending order: bucket `i` holds the values in `(2^((i-1)/8),
/// 2^(i/8)]`, and [`Buckets::ZERO`] those at or below 0.
///
/// Adding two loses nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Buckets(Vec<(i16, u64)>);

impl Buckets {
    /// The bucket of 0.
    pub const ZERO: i16 = i16::MIN;

    /// The bucket of a value. Values at or below 0 count as 0.
    pub fn index(value: f64) -> i16 {
        if value.is_nan() || value <= 0.0 {
            return Self::ZERO;
        }
        // Scaled into [1, 2) by its exponent, exactly; subnormal numbers are first multiplied by
        // 2^64.
        let (value, shift) =
            if value.is_normal() { (value, 0) } else { (value * 2f64.powi(64), 64) };
        if value.is_infinite() {
            return i16::MAX;
        }
        let bits = value.to_bits();
        let exponent = (bits >> 52) as i32 - 1023 - shift;
        let mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
        let within = EDGES.iter().position(|&edge| mantissa <= edge).unwrap_or(8);
        // At most 1024 * 8, at least -1074 * 8.
        (exponent * PER_OCTAVE + within as i32) as i16
    }

    /// The upper edge of a bucket; its lower edge is the upper edge of `index - 1`.
    pub fn upper_edge(index: i16) -> f64 {
        match index {
            Self::ZERO => 0.0,
            i16::MAX => f64::INFINITY,
            index => {
                let index = i32::from(index);
                let edge = EDGES[index.rem_euclid(PER_OCTAVE) as usize];
                edge * 2f64.powi(index.div_euclid(PER_OCTAVE))
            }
        }
    }

    /// The counts of a snapshot's distribution; each of its buckets is placed by its middle.
    pub(crate) fn of(distribution: &tachograph::Buckets) -> Self {
        let mut buckets = Self::default();
        for (units, count) in distribution.placed() {
            let index = Self::index(distribution.scaled(units));
            match buckets.0.last_mut().filter(|last| last.0 == index) {
                Some(last) => last.1 = last.1.saturating_add(count),
                None => buckets.0.push((index, count)),
            }
        }
        buckets
    }

    /// The buckets with their counts, in ascending order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (i16, u64)> + '_ {
        self.0.iter().copied()
    }

    /// The sum of all counts.
    pub fn count(&self) -> u64 {
        self.0.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// Adds other counts.
    pub fn add(&mut self, other: &Self) {
        let ours = std::mem::take(&mut self.0);
        self.0.reserve(ours.len().max(other.0.len()));
        let (mut ours, mut theirs) = (ours.into_iter().peekable(), other.iter().peekable());
        while let Some(&(index, _)) = match (ours.peek(), theirs.peek()) {
            (Some(a), Some(b)) => Some(if a.0 <= b.0 { a } else { b }),
            (a, b) => a.or(b),
        } {
            let counts = [ours.next_if(|it| it.0 == index), theirs.next_if(|it| it.0 == index)];
            let sum = counts.into_iter().flatten().fold(0u64, |sum, it| sum.saturating_add(it.1));
            self.0.push((index, sum));
        }
    }

    /// The quantile `q` between 0 and 1: the geometric middle of the bucket that contains the
    /// sample of rank `ceil(q * count)`, within 4.5 % of that sample; `None` without samples.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let count = self.count();
        let rank = ((q.clamp(0.0, 1.0) * count as f64).ceil() as u64).clamp(1, count.max(1));
        let mut below = 0u64;
        let (index, _) = self.iter().find(|(_, count)| {
            below = below.saturating_add(*count);
            below >= rank
        })?;
        Some(match index {
            Self::ZERO => 0.0,
            i16::MAX => f64::MAX,
            index => {
                let (low, high) = (Self::upper_edge(index - 1), Self::upper_edge(index));
                if high.is_finite() { low.sqrt() * high.sqrt() } else { low }
            }
        })
    }

    /// Whether the buckets ascend and none is empty, which every reader relies on.
    pub(crate) fn is_valid(&self) -> bool {
        self.0.windows(2).all(|pair| pair[0].0 < pair[1].0) && self.0.iter().all(|it| it.1 > 0)
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<(i16, u64)>()
    }

    pub(crate) fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }
}
