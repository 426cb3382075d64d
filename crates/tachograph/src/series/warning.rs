//! What the core refuses, and why a sample was not aggregated.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::series::metric::Kind;

/// Why a sample was not aggregated. Every such sample is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// No free block, and no spill row of this series in this thread's lane yet.
    Overload,
    /// Recorded after `shutdown`.
    Shutdown,
    /// A gauge was set to NaN.
    NotANumber,
    /// No lane for this thread: too many threads record at once, or the sample was recorded
    /// while this thread's recorder was being set up.
    NoLane,
    /// Folding it panicked, by a mistake in the aggregator.
    Panicked,
    /// A new metric beyond the limit on metrics or on series.
    SeriesLimit,
    /// The name has another kind, or is reserved.
    KindConflict,
    /// The handle belongs to another collector than the recorder.
    ForeignHandle,
}

impl DropReason {
    /// Every reason, in the order of the statistics.
    pub const ALL: [Self; 8] = [
        Self::Overload,
        Self::Shutdown,
        Self::NotANumber,
        Self::NoLane,
        Self::Panicked,
        Self::SeriesLimit,
        Self::KindConflict,
        Self::ForeignHandle,
    ];

    /// Whether it is counted for a series too: the others have no series to be counted for.
    pub(crate) fn is_per_series(self) -> bool {
        !matches!(self, Self::SeriesLimit | Self::KindConflict | Self::ForeignHandle)
    }

    /// The reason's value of the tag `reason`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overload => "overload",
            Self::Shutdown => "shutdown",
            Self::NotANumber => "not_a_number",
            Self::NoLane => "no_lane",
            Self::Panicked => "panicked",
            Self::SeriesLimit => "series_limit",
            Self::KindConflict => "kind_conflict",
            Self::ForeignHandle => "foreign_handle",
        }
    }
}

/// Something that the owner of the collector should look at; given to the warning callback,
/// once a cause.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A metric was recorded as another kind than it has.
    KindConflict {
        /// The metric's name.
        name: Arc<str>,
        /// The kind it has.
        is: Kind,
        /// The kind it was recorded as.
        recorded_as: Kind,
    },
    /// A metric under the prefix `telemetry.`, which is the collector's own.
    ReservedName {
        /// The name that was asked for.
        name: Arc<str>,
    },
    /// A metric has reached its limit of series; further ones go to its overflow series.
    SeriesLimit {
        /// The metric's name.
        name: Arc<str>,
    },
    /// Timings and histograms have reached their limit of bytes; further series of this metric go
    /// to its overflow series.
    DistributionLimit {
        /// The metric's name.
        name: Arc<str>,
    },
    /// A metric was refused: the collector has reached its limit of metrics or of series.
    MetricLimit {
        /// The name that was asked for.
        name: Arc<str>,
    },
    /// Threads had no free block, so samples were coalesced: their counts, sums, minima and maxima
    /// are exact, their quantiles within 3.2 %. At most once a minute.
    Coalesced {
        /// How many, since the last such warning.
        samples: u64,
        /// The display key of the series with the most of them.
        worst: Arc<str>,
        /// How many samples of that series.
        of_worst: u64,
    },
    /// A pass or a read has panicked: a mistake in the aggregator. It goes on with the next one;
    /// nothing was lost but samples that are counted as dropped.
    AggregatorPanicked,
    /// The CPU's time-stamp counter and the monotonic clock differ: timers use the monotonic
    /// clock from now on.
    ClockUntrusted,
    /// The background thread could not be started: drive the collector by `run_pass`, or by
    /// reading.
    DriverFailed {
        /// What the operating system said.
        reason: Arc<str>,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KindConflict { name, is, recorded_as } => write!(
                f,
                "metric `{name}` is a {} and was recorded as a {}: use another name for one of them",
                is.name(),
                recorded_as.name()
            ),
            Self::ReservedName { name } => {
                write!(f, "metric `{name}` is refused: names under `telemetry.` are reserved")
            }
            Self::SeriesLimit { name } => write!(
                f,
                "metric `{name}` has reached its limit of series: new ones are added up under \
                 `overflow=true`; raise `series_per_metric` or use fewer tag values"
            ),
            Self::DistributionLimit { name } => write!(
                f,
                "timings and histograms have reached their limit of bytes: new series of `{name}` \
                 are added up under `overflow=true`; raise `max_distribution_bytes`, use fewer tag \
                 values, or a shorter window"
            ),
            Self::MetricLimit { name } => write!(
                f,
                "metric `{name}` is refused: the limit of metrics or series is reached; raise \
                 `max_metrics` or `max_series`"
            ),
            Self::Coalesced { samples, worst, of_worst } => write!(
                f,
                "{samples} samples were coalesced, {of_worst} of them of `{worst}`: threads record \
                 faster than passes are made; quantiles of these samples are within 3.2 %, all \
                 else is exact. Raise `lane_blocks`, let the background thread run, or call \
                 `run_pass` more often"
            ),
            Self::ClockUntrusted => f.write_str(
                "the CPU's time-stamp counter differs from the monotonic clock by more than 1 %: \
                 timers use the monotonic clock from now on, at about twice the cost",
            ),
            Self::AggregatorPanicked => f.write_str("a pass of the aggregator panicked"),
            Self::DriverFailed { reason } => write!(
                f,
                "the background thread could not be started ({reason}): call `run_pass` instead"
            ),
        }
    }
}
