//! Reasons for not aggregating a sample.

use serde::{Deserialize, Serialize};

/// Why a sample was not aggregated. Every such sample is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// No free block, and no spill row yet for this series in the thread's lane.
    Overload,
    /// Recorded after `shutdown`.
    Shutdown,
    /// A gauge was set to NaN.
    NotANumber,
    /// No lane for this thread: too many threads record at once, or the sample was recorded while
    /// the thread's recorder was being set up.
    NoLane,
    /// Folding it panicked, because of a bug in the aggregator.
    Panicked,
    /// The metric is new and the limit on metrics or series is reached.
    SeriesLimit,
    /// The name belongs to another kind, or is reserved.
    KindConflict,
    /// The handle belongs to a different collector than the recorder.
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

    /// Whether drops are also counted per series; for the other reasons there is no series.
    pub(crate) fn is_per_series(self) -> bool {
        !matches!(self, Self::SeriesLimit | Self::KindConflict | Self::ForeignHandle)
    }

    /// The value of the tag `reason`.
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
