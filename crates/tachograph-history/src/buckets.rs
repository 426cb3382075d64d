//! Distributions in frames: counts in exponential buckets.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
/// Adding two loses nothing. Packed, because buckets make up most of a history: a bucket takes a byte
/// if its count is 1 and fewer than 64 empty ones are before it, and one or more for another count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buckets(Box<[u8]>);

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
        let mut packer = Packer::default();
        let mut last: Option<(i16, u64)> = None;
        for (units, count) in distribution.placed() {
            let index = Self::index(distribution.scaled(units));
            match &mut last {
                Some(last) if last.0 == index => last.1 = last.1.saturating_add(count),
                last => {
                    if let Some((index, count)) = last.replace((index, count)) {
                        packer.push(index, count);
                    }
                }
            }
        }
        last.iter().for_each(|&(index, count)| packer.push(index, count));
        packer.finish()
    }

    /// The buckets with their counts, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (i16, u64)> + '_ {
        Unpacked { rest: &self.0, next: i32::from(i16::MIN) }
    }

    /// The sum of all counts.
    pub fn count(&self) -> u64 {
        self.iter().fold(0, |sum, (_, count)| sum.saturating_add(count))
    }

    /// Adds other counts.
    pub fn add(&mut self, other: &Self) {
        *self = self.joined(other, u64::saturating_add);
    }

    /// Takes away counts that were added before.
    pub fn subtract(&mut self, other: &Self) {
        *self = self.joined(other, u64::saturating_sub);
    }

    /// Our counts, each with theirs of the same bucket.
    fn joined(&self, other: &Self, join: impl Fn(u64, u64) -> u64) -> Self {
        let mut packer = Packer::default();
        packer.bytes.reserve(self.0.len() + other.0.len());
        let (mut ours, mut theirs) = (self.iter().peekable(), other.iter().peekable());
        while let Some(&(index, _)) = match (ours.peek(), theirs.peek()) {
            (Some(a), Some(b)) => Some(if a.0 <= b.0 { a } else { b }),
            (a, b) => a.or(b),
        } {
            let [a, b] = [&mut ours, &mut theirs]
                .map(|of| of.next_if(|it| it.0 == index).map_or(0, |it| it.1));
            let count = join(a, b);
            if count > 0 {
                packer.push(index, count);
            }
        }
        packer.finish()
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

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        self.0.len()
    }
}

impl Serialize for Buckets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Buckets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let told = Vec::<(i16, u64)>::deserialize(deserializer)?;
        if told.iter().any(|it| it.1 == 0) || !told.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(D::Error::custom("a timing's buckets do not ascend, or one is empty"));
        }
        let mut packer = Packer::default();
        told.into_iter().for_each(|(index, count)| packer.push(index, count));
        Ok(packer.finish())
    }
}

/// Packs buckets, in ascending order. Each is the number of empty buckets before it and, in the
/// lowest bit, whether its count follows, less 2, because it is not 1.
struct Packer {
    bytes: Vec<u8>,
    /// The least index that may come.
    next: i32,
}

impl Default for Packer {
    fn default() -> Self {
        Self { bytes: Vec::new(), next: i32::from(i16::MIN) }
    }
}

impl Packer {
    fn push(&mut self, index: i16, count: u64) {
        let index = i32::from(index);
        let empty = (index - self.next) as u64;
        self.next = index + 1;
        self.write(empty << 1 | u64::from(count != 1));
        if count != 1 {
            self.write(count.saturating_sub(2));
        }
    }

    /// Seven bits a byte, lowest first; the highest bit says that more follow.
    fn write(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    fn finish(self) -> Buckets {
        Buckets(self.bytes.into())
    }
}

struct Unpacked<'a> {
    rest: &'a [u8],
    next: i32,
}

impl Unpacked<'_> {
    fn read(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        Some(value)
    }
}

impl Iterator for Unpacked<'_> {
    type Item = (i16, u64);

    fn next(&mut self) -> Option<Self::Item> {
        let head = self.read()?;
        let index = self.next + (head >> 1) as i32;
        self.next = index + 1;
        let count = if head & 1 == 0 { 1 } else { self.read()? + 2 };
        // Only indices of this range were packed.
        Some((index as i16, count))
    }
}
