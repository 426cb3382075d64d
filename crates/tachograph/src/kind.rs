//! What a metric is: its kind, its unit, its description.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How a metric's samples are aggregated. One name has one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Durations: recorded in nanoseconds, reported in seconds.
    Timing,
    /// Plain values: a timing's statistics in the metric's own unit.
    Histogram,
    /// A monotonic count: unsigned 64 bits, wrapping.
    Counter,
    /// A count that goes both ways: signed 64 bits, wrapping.
    UpDownCounter,
    /// The value that was set last, with the range and the mean of the values set.
    Gauge,
}

impl Kind {
    /// Whether two kinds can be recorded by the same calls: `increment` and `decrement` fit both
    /// kinds of counter.
    pub(crate) fn fits(self, other: Self) -> bool {
        self == other || (self.is_counter() && other.is_counter())
    }

    pub(crate) fn is_counter(self) -> bool {
        matches!(self, Self::Counter | Self::UpDownCounter)
    }

    pub(crate) fn is_distribution(self) -> bool {
        matches!(self, Self::Timing | Self::Histogram)
    }

    /// The kind's name, as it stands in messages.
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

/// What a metric's reported values are measured in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// No unit, or not known.
    #[default]
    None,
    /// Seconds; every timing's unit.
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
    /// The unit's name as exports spell it; empty for [`Unit::None`].
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

/// A metric: what all series of one name have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// The name as it was recorded, such as `event.processing.duration`.
    pub name: Arc<str>,
    /// How its samples are aggregated.
    pub kind: Kind,
    /// The unit of every reported value.
    pub unit: Unit,
    /// One sentence for people; may be empty.
    pub description: Arc<str>,
}
