//! Durations that are added to the current time.

use std::time::Duration;

/// A clock might not be able to add a longer time.
pub(crate) const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);

/// A duration clamped to the usable range.
pub(crate) fn bounded(time: Duration, least: Duration) -> Duration {
    time.clamp(least, LONGEST)
}
