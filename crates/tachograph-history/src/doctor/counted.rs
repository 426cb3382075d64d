//! Counters that stay at zero while all is well.

use std::collections::BTreeMap;

use super::Severity::{Bad, Note, Warning};
use super::view::View;
use super::{Finding, Severity};

/// A counter that should not change.
struct Event {
    /// The metric's name.
    name: &'static str,
    /// A tag and its value, if only series with it count.
    tag: Option<(&'static str, &'static str)>,
    severity: Severity,
    title: &'static str,
    advice: &'static str,
}

impl Event {
    const fn of(name: &'static str, tag: &'static str, value: &'static str) -> Self {
        Self { tag: Some((tag, value)), ..Self::any(name) }
    }

    const fn any(name: &'static str) -> Self {
        Self { name, tag: None, severity: Severity::Warning, title: "", advice: "" }
    }

    const fn is(self, severity: Severity, title: &'static str, advice: &'static str) -> Self {
        Self { severity, title, advice, ..self }
    }
}

const DROPPED: &str = "telemetry.dropped";
const ATTEMPTS: &str = "metrics.push.attempts";
const UNSENT: &str = "metrics.push.dropped";

const EVENTS: [Event; 24] = [
    Event::of(DROPPED, "reason", "overload").is(
        Bad,
        "samples were dropped: threads recorded faster than they were aggregated",
        "give each thread more blocks (`Builder::lane_blocks`), or see what holds up the background thread",
    ),
    Event::of(DROPPED, "reason", "shutdown").is(
        Note,
        "samples were recorded after the shutdown",
        "shut the collector down after the threads that record have ended",
    ),
    Event::of(DROPPED, "reason", "not_a_number").is(
        Warning,
        "gauges were set to NaN",
        "look for a division by zero before `gauge`",
    ),
    Event::of(DROPPED, "reason", "no_lane").is(
        Bad,
        "samples were dropped: more threads record at once than there are lanes",
        "raise `Builder::max_lanes`, or record from fewer threads",
    ),
    Event::of(DROPPED, "reason", "panicked").is(
        Bad,
        "samples were lost to a panic of the aggregator",
        "this is a mistake in Tachograph: please report it with the warning that it logged",
    ),
    Event::of(DROPPED, "reason", "series_limit").is(
        Bad,
        "new metrics were refused: the limit on metrics or series is reached",
        "raise `Builder::max_metrics` and `Builder::max_series`, or see who makes up names",
    ),
    Event::of(DROPPED, "reason", "kind_conflict").is(
        Bad,
        "samples were dropped: a name is used for two kinds of metric",
        "give one of the two another name; names under `telemetry.` are the collector's own",
    ),
    Event::of(DROPPED, "reason", "foreign_handle").is(
        Bad,
        "samples were dropped: a handle of another collector was used",
        "register the metric with the collector whose recorder takes it",
    ),
    Event::any("telemetry.panics").is(
        Bad,
        "passes of the aggregator panicked",
        "this is a mistake in Tachograph or in a callback: look at the warning that was logged",
    ),
    Event::any("telemetry.coalesced").is(
        Warning,
        "samples were coalesced: their quantiles are within 3.2 %, not 0.05 %",
        "counts, sums, minima and maxima are exact; for finer quantiles raise `Builder::lane_blocks`",
    ),
    Event::any("telemetry.exemplars_dropped").is(
        Note,
        "traces of samples were lost under overload",
        "the samples themselves were counted; raise `Builder::lane_blocks` to keep the traces",
    ),
    Event::any("telemetry.monotonic_decrements").is(
        Warning,
        "a monotonic counter was decremented",
        "register it as an up-down counter, or increment another counter instead",
    ),
    Event::any("telemetry.truncated").is(
        Warning,
        "names or tags were cut, as they are too long",
        "use shorter names, keys and values: cut ones may fall together",
    ),
    Event::any("telemetry.clock.anomalies").is(
        Note,
        "the clock ran backwards, or two clocks differ",
        "timers read the monotonic clock from then on; look at the machine's clock source",
    ),
    Event::of(ATTEMPTS, "outcome", "refused").is(
        Bad,
        "a receiver refuses what is pushed",
        "look at the receiver's log and at its address, path and credentials",
    ),
    Event::of(ATTEMPTS, "outcome", "unanswered").is(
        Bad,
        "a receiver does not answer pushes",
        "see whether it runs and can be reached from this machine",
    ),
    Event::of(ATTEMPTS, "outcome", "later").is(
        Warning,
        "a receiver asks to be sent to later",
        "it is overloaded: push less often, or give it more room",
    ),
    Event::of(UNSENT, "reason", "queue_full").is(
        Bad,
        "payloads were dropped: more wait to be pushed than the queue holds",
        "bring the receiver back, or lengthen the queue",
    ),
    Event::of(UNSENT, "reason", "refused").is(
        Bad,
        "payloads were dropped, as the receiver refused them",
        "look at the receiver's log: sending the same again would not help",
    ),
    Event::of(UNSENT, "reason", "shutdown").is(
        Note,
        "payloads were dropped at the end of a program",
        "give the last push more time before the program ends",
    ),
    Event::of(UNSENT, "reason", "panicked").is(
        Bad,
        "payloads were lost to a panic while pushing",
        "this is a mistake in Tachograph: please report it with the warning that it logged",
    ),
    Event::any("metrics.alerts.failed").is(
        Bad,
        "changes of alerts do not reach a receiver",
        "see whether it runs and takes what it is sent: /alerts has the last error of each",
    ),
    Event::any("metrics.alerts.dropped").is(
        Bad,
        "changes of alerts were given up: a receiver will never get them",
        "bring the receiver back: whoever is to be woken by it was not",
    ),
    Event::any("metrics.push.rejected").is(
        Bad,
        "a receiver takes payloads but leaves data points out",
        "look at the receiver's log for the points that it does not accept",
    ),
];

/// A finding for each of these counters that has counted something.
pub(super) fn events(view: &View<'_>) -> Vec<Finding> {
    EVENTS.iter().filter_map(|event| event.found(view)).collect()
}

impl Event {
    fn found(&self, view: &View<'_>) -> Option<Finding> {
        let fits = |tags: &BTreeMap<String, String>| {
            self.tag.is_none_or(|(key, value)| tags.get(key).is_some_and(|it| it == value))
        };
        let definitions = view.history.definitions();
        let series = definitions.filter(|it| &*it.name == self.name && fits(&it.tags));
        let counted: Vec<_> = series.map(|it| (view.counted(it.number), &it.key)).collect();
        let count: i128 = counted.iter().map(|(count, _)| count).sum();
        let (_, key) = counted.into_iter().max().filter(|_| count > 0)?;
        let of = match view.history.number("telemetry.recorded").map(|it| view.counted(it)) {
            Some(all) if self.name.starts_with("telemetry.") => format!(", beside {all} records"),
            _ => String::new(),
        };
        Some(Finding {
            severity: self.severity,
            title: self.title.to_owned(),
            detail: format!("{count} in {}{of}", view.span()),
            advice: self.advice.to_owned(),
            series: Some(key.to_string()),
        })
    }
}
