//! A metric's kind, unit and description.

use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// How a metric's samples are aggregated. A name has only one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Durations: recorded in nanoseconds, reported in seconds.
    Timing,
    /// Plain values, with a timing's statistics in the metric's own unit.
    Histogram,
    /// A monotonic count: unsigned 64 bits, wrapping.
    Counter,
    /// A count that goes both ways: signed 64 bits, wrapping.
    UpDownCounter,
    /// The value that was set last, with the range and mean of all values set.
    Gauge,
}

impl Kind {
    /// Whether two kinds can be recorded by the same calls: `increment` and `decrement` fit both
    /// counter kinds.
    pub(crate) fn fits(self, other: Self) -> bool {
        self == other || (self.is_counter() && other.is_counter())
    }

    pub(crate) fn is_counter(self) -> bool {
        matches!(self, Self::Counter | Self::UpDownCounter)
    }

    pub(crate) fn is_distribution(self) -> bool {
        matches!(self, Self::Timing | Self::Histogram)
    }

    /// The kind's name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Timing => "timing",
            Self::Histogram => "histogram",
            Self::Counter => "counter",
            Self::UpDownCounter => "up-down counter",
            Self::Gauge => "gauge",
        }
    }
}

/// The unit of a metric's reported values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// No unit, or unknown.
    #[default]
    None,
    /// Seconds; the unit of every timing.
    Seconds,
    /// Bytes.
    Bytes,
    /// A share between 0 and 1.
    Ratio,
    /// A share between 0 and 100.
    Percent,
    /// Another base unit by its plural name, such as `volts`.
    Other(Arc<str>),
}

impl Unit {
    /// The unit's name in exports; empty for [`Unit::None`].
    pub fn name(&self) -> &str {
        match self {
            Self::None => "",
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::Ratio => "ratio",
            Self::Percent => "percent",
            Self::Other(name) => name,
        }
    }
}

/// A metric: what all series with one name share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// The recorded name, such as `event.processing.duration`.
    pub name: Arc<str>,
    /// How its samples are aggregated.
    pub kind: Kind,
    /// The unit of every reported value.
    pub unit: Unit,
    /// One sentence for people; may be empty.
    pub description: Arc<str>,
    /// The value of one recorded unit in `unit`: 1e-9 for timings, and 1 for other kinds unless a
    /// histogram or counter was described with another scale.
    #[serde(default = "one", deserialize_with = "scale")]
    pub scale: f64,
}

/// The prefix of the collector's own names.
pub(crate) const RESERVED: &str = "telemetry.";

impl Metric {
    /// Whether it is one of the collector's own, `telemetry.*`.
    pub fn is_telemetry(&self) -> bool {
        self.name.starts_with(RESERVED)
    }

    /// A recorded counter value in the metric's unit, as exports report it.
    pub fn scaled(&self, recorded: f64) -> f64 {
        scaled(recorded, self.scale)
    }
}

/// Converts a value from recorded units to reported ones.
#[inline]
pub(crate) fn scaled(recorded: f64, scale: f64) -> f64 {
    // Divides by an integer if possible, because fractions like 0.001 have no exact float.
    let parts = (1.0 / scale).round();
    if parts >= 1.0 && 1.0 / parts == scale { recorded / parts } else { recorded * scale }
}

fn one() -> f64 {
    1.0
}

/// Whether values can be converted by it, both ways: a subnormal number has too few digits.
pub(crate) fn is_scale(scale: f64) -> bool {
    scale.is_normal() && scale > 0.0
}

/// Deserializes a scale that `describe_scaled` would accept.
fn scale<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let scale = f64::deserialize(deserializer)?;
    let wrong = || D::Error::custom(format!("a metric's scale is {scale}: it has to be above 0"));
    if is_scale(scale) { Ok(scale) } else { Err(wrong()) }
}
