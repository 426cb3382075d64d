//! A moment in one word.
//!
//! The two highest bits say which clock was read, the others what it showed. Moments of the
//! monotonic clock count from the middle of their range, so that they may lie before the process's
//! start. No clock shows 0, which is no moment.

use std::time::{Duration, Instant};

/// A moment on the clock that timers read: the start or the end of a timing, where a
/// [`Timer`](crate::Timer) does not fit.
///
/// It borrows nothing, so it can live in a request that takes many turns of a loop, and the series
/// can be chosen at the end, by the outcome. One moment may serve many timings.
///
/// ```
/// # use tachograph::MetricsCollector;
/// let metrics = MetricsCollector::new();
/// let [parse, reply] = ["parse", "reply"].map(|name| metrics.register_timing(name));
/// let start = metrics.now();
/// // ... parse ...
/// let parsed = parse.record_since(start);
/// // ... reply ...
/// reply.record_since(parsed);
/// ```
///
/// The default is no moment, and so is every stamp that is taken while recording is off: a timing
/// with such a start or end records nothing.
///
/// A stamp is good for every collector that can read its clock. For the system's monotonic clock
/// these are all; for the time-stamp counter those that have calibrated it, see
/// [`Clock::system`](crate::Clock::system); for a mock clock's counter those with the same mock
/// clock. For any other collector the timing counts as 0 and as an anomaly, like time that runs
/// backwards. If start and end were read on different clocks, both are read again, and the timing
/// is the difference of what has passed since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp(u64);

/// Read on the CPU's time-stamp counter. Stamps of one clock have the same marks, which so cancel
/// out in their difference.
const COUNTER: u64 = 1 << 63;

/// Read on a mock clock's counter.
const MOCK_COUNTER: u64 = 1 << 62;

/// The moment of a monotonic stamp from which nanoseconds are counted: 73 years either way.
const ORIGIN: u64 = 1 << 61;

/// The last moment of a monotonic stamp.
const END: u64 = MOCK_COUNTER - 1;

impl Stamp {
    /// Whether it is no moment: the default, or taken while recording was off.
    #[inline]
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// A number for code that does not know this type, such as C; 0 is no moment.
    #[inline]
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// The stamp of such a number. A made-up number is some moment of some clock: a timing with it
    /// means nothing.
    #[inline]
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// A value of the CPU's time-stamp counter.
    #[inline]
    pub(crate) fn counter(cycles: u64) -> Self {
        Self(COUNTER | cycles)
    }

    /// A value of a mock clock's counter.
    pub(crate) fn mock_counter(cycles: u64) -> Self {
        Self(MOCK_COUNTER | cycles & END)
    }

    /// An instant, counted from one that all stamps share.
    pub(crate) fn monotonic(at: Instant, origin: Instant) -> Self {
        Self(match at.checked_duration_since(origin) {
            Some(after) => ORIGIN.saturating_add(nanos(after)).min(END),
            None => ORIGIN.saturating_sub(nanos(origin.duration_since(at))).max(1),
        })
    }

    /// Whether it was read on the time-stamp counter.
    #[inline]
    pub(crate) fn is_counter(self) -> bool {
        self.0 >= COUNTER
    }

    /// Whether it was read on a mock clock's counter.
    pub(crate) fn is_mock_counter(self) -> bool {
        (MOCK_COUNTER..COUNTER).contains(&self.0)
    }

    /// Whether it is an instant of the monotonic clock.
    pub(crate) fn is_monotonic(self) -> bool {
        self.0 < MOCK_COUNTER
    }

    /// What the clock has counted since an earlier stamp of the same one; `None` if it ran
    /// backwards.
    #[inline]
    pub(crate) fn counted_since(self, start: Self) -> Option<u64> {
        self.0.checked_sub(start.0)
    }
}

/// A duration in whole nanoseconds, capped at `u64::MAX` (584 years).
#[inline]
pub(crate) fn nanos(duration: Duration) -> u64 {
    // Not `as_nanos`: its 128-bit product costs more and is never needed.
    duration
        .as_secs()
        .checked_mul(1_000_000_000)
        .and_then(|nanos| nanos.checked_add(u64::from(duration.subsec_nanos())))
        .unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_instant_is_no_moment() {
        let origin = Instant::now();
        let far = Duration::from_secs(60 * 365 * 86_400);
        for at in [Some(origin), origin.checked_add(far), origin.checked_sub(far)] {
            let Some(at) = at else { continue };
            let stamp = Stamp::monotonic(at, origin);
            assert!(!stamp.is_none());
            assert_eq!(Stamp::from_bits(stamp.to_bits()), stamp);
            assert!(!stamp.is_counter() && !stamp.is_mock_counter());
            let later = Stamp::monotonic(at + Duration::from_nanos(7), origin);
            assert_eq!(later.counted_since(stamp), Some(7));
            assert_eq!(stamp.counted_since(later), None);
        }
    }
}
