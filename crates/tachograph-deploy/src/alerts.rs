//! The alerts that every program gets.

use crate::own::{Alert, Given};
use crate::settings::Settings;

/// A series of an instance that is up.
const UP: Given = Given("up", "", "1x80");

/// The alerts of every program, then those of this one.
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
        description: "Check that the process runs and that /health answers. If it exited, its log says why.",
        fires: &[Given("up", "", "0x80")],
        // It is up again in time.
        quiet: &[Given("up", "", "1x74 0x3 1x3")],
    },
    Alert {
        name: "Gone",
        expr: "absent(${up})",
        hold: 4,
        severity: Alert::PAGE,
        summary: "Prometheus has no instance to scrape",
        description: "The job has no target: check scrape_configs and the service discovery that it uses.",
        fires: &[],
        quiet: &[Given("up", "", "0x80")],
    },
    Alert {
        name: "LatencyUnknown",
        expr: "${up} == 1 unless on (job, instance) histogram_count(${telemetry.pass.duration})",
        hold: 8,
        severity: Alert::TICKET,
        summary: "Prometheus gets no native histograms from {{ $labels.instance }}",
        description: "Start Prometheus with --enable-feature=native-histograms; no latency alert can fire without it.",
        fires: &[UP],
        // A rule test cannot contain native histograms.
        quiet: &[Given("up", "", "0x80")],
    },
    Alert {
        name: "AggregatorStalled",
        expr: "increase(${telemetry.passes}[$window]) == 0 and on (job, instance) ${up} == 1",
        hold: 2,
        severity: Alert::PAGE,
        summary: "{{ $labels.instance }} answers, but its metrics do not change",
        description: "Its aggregator has stopped: all its metrics are out of date. /health says since when; restart the program.",
        fires: &[UP, Given("telemetry.passes", "", "0+150x40 6000x40")],
        quiet: &[UP, Given("telemetry.passes", "", "0+1x80")],
    },
    Alert {
        name: "AggregatorPanics",
        expr: "increase(${telemetry.panics}[$window]) > 0",
        hold: 0,
        severity: Alert::TICKET,
        summary: "A pass of {{ $labels.instance }}'s aggregator panicked",
        description: "At most one sample is lost and the aggregator continues, but this is a bug: the log has the message.",
        fires: &[Given("telemetry.panics", "", "0x70 1x9")],
        quiet: &[Given("telemetry.panics", "", "1x80")],
    },
    Alert {
        name: "SamplesDropped",
        expr: "sum by (job, instance) (increase(${telemetry.dropped}[$window])) > 0",
        hold: 0,
        severity: Alert::TICKET,
        summary: "{{ $labels.instance }} lost some samples",
        description: "telemetry_dropped_total has the reason: for example, too many series or a delayed aggregator.",
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
        description: "Totals stay exact, but new tags share the series overflow=\"true\": find the tag with too many values.",
        fires: &[Given("telemetry.overflowed", "", "0x70 1x9")],
        quiet: &[Given("telemetry.overflowed", "", "3x80")],
    },
];
