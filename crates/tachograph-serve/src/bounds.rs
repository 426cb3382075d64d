//! Times that are added to now.

use std::time::Duration;

/// More than this, and a clock could not add it.
pub(crate) const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);

/// A time within what works.
pub(crate) fn bounded(time: Duration, least: Duration) -> Duration {
    time.clamp(least, LONGEST)
}
