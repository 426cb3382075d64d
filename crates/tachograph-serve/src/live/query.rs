//! Times in queries: `?since=10m`, `?from=1764480000&to=-5m&step=30s`.

use std::time::{Duration, SystemTime};

/// The value of a key; the last one if there are several. Empty values do not count.
fn value<'a>(query: &'a str, key: &str) -> Option<&'a str> {
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.rfind(|(name, _)| *name == key).map(|(_, value)| value).filter(|it| !it.is_empty())
}

/// Seconds, as an integer or fraction, or a duration with units, such as `10m` or `1h30m`.
fn duration(text: &str) -> Option<Duration> {
    match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => humantime::parse_duration(text).ok(),
    }
}

/// Reads a duration.
pub(crate) fn span(query: &str, key: &str) -> Result<Option<Duration>, String> {
    let Some(text) = value(query, key) else { return Ok(None) };
    let told = || format!("{key}={text} is not a valid duration: write 90, 30s, 10m or 2h");
    duration(text).map(Some).ok_or_else(told)
}

/// To the nearest microsecond: today's times as a `f64` are up to 0.2 µs off.
fn to_micros(since: Duration) -> Option<Duration> {
    u64::try_from((since.as_nanos() + 500) / 1_000).ok().map(Duration::from_micros)
}

/// Reads a point in time: seconds since 1970, or a minus sign and how long ago.
fn point(query: &str, key: &str, now: SystemTime) -> Result<Option<SystemTime>, String> {
    let Some(text) = value(query, key) else { return Ok(None) };
    let time = match text.strip_prefix('-') {
        Some(ago) => duration(ago).and_then(|ago| now.checked_sub(ago)),
        None => {
            let since = text.parse::<f64>().ok();
            let since = since.and_then(|it| Duration::try_from_secs_f64(it).ok());
            since.and_then(to_micros).and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since))
        }
    };
    let told = || {
        format!(
            "{key}={text} is not a valid time: write seconds since 1970, or -10m for ten minutes ago"
        )
    };
    time.map(Some).ok_or_else(told)
}

/// The parameters of `/history`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    pub(crate) from: SystemTime,
    pub(crate) to: SystemTime,
    /// 0: frames as they are stored.
    pub(crate) step: Duration,
}

impl Range {
    /// Reads the parameters. The default is everything that is stored.
    pub(crate) fn read(query: &str, now: SystemTime) -> Result<Self, String> {
        let from = point(query, "from", now)?.unwrap_or(SystemTime::UNIX_EPOCH);
        let to = point(query, "to", now)?;
        if to.is_some_and(|to| to <= from) {
            return Err("`from` must be before `to`".to_owned());
        }
        let step = span(query, "step")?.unwrap_or_default();
        // Includes a frame that is made now: its time is that of its snapshot.
        Ok(Self { from, to: to.unwrap_or(now + Duration::from_secs(60)), step })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn times_are_seconds_since_1970_or_ago() {
        let read = |query: &str| Range::read(query, at(10_000));
        let whole = read("").expect("all of it");
        assert_eq!((whole.from, whole.step), (at(0), Duration::ZERO));
        assert!(whole.to > at(10_000));
        let range = read("from=-10m&_=1&to=9900&step=30").expect("a range");
        let expected = Range { from: at(9_400), to: at(9_900), step: Duration::from_secs(30) };
        assert_eq!(range, expected);
        assert_eq!(read("from=1&from=-1h").expect("a range").from, at(6_400), "the last one");
    }

    #[test]
    fn a_millisecond_is_the_one_that_was_written() {
        for ms in 0..1_000 {
            let range = Range::read(&format!("from=1764480000.{ms:03}"), at(0)).expect("a range");
            assert_eq!(range.from, at(1_764_480_000) + Duration::from_millis(ms));
        }
    }

    #[test]
    fn an_invalid_range_is_refused_with_a_remedy() {
        for (query, told) in [
            ("from=yesterday", "from=yesterday is not a valid time"),
            ("to=NaN", "to=NaN is not a valid time"),
            ("to=1e300", "to=1e300 is not a valid time"),
            ("from=-", "from=- is not a valid time"),
            ("from=--1", "from=--1 is not a valid time"),
            ("step=-1", "step=-1 is not a valid duration"),
            ("step=inf", "step=inf is not a valid duration"),
            ("from=20&to=10", "`from` must be before `to`"),
            ("from=10&to=10", "`from` must be before `to`"),
        ] {
            let refused = Range::read(query, at(10_000)).expect_err(query);
            assert!(refused.starts_with(told), "{query}: {refused}");
        }
    }
}
