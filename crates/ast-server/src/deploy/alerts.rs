//! Alerts, each with what it fires on and what it does not.

use std::collections::BTreeMap;

use super::error::DeployError;
use super::names::Names;
use super::pace::Pace;
use super::rules::{Group, Rule, RuleFile};

/// An alert and its examples.
#[derive(Debug)]
pub(super) struct Alert {
    pub(super) name: &'static str,
    /// A template of [`Names::expand`] and [`Pace::fill`].
    expr: &'static str,
    /// Scrapes for which it must hold.
    hold: u32,
    pub(super) severity: &'static str,
    /// What is wrong. Names the instance, if it is about one.
    pub(super) summary: &'static str,
    /// What to look at first.
    pub(super) description: &'static str,
    /// Series on which it fires, at [`EXAMPLE_STEPS`].
    pub(super) fires: &'static [Given],
    /// Series on which it does not: just below a threshold, if there is one.
    pub(super) quiet: &'static [Given],
}

/// A series of an example: its metric, more tags, its values as promtool writes them.
#[derive(Debug)]
pub(super) struct Given(pub(super) &'static str, pub(super) &'static str, pub(super) &'static str);

/// Scrapes in an example.
pub(super) const EXAMPLE_STEPS: u32 = 80;

/// A server that is up.
const UP: Given = Given("up", "", "1x80");
const PAGE: &str = "page";
const TICKET: &str = "ticket";

pub(super) const ALERTS: [Alert; 14] = [
    Alert {
        name: "AstServerDown",
        expr: "${up} == 0",
        hold: 4,
        severity: PAGE,
        summary: "{{ $labels.instance }} does not answer",
        description: "Look whether the process runs and /health answers; its journal has the reason of an exit.",
        fires: &[Given("up", "", "0x80")],
        // Back in time.
        quiet: &[Given("up", "", "1x74 0x3 1x3")],
    },
    Alert {
        name: "AstServersGone",
        expr: "absent(${up})",
        hold: 4,
        severity: PAGE,
        summary: "Prometheus knows no server at all",
        description: "The job has no target: look at scrape_configs, or at the service discovery behind it.",
        fires: &[],
        quiet: &[Given("up", "", "0x80")],
    },
    Alert {
        name: "AstServerRestarts",
        expr: "changes(${process.start_time}[$long]) > 3",
        hold: 0,
        severity: TICKET,
        summary: "{{ $labels.instance }} starts over and over",
        description: "Look at the journal for how it ended, and at its memory before.",
        fires: &[Given("process.start_time", "", "1x59 2x3 3x3 4x3 5x20")],
        quiet: &[Given("process.start_time", "", "1x59 2x3 3x3 4x20")],
    },
    Alert {
        name: "AstServerSlow",
        expr: "${instance:event.processing.duration:p95} > 0.1",
        hold: 8,
        severity: PAGE,
        summary: "One event in twenty takes {{ $labels.instance }} over 100 ms",
        description: "Look at handler_duration_seconds by handler, and at the machine's load.",
        fires: &[Given("instance:event.processing.duration:p95", "", "0.101x80")],
        quiet: &[Given("instance:event.processing.duration:p95", "", "0.1x80")],
    },
    Alert {
        name: "AstServerBehind",
        expr: "${instance:udp.queue.delay:p99} > 0.25",
        hold: 8,
        severity: TICKET,
        summary: "One datagram in a hundred waits over 250 ms in {{ $labels.instance }}",
        description: "The event loop does not keep up: compare the rate of events with event_processing_duration_seconds.",
        fires: &[Given("instance:udp.queue.delay:p99", "", "0.251x80")],
        quiet: &[Given("instance:udp.queue.delay:p99", "", "0.25x80")],
    },
    Alert {
        name: "AstServerLatencyUnknown",
        expr: "${up} == 1 unless on (job, instance) histogram_count(${event.processing.duration})",
        hold: 8,
        severity: TICKET,
        summary: "Prometheus has no native histograms of {{ $labels.instance }}",
        description: "Start Prometheus with --enable-feature=native-histograms; no alert on latency can fire without.",
        fires: &[UP],
        // Native histograms cannot be written into a rule test.
        quiet: &[Given("up", "", "0x80")],
    },
    Alert {
        name: "AstServerPacketLoss",
        expr: "increase(${udp.packet.dropped}[$long]) - increase(${udp.packet.recovered}[$long]) > 100",
        hold: 0,
        severity: PAGE,
        summary: "Over 100 events on their way to {{ $labels.instance }} were lost",
        description: "udp_socket_dropped_total tells whether its own socket overflowed; if not, look at the network and the sender.",
        fires: &[
            Given("udp.packet.dropped", "", "0+5x80"),
            Given("udp.packet.recovered", "", "0+2.4x80"),
        ],
        quiet: &[
            Given("udp.packet.dropped", "", "0+5x80"),
            Given("udp.packet.recovered", "", "0+2.6x80"),
        ],
    },
    Alert {
        name: "AstServerSocketOverflow",
        expr: "increase(${udp.socket.dropped}[$window]) > 0",
        hold: 0,
        severity: TICKET,
        summary: "The kernel dropped datagrams for {{ $labels.instance }}",
        description: "Its receive buffer was full: raise net.core.rmem_max, or find what holds the event loop up.",
        fires: &[Given("udp.socket.dropped", "", "0x70 1x9")],
        quiet: &[Given("udp.socket.dropped", "", "7x80")],
    },
    Alert {
        name: "AstServerErrors",
        expr: "increase(${errors.event_processing}[$long]) > 10",
        hold: 0,
        severity: PAGE,
        summary: "Over 10 events met an internal failure in {{ $labels.instance }}",
        description: "Each is logged with its event; errors_event_processing_by_type_total tells which.",
        fires: &[Given("errors.event_processing", "", "0+0.26x80")],
        quiet: &[Given("errors.event_processing", "", "0+0.24x80")],
    },
    Alert {
        name: "AstServerViewersEvicted",
        expr: "increase(${websocket.client.evicted}[$long]) > 3",
        hold: 0,
        severity: TICKET,
        summary: "{{ $labels.instance }} disconnects viewers that do not read",
        description: "Look at their network; websocket_message_size_bytes tells what they would have to take.",
        fires: &[Given("websocket.client.evicted", "", "0+0.08x80")],
        quiet: &[Given("websocket.client.evicted", "", "0+0.07x80")],
    },
    Alert {
        name: "AstServerAggregatorStalled",
        expr: "increase(${telemetry.passes}[$window]) == 0 and on (job, instance) ${up} == 1",
        hold: 2,
        severity: PAGE,
        summary: "{{ $labels.instance }} answers, but its numbers stand still",
        description: "Its aggregator does not run: all its metrics are old. /health says since when; restart it.",
        fires: &[UP, Given("telemetry.passes", "", "0+150x40 6000x40")],
        quiet: &[UP, Given("telemetry.passes", "", "0+1x80")],
    },
    Alert {
        name: "AstServerAggregatorPanics",
        expr: "increase(${telemetry.panics}[$window]) > 0",
        hold: 0,
        severity: TICKET,
        summary: "A pass of {{ $labels.instance }}'s aggregator panicked",
        description: "Nothing but one sample is lost, and it goes on; it is a bug all the same: the log has its message.",
        fires: &[Given("telemetry.panics", "", "0x70 1x9")],
        quiet: &[Given("telemetry.panics", "", "1x80")],
    },
    Alert {
        name: "AstServerSamplesDropped",
        expr: "sum by (job, instance) (increase(${telemetry.dropped}[$window])) > 0",
        hold: 0,
        severity: TICKET,
        summary: "{{ $labels.instance }} could not record some samples",
        description: "telemetry_dropped_total has the reason: too many series, or an aggregator that was held up.",
        fires: &[
            Given("telemetry.dropped", "reason=\"series_limit\"", "0x70 1x9"),
            Given("telemetry.dropped", "reason=\"shutdown\"", "0x80"),
        ],
        quiet: &[Given("telemetry.dropped", "reason=\"series_limit\"", "5x80")],
    },
    Alert {
        name: "AstServerSeriesLimit",
        expr: "increase(${telemetry.overflowed}[$window]) > 0",
        hold: 0,
        severity: TICKET,
        summary: "A metric of {{ $labels.instance }} has too many series",
        description: "Totals stay exact, but new tags share the series overflow=\"true\": find the tag that has no bound.",
        fires: &[Given("telemetry.overflowed", "", "0x70 1x9")],
        quiet: &[Given("telemetry.overflowed", "", "3x80")],
    },
];

impl Alert {
    /// It is about one server, whose label it has.
    pub(super) fn is_of_instance(&self) -> bool {
        self.summary.contains("$labels.instance")
    }
}

pub(super) fn file(names: &Names, pace: Pace) -> Result<RuleFile, DeployError> {
    let rule = |alert: &Alert| {
        Ok(Rule::Alerting {
            alert: alert.name,
            expr: names.expand(&pace.fill(alert.expr), "")?,
            hold: (alert.hold > 0).then(|| pace.steps(alert.hold)),
            labels: BTreeMap::from([("severity", alert.severity.to_owned())]),
            annotations: BTreeMap::from([
                ("summary", alert.summary.to_owned()),
                ("description", alert.description.to_owned()),
            ]),
        })
    };
    let rules = ALERTS.iter().map(rule).collect::<Result<_, DeployError>>()?;
    Ok(RuleFile { groups: vec![Group { name: "ast-server.alerts", rules }] })
}
