//! The forms in which timings and histograms are written.

use thiserror::Error;

use super::bounds::Bounds;
use crate::exponential::{SCALE_MAX, SCALE_MIN};

/// The form in which a timing or histogram is written. By default a native histogram if the format
/// has them, otherwise a summary.
///
/// | form | in text and OpenMetrics | in protobuf |
/// |---|---|---|
/// | `Summary` | quantiles, sum, count | the same |
/// | `Classic` | buckets, sum, count | the same |
/// | `Native` | as `Summary` | native histogram |
/// | `NativeAndClassic` | as `Classic` | native histogram with the classic buckets beside it |
///
/// A family has one type, so it is never a summary and a histogram at once. A summary's quantiles
/// are exact to 0.05 % (3.2 % for samples coalesced under overload), but they cannot be aggregated
/// over processes or time. Quantiles computed from a histogram can be, and are as exact as its
/// buckets are narrow.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Form {
    /// The quantiles 0.5, 0.9, 0.95, 0.99 and 0.999 [of the window], and the lifetime's count and
    /// sum.
    ///
    /// [of the window]: super::Prometheus::lifetime_quantiles
    Summary,
    /// Counts up to the given bounds.
    Classic(Bounds),
    /// Exponential buckets, only the non-empty ones.
    Native(Schema),
    /// Both. A Prometheus server reads the classic buckets only if configured to.
    NativeAndClassic(Schema, Bounds),
}

impl Default for Form {
    fn default() -> Self {
        Self::Native(Schema::default())
    }
}

impl Form {
    /// The bounds of the classic buckets, if it has any.
    pub(super) fn bounds(&self) -> Option<&Bounds> {
        match self {
            Self::Summary | Self::Native(_) => None,
            Self::Classic(bounds) | Self::NativeAndClassic(_, bounds) => Some(bounds),
        }
    }

    /// The schema of the native histogram, if it has one.
    pub(super) fn schema(&self) -> Option<Schema> {
        match self {
            Self::Summary | Self::Classic(_) => None,
            Self::Native(schema) | Self::NativeAndClassic(schema, _) => Some(*schema),
        }
    }
}

/// The resolution of a native histogram: `2^schema` buckets per power of two.
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
    /// A schema from -4 (buckets of a factor of 65,536) to 8 (0.27 % wide).
    ///
    /// # Errors
    /// For a number outside this range.
    pub fn new(schema: i32) -> Result<Self, SchemaError> {
        let known = (SCALE_MIN..=SCALE_MAX).contains(&schema);
        known.then_some(Self(schema)).ok_or(SchemaError(schema))
    }

    /// The schema's number.
    pub fn get(self) -> i32 {
        self.0
    }
}

/// A schema that Prometheus does not support.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("native histograms have no schema {0}: use one from -4 to 8")]
pub struct SchemaError(i32);
