//! The alerts that every program with a collector gets.

use crate::own::{Alert, Given};
use crate::settings::Settings;

/// An instance that is up.
const UP: Given = Given("up", "", "1x80");

/// Every program's, then its own.
pub(crate) fn all(settings: &Settings) -> Vec<Alert> {
    COMMON.iter().chain(settings.own.alerts).copied().collect()
}

const COMMON: [Alert; 7] = [
    Alert {
        name: "Down",
        expr: "${up} == 0",
        hold: 4,
        severity: Alert::PAGE,
        summary: "{{ $labels.instance }} does not answer",
        description: "Look whether the process runs and /health answers; its log has the reason of an exit.",
        fires: &[Given("up", "", "0x80")],
        // Back in time.
        quiet: &[Given("up", "", "1x74 0x3 1x3")],
    },
    Alert {
        name: "Gone",
        expr: "absent(${up})",
        hold: 4,
        severity: Alert::PAGE,
        summary: "Prometheus knows no instance at all",
        description: "The job has no target: look at scrape_configs, or at the service discovery behind it.",
        fires: &[],
        quiet: &[Given("up", "", "0x80")],
    },
    Alert {
        name: "LatencyUnknown",
        expr: "${up} == 1 unless on (job, instance) histogram_count(${telemetry.pass.duration})",
        hold: 8,
        severity: Alert::TICKET,
        summary: "Prometheus has no native histograms of {{ $labels.instance }}",
        description: "Start Prometheus with --enable-feature=native-histograms; no alert on latency can fire without.",
        fires: &[UP],
        // Native histograms cannot be written into a rule test.
        quiet: &[Given("up", "", "0x80")],
    },
    Alert {
        name: "AggregatorStalled",
        expr: "increase(${telemetry.passes}[$window]) == 0 and on (job, instance) ${up} == 1",
        hold: 2,
        severity: Alert::PAGE,
        summary: "{{ $labels.instance }} answers, but its numbers stand still",
        description: "Its aggregator does not run: all its metrics are old. /health says since when; restart it.",
        fires: &[UP, Given("telemetry.passes", "", "0+150x40 6000x40")],
        quiet: &[UP, Given("telemetry.passes", "", "0+1x80")],
    },
    Alert {
        name: "AggregatorPanics",
        expr: "increase(${telemetry.panics}[$window]) > 0",
        hold: 0,
        severity: Alert::TICKET,
        summary: "A pass of {{ $labels.instance }}'s aggregator panicked",
        description: "At most one sample is lost, and it goes on; it is a bug all the same: the log has its message.",
        fires: &[Given("telemetry.panics", "", "0x70 1x9")],
        quiet: &[Given("telemetry.panics", "", "1x80")],
    },
    Alert {
        name: "SamplesDropped",
        expr: "sum by (job, instance) (increase(${telemetry.dropped}[$window])) > 0",
        hold: 0,
        severity: Alert::TICKET,
        summary: "{{ $labels.instance }} could not record some samples",
        description: "telemetry_dropped_total has the reason: too many series, or an aggregator that was held up.",
        fires: &[
            Given("telemetry.dropped", "reason=\"series_limit\"", "0x70 1x9"),
            Given("telemetry.dropped", "reason=\"shutdown\"", "0x80"),
        ],
        quiet: &[Given("telemetry.dropped", "reason=\"series_limit\"", "5x80")],
    },
    Alert {
        name: "SeriesLimit",
        expr: "increase(${telemetry.overflowed}[$window]) > 0",
        hold: 0,
        severity: Alert::TICKET,
        summary: "A metric of {{ $labels.instance }} has too many series",
        description: "Totals stay exact, but new tags share the series overflow=\"true\": find the tag that has no bound.",
        fires: &[Given("telemetry.overflowed", "", "0x70 1x9")],
        quiet: &[Given("telemetry.overflowed", "", "3x80")],
    },
];
