//! Warnings to the collector's owner.

use std::fmt;
use std::sync::Arc;

use crate::series::metric::Kind;

/// A problem that the collector's owner should look at; passed to the warning callback once per
/// cause.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A metric was recorded as a different kind than its own.
    KindConflict {
        /// The metric's name.
        name: Arc<str>,
        /// Its kind.
        is: Kind,
        /// The kind it was recorded as.
        recorded_as: Kind,
    },
    /// A metric under the reserved prefix `telemetry.`.
    ReservedName {
        /// The requested name.
        name: Arc<str>,
    },
    /// A scale that is no positive number, or less than [`f64::MIN_POSITIVE`], was refused.
    BadScale {
        /// The metric's name.
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
    /// A metric was refused because the collector has reached its limit of metrics or series.
    MetricLimit {
        /// The requested name.
        name: Arc<str>,
    },
    /// Threads found no free block, so samples were coalesced: counts, sums, minima and maxima are
    /// exact, and quantiles of these samples are within 3.2 %. At most once a minute.
    Coalesced {
        /// The number of samples since the last such warning.
        samples: u64,
        /// The display key of the series with the most of them.
        worst: Arc<str>,
        /// The number of samples of that series.
        of_worst: u64,
    },
    /// A pass or read panicked because of a bug in the aggregator. The aggregator continues with
    /// the next pass; nothing was lost except samples that are counted as dropped.
    AggregatorPanicked,
    /// A callback passed to [`on_publish`](crate::MetricsCollector::on_publish) panicked for the
    /// first time. It is called again before the next snapshot.
    CallbackPanicked,
    /// The CPU's time-stamp counter and the monotonic clock disagree: timers use the monotonic
    /// clock from now on.
    ClockUntrusted,
    /// The background thread could not be started: call `publish`, or drive the collector by
    /// reading.
    DriverFailed {
        /// The operating system's error.
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
            Self::BadScale { name } => write!(
                f,
                "the scale of metric `{name}` is refused: it has to be a positive number that is \
                 not subnormal"
            ),
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
                 `publish` more often"
            ),
            Self::ClockUntrusted => f.write_str(
                "the CPU's time-stamp counter differs from the monotonic clock by more than 1 %: \
                 timers use the monotonic clock from now on, at about twice the cost",
            ),
            Self::AggregatorPanicked => f.write_str("a pass of the aggregator panicked"),
            Self::CallbackPanicked => f.write_str(
                "a callback passed to `on_publish` panicked: the panic was caught, the callback is \
                 called again, and `telemetry.callback_panics` counts it if it panics again",
            ),
            Self::DriverFailed { reason } => write!(
                f,
                "the background thread could not be started ({reason}): call `publish` instead"
            ),
        }
    }
}
