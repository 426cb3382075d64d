//! Findings from counters that stay at zero in a healthy program.

use tachograph::Tags;

use super::Severity::{Bad, Note, Warning};
use super::view::View;
use super::{Finding, Severity};

/// A counter that does not change in a healthy program.
struct Event {
    /// The metric's name.
    name: &'static str,
    /// If set, only series with this tag and value are considered.
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
        "raise `Builder::lane_blocks`, or find out what delays the background thread",
    ),
    Event::of(DROPPED, "reason", "shutdown").is(
        Note,
        "samples were recorded after the collector was shut down",
        "shut the collector down after all recording threads have ended",
    ),
    Event::of(DROPPED, "reason", "not_a_number").is(
        Warning,
        "gauges were set to NaN",
        "look for a division by zero in the values passed to `gauge`",
    ),
    Event::of(DROPPED, "reason", "no_lane").is(
        Bad,
        "samples were dropped: more threads record at the same time than there are lanes",
        "raise `Builder::max_lanes`, or record from fewer threads",
    ),
    Event::of(DROPPED, "reason", "panicked").is(
        Bad,
        "samples were lost because the aggregator panicked",
        "this is a bug in Tachograph: please report it with the warning in the log",
    ),
    Event::of(DROPPED, "reason", "series_limit").is(
        Bad,
        "new metrics were refused: the limit on metrics or series is reached",
        "raise `Builder::max_metrics` and `Builder::max_series`, or find the code that makes up names",
    ),
    Event::of(DROPPED, "reason", "kind_conflict").is(
        Bad,
        "samples were dropped: a name is used for two kinds of metric",
        "rename one of the two metrics; names under `telemetry.` are reserved for the collector",
    ),
    Event::of(DROPPED, "reason", "foreign_handle").is(
        Bad,
        "samples were dropped: a handle of another collector was used",
        "use a handle only with the collector that registered it",
    ),
    Event::any("telemetry.panics").is(
        Bad,
        "passes of the aggregator panicked",
        "this is a bug in Tachograph or in a callback: see the warning in the log",
    ),
    Event::any("telemetry.coalesced").is(
        Warning,
        "samples were coalesced: their quantiles are within 3.2 %, not 0.05 %",
        "counts, sums, minima and maxima are exact; for finer quantiles raise `Builder::lane_blocks`",
    ),
    Event::any("telemetry.exemplars_dropped").is(
        Note,
        "traces of samples were dropped under overload",
        "the samples themselves were counted; raise `Builder::lane_blocks` to keep the traces",
    ),
    Event::any("telemetry.monotonic_decrements").is(
        Warning,
        "a monotonic counter was decremented",
        "register it as an up-down counter, or increment another counter instead",
    ),
    Event::any("telemetry.truncated").is(
        Warning,
        "names or tags were truncated: they are too long",
        "use shorter names, keys and values: different ones may become equal when truncated",
    ),
    Event::any("telemetry.clock.anomalies").is(
        Note,
        "the clock ran backwards, or two clocks differ",
        "timers use the monotonic clock from then on; check the clock source of the machine",
    ),
    Event::of(ATTEMPTS, "outcome", "refused").is(
        Bad,
        "a receiver refuses pushes",
        "check the address, the path and the credentials, and see the log of the receiver",
    ),
    Event::of(ATTEMPTS, "outcome", "unanswered").is(
        Bad,
        "a receiver does not answer pushes",
        "check that it runs and can be reached from this machine",
    ),
    Event::of(ATTEMPTS, "outcome", "later").is(
        Warning,
        "a receiver is overloaded and asks to retry later",
        "push less often, or give the receiver more resources",
    ),
    Event::of(UNSENT, "reason", "queue_full").is(
        Bad,
        "payloads were dropped: the push queue is full",
        "get the receiver running again, or lengthen the queue",
    ),
    Event::of(UNSENT, "reason", "refused").is(
        Bad,
        "payloads were dropped: the receiver refused them",
        "see the log of the receiver; it would refuse the same payload again",
    ),
    Event::of(UNSENT, "reason", "shutdown").is(
        Note,
        "payloads were dropped when the program ended",
        "allow more time for the last push",
    ),
    Event::of(UNSENT, "reason", "panicked").is(
        Bad,
        "payloads were lost because the push panicked",
        "this is a bug in Tachograph: please report it with the warning in the log",
    ),
    Event::any("metrics.alerts.failed").is(
        Bad,
        "alert changes do not reach a sink",
        "check that the sink works; /alerts has the last error of each sink",
    ),
    Event::any("metrics.alerts.dropped").is(
        Bad,
        "alert changes were dropped: a sink will never get them",
        "get the sink working again; nobody was notified of these changes",
    ),
    Event::any("metrics.push.rejected").is(
        Bad,
        "a receiver accepts payloads but rejects some of their data points",
        "see the log of the receiver for the rejected data points",
    ),
];

/// One finding for each of these counters that has increased.
pub(super) fn events(view: &View<'_>) -> Vec<Finding> {
    EVENTS.iter().filter_map(|event| event.found(view)).collect()
}

impl Event {
    fn found(&self, view: &View<'_>) -> Option<Finding> {
        let fits = |tags: &Tags| self.tag.is_none_or(|(key, value)| tags.get(key) == Some(value));
        let definitions = view.history.definitions();
        let series = definitions.filter(|it| &*it.name == self.name && fits(&it.tags));
        let counted: Vec<_> = series.map(|it| (view.counted(it.number), &it.key)).collect();
        let count: i128 = counted.iter().map(|(count, _)| count).sum();
        let (_, key) = counted.into_iter().max().filter(|_| count > 0)?;
        let of = match view.history.number("telemetry.recorded").map(|it| view.counted(it)) {
            Some(all) if self.name.starts_with("telemetry.") => {
                format!(", compared with {all} records")
            }
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

#[cfg(test)]
mod tests {
    use tachograph::DropReason;

    use super::*;

    #[test]
    fn every_reason_for_a_drop_has_a_finding() {
        for reason in DropReason::ALL.map(DropReason::name) {
            let tells = |it: &Event| it.name == DROPPED && it.tag == Some(("reason", reason));
            assert!(EVENTS.iter().any(tells), "no finding tells of the reason `{reason}`");
        }
    }
}
