//! What timings and histograms are written as.

use thiserror::Error;

use super::bounds::Bounds;
use crate::exponential::{SCALE_MAX, SCALE_MIN};

/// What a timing or a histogram is written as. By default as a native histogram where the format
/// has that, as a summary elsewhere.
///
/// | form | in text and OpenMetrics | in protobuf |
/// |---|---|---|
/// | `Summary` | quantiles, sum, count | the same |
/// | `Classic` | buckets, sum, count | the same |
/// | `Native` | as `Summary` | native histogram |
/// | `NativeAndClassic` | as `Classic` | native histogram with the classic buckets beside it |
///
/// A family has one type, so a summary never stands beside a histogram. Quantiles of a summary are
/// exact to 0.05 %, of samples coalesced under overload to 3.2 %, but cannot be added up over processes or time; those that are computed from a
/// histogram can, and are as exact as its buckets are narrow.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Form {
    /// The quantiles 0.5, 0.9, 0.95, 0.99 and 0.999 [of the window], and the lifetime's count and
    /// sum.
    ///
    /// [of the window]: super::Prometheus::lifetime_quantiles
    Summary,
    /// Counts up to bounds of the caller's.
    Classic(Bounds),
    /// Exponential buckets, only those that hold samples.
    Native(Schema),
    /// Both. A Prometheus server takes the classic buckets only where it is told to.
    NativeAndClassic(Schema, Bounds),
}

impl Default for Form {
    fn default() -> Self {
        Self::Native(Schema::default())
    }
}

impl Form {
    /// The bounds of the classic buckets; `None` without any.
    pub(super) fn bounds(&self) -> Option<&Bounds> {
        match self {
            Self::Summary | Self::Native(_) => None,
            Self::Classic(bounds) | Self::NativeAndClassic(_, bounds) => Some(bounds),
        }
    }

    /// The schema of the native histogram; `None` without one.
    pub(super) fn schema(&self) -> Option<Schema> {
        match self {
            Self::Summary | Self::Classic(_) => None,
            Self::Native(schema) | Self::NativeAndClassic(schema, _) => Some(*schema),
        }
    }
}

/// How narrow the buckets of a native histogram are: every power of two has `2^schema` of them.
///
/// 5 by default: buckets 2.2 % wide, up to 32 for every power of two that has samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Schema(i32);

impl Default for Schema {
    fn default() -> Self {
        Self(5)
    }
}

impl Schema {
    /// The schema of a number from -4 (buckets of a factor of 65,536) to 8 (0.27 % wide).
    ///
    /// # Errors
    /// Outside these numbers.
    pub fn new(schema: i32) -> Result<Self, SchemaError> {
        let known = (SCALE_MIN..=SCALE_MAX).contains(&schema);
        known.then_some(Self(schema)).ok_or(SchemaError(schema))
    }

    /// Its number.
    pub fn get(self) -> i32 {
        self.0
    }
}

/// A schema that Prometheus does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("native histograms have no schema {0}: use one from -4 to 8")]
pub struct SchemaError(i32);
