//! Wall-clock time in the form that exports write.

use std::time::{Duration, SystemTime};

/// The last second that RFC 3339 can write: 9999-12-31T23:59:59Z.
const LAST_SECOND: u64 = 253_402_300_799;

/// Milliseconds since 1970; 0 for earlier times.
pub(crate) fn milliseconds(time: SystemTime) -> u64 {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

/// RFC 3339 in UTC, to the millisecond. Times outside the years 1970 to 9999 are clamped.
pub fn rfc3339(time: SystemTime) -> String {
    // humantime panics before 1970 and fails after 9999, and a wall clock can be set to either.
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let within = since_epoch.min(Duration::from_secs(LAST_SECOND));
    humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + within).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_are_set_to_nonsense_still_have_a_timestamp() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(rfc3339(at(1_764_325_800)), "2025-11-28T10:30:00.000Z");
        assert_eq!(
            rfc3339(SystemTime::UNIX_EPOCH - Duration::from_secs(9)),
            "1970-01-01T00:00:00.000Z"
        );
        assert_eq!(rfc3339(at(LAST_SECOND + 10)), "9999-12-31T23:59:59.000Z");
    }
}
