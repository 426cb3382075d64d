//! Assertions about what was recorded, whose failures print all of it.

use std::fmt::{self, Display, Write};
use std::time::Duration;

use crate::read::snapshot::{Snapshot, Value};
use crate::read::stats::{CounterStats, GaugeStats, TimingStats};
use crate::run::collector::MetricsCollector;
use crate::series::key;
use crate::series::tags::Tags;

/// Asserts the value of a counter of either kind, after everything recorded before. A failure
/// prints what was recorded.
///
/// A counter that does not exist has counted nothing: its value is 0.
///
/// ```
/// use tachograph::{MetricsCollector, assert_counter};
///
/// let metrics = MetricsCollector::builder().manual().build();
/// metrics.increment_by("events.processed", 3);
/// metrics.with_tags(&[("route", "/")]).increment("requests");
/// assert_counter!(metrics, "events.processed", 3);
/// assert_counter!(metrics, "requests", 1, "route" => "/");
/// assert_counter!(metrics, "errors", 0);
/// ```
#[macro_export]
macro_rules! assert_counter {
    ($metrics:expr, $name:expr, $value:expr $(, $key:literal => $tag:expr)* $(,)?) => {
        $crate::__assert_recorded!(counter, $metrics, $name, [value == $value], [$($key => $tag),*])
    };
}

/// Asserts statistics of a gauge: `current`, `min`, `max`, `mean`, `count`, by any operator; like
/// [`assert_counter!`](crate::assert_counter).
///
/// Those of a gauge that was never set hold in no comparison, except a `count` of 0.
///
/// ```
/// use tachograph::{MetricsCollector, assert_gauge};
///
/// let metrics = MetricsCollector::builder().manual().build();
/// metrics.gauge("queue.depth", 3.0);
/// metrics.gauge("queue.depth", 1.5);
/// assert_gauge!(metrics, "queue.depth", current == 1.5, max == 3.0, count == 2);
/// ```
#[macro_export]
macro_rules! assert_gauge {
    ($metrics:expr, $name:expr $(, $statistic:ident $is:tt $value:expr)+
     $(, $key:literal => $tag:expr)* $(,)?) => {
        $crate::__assert_recorded!(
            gauge, $metrics, $name, [$($statistic $is $value),+], [$($key => $tag),*])
    };
}

/// Asserts statistics of a timing or histogram: `count`, `sum`, `min`, `max`, `mean`, `p50`, `p90`,
/// `p95`, `p99`, `p999`. Each is compared, by any operator, with a number in the metric's unit or,
/// in seconds, with a [`Duration`](std::time::Duration). Like
/// [`assert_counter!`](crate::assert_counter).
///
/// Statistics without samples hold in no comparison, except a `count` of 0.
///
/// ```
/// use std::time::Duration;
/// use tachograph::{MetricsCollector, assert_timing};
///
/// let metrics = MetricsCollector::builder().manual().build();
/// for millis in [1, 2, 9] {
///     metrics.with_tags(&[("route", "/")]).timing("turn", Duration::from_millis(millis));
/// }
/// assert_timing!(metrics, "turn", count == 3, max <= Duration::from_millis(9), "route" => "/");
/// assert_timing!(metrics, "turn", count == 0);
/// ```
#[macro_export]
macro_rules! assert_timing {
    ($metrics:expr, $name:expr $(, $statistic:ident $is:tt $value:expr)+
     $(, $key:literal => $tag:expr)* $(,)?) => {
        $crate::__assert_recorded!(
            timing, $metrics, $name, [$($statistic $is $value),+], [$($key => $tag),*])
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __assert_recorded {
    ($kind:ident, $metrics:expr, $name:expr,
     [$($statistic:ident $is:tt $value:expr),+], [$($key:literal => $tag:expr),*]) => {
        $crate::testing::$kind(&$metrics, $name, &[$(($key, $tag)),*], &[$($crate::testing::Check {
            text: concat!(stringify!($statistic), " ", stringify!($is)),
            wanted: $crate::testing::Number::from($value),
            statistic: |stats| $crate::testing::Statistic::number(&stats.$statistic),
            holds: |actual, wanted| actual $is wanted,
        }),+])
    };
}

/// A value in an assertion.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Number {
    Whole(i128),
    Float(f64),
}

impl Number {
    fn float(self) -> f64 {
        match self {
            Self::Whole(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other).is_some_and(|order| order.is_eq())
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(b)),
            (a, b) => a.float().partial_cmp(&b.float()),
        }
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(value) => value.fmt(f),
            Self::Float(value) => write!(f, "{value:?}"),
        }
    }
}

macro_rules! numbers {
    ($($whole:ty),*) => {$(
        impl From<$whole> for Number {
            fn from(value: $whole) -> Self {
                Self::Whole(value as i128)
            }
        }
    )*};
}

numbers!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, usize);

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<f32> for Number {
    fn from(value: f32) -> Self {
        Self::Float(value.into())
    }
}

/// In seconds, by the same division as timings are reported, so that equal ones are equal.
impl From<Duration> for Number {
    fn from(duration: Duration) -> Self {
        Self::Float(duration.as_nanos() as f64 / 1e9)
    }
}

/// A field of the statistics, which may have no value.
#[doc(hidden)]
pub trait Statistic {
    fn number(&self) -> Option<Number>;
}

impl Statistic for u64 {
    fn number(&self) -> Option<Number> {
        Some((*self).into())
    }
}

impl Statistic for i128 {
    fn number(&self) -> Option<Number> {
        Some((*self).into())
    }
}

impl Statistic for f64 {
    fn number(&self) -> Option<Number> {
        Some((*self).into())
    }
}

impl Statistic for Option<f64> {
    fn number(&self) -> Option<Number> {
        self.map(Number::Float)
    }
}

/// One comparison of an assertion.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Check<S> {
    pub text: &'static str,
    pub wanted: Number,
    pub statistic: fn(&S) -> Option<Number>,
    pub holds: fn(Number, Number) -> bool,
}

macro_rules! assertion {
    ($kind:ident, $stats:ty, $of:ident) => {
        #[doc(hidden)]
        #[track_caller]
        pub fn $kind(
            metrics: &MetricsCollector,
            name: &str,
            tags: &[(&str, &str)],
            checks: &[Check<$stats>],
        ) {
            let snapshot = metrics.get_all_metrics();
            let found = snapshot.find(name, tags).map(|series| &series.value);
            let stats = found.and_then(Value::$of).map(|views| &views.lifetime);
            let is_other = found.is_some() && stats.is_none();
            for check in checks {
                let nothing = || (!is_other).then(|| counted_nothing(check.text)).flatten();
                let actual = stats.map_or_else(nothing, |stats| (check.statistic)(stats));
                if !actual.is_some_and(|actual| (check.holds)(actual, check.wanted)) {
                    let is = match (found.is_some(), actual) {
                        (_, Some(actual)) => actual.to_string(),
                        (true, None) if is_other => concat!("no ", stringify!($kind)).to_owned(),
                        (true, None) => "without a value".to_owned(),
                        (false, None) => "not there".to_owned(),
                    };
                    let key = key::display(name, &Tags::new(tags));
                    let Check { text, wanted, .. } = check;
                    panic!("`{key}`: {text} {wanted}, but it is {is}\n{}", recorded(&snapshot));
                }
            }
        }
    };
}

assertion!(counter, CounterStats, as_counter);
assertion!(gauge, GaugeStats, as_gauge);
assertion!(timing, TimingStats, as_timing);

/// The statistic of a series that does not exist.
fn counted_nothing(text: &str) -> Option<Number> {
    (text.starts_with("value ") || text.starts_with("count ")).then_some(Number::Whole(0))
}

/// The most series that a failure prints.
const SERIES_MAX: usize = 100;

/// Everything recorded, a line for each series.
fn recorded(snapshot: &Snapshot) -> String {
    let own = snapshot.series().iter().filter(|series| !series.metric.is_telemetry());
    let mut text = String::from("recorded were:");
    for series in own.clone().take(SERIES_MAX) {
        let kind = series.metric.kind.name();
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {} ({kind}): ", series.key);
        let _ = match &series.value {
            Value::Timing(views) | Value::Histogram(views) => {
                distribution(&mut text, &views.lifetime)
            }
            Value::Counter(views) | Value::UpDownCounter(views) => {
                write!(text, "{}", views.lifetime.value)
            }
            Value::Gauge(views) => level(&mut text, &views.lifetime),
        };
    }
    match own.count() {
        0 => text.push_str(" nothing"),
        count if count > SERIES_MAX => {
            let _ = write!(text, "\n  and {} more series", count - SERIES_MAX);
        }
        _ => {}
    }
    text
}

fn distribution(text: &mut String, stats: &TimingStats) -> fmt::Result {
    let TimingStats { count, sum, .. } = stats;
    write!(text, "count {count}, sum {sum:?}")?;
    let named = [
        ("min", stats.min),
        ("p50", stats.p50),
        ("p90", stats.p90),
        ("p95", stats.p95),
        ("p99", stats.p99),
        ("p999", stats.p999),
        ("max", stats.max),
    ];
    named.iter().try_for_each(|(name, value)| statistic(text, name, *value))
}

fn level(text: &mut String, stats: &GaugeStats) -> fmt::Result {
    let GaugeStats { current, min, max, mean, count, .. } = stats;
    write!(text, "count {count}")?;
    let named = [("current", current), ("min", min), ("max", max), ("mean", mean)];
    named.iter().try_for_each(|(name, value)| statistic(text, name, **value))
}

fn statistic(text: &mut String, name: &str, value: Option<f64>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(text, ", {name} {value:?}"))
}
