//! Alerts, rules and panels that need knowledge of the server.

use tachograph_deploy::{Alert, Given, Own, Panel, Recorded};

pub(super) const OWN: Own = Own { alerts: &ALERTS, recorded: &[LOSS], panels: &PANELS };

const ALERTS: [Alert; 7] = [
    Alert {
        name: "Restarts",
        expr: "changes(${process.start_time}[$long]) > 3",
        hold: 0,
        severity: Alert::TICKET,
        summary: "{{ $labels.instance }} starts over and over",
        description: "Look at the journal for how it ended, and at its memory before.",
        fires: &[Given("process.start_time", "", "1x59 2x3 3x3 4x3 5x20")],
        quiet: &[Given("process.start_time", "", "1x59 2x3 3x3 4x20")],
    },
    Alert {
        name: "Slow",
        expr: "${instance:event.processing.duration:p95} > 0.1",
        hold: 8,
        severity: Alert::PAGE,
        summary: "One event in twenty takes {{ $labels.instance }} over 100 ms",
        description: "Look at handler_duration_seconds by handler, and at the machine's load.",
        fires: &[Given("instance:event.processing.duration:p95", "", "0.101x80")],
        quiet: &[Given("instance:event.processing.duration:p95", "", "0.1x80")],
    },
    Alert {
        name: "Behind",
        expr: "${instance:udp.queue.delay:p99} > 0.25",
        hold: 8,
        severity: Alert::TICKET,
        summary: "One datagram in a hundred waits over 250 ms in {{ $labels.instance }}",
        description: "The event loop does not keep up: compare the rate of events with event_processing_duration_seconds.",
        fires: &[Given("instance:udp.queue.delay:p99", "", "0.251x80")],
        quiet: &[Given("instance:udp.queue.delay:p99", "", "0.25x80")],
    },
    Alert {
        name: "PacketLoss",
        expr: "increase(${udp.packet.dropped}[$long]) - increase(${udp.packet.recovered}[$long]) > 100",
        hold: 0,
        severity: Alert::PAGE,
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
        name: "SocketOverflow",
        expr: "increase(${udp.socket.dropped}[$window]) > 0",
        hold: 0,
        severity: Alert::TICKET,
        summary: "The kernel dropped datagrams for {{ $labels.instance }}",
        description: "Its receive buffer was full: raise net.core.rmem_max, or find what holds the event loop up.",
        fires: &[Given("udp.socket.dropped", "", "0x70 1x9")],
        quiet: &[Given("udp.socket.dropped", "", "7x80")],
    },
    Alert {
        name: "Errors",
        expr: "increase(${errors.event_processing}[$long]) > 10",
        hold: 0,
        severity: Alert::PAGE,
        summary: "Over 10 events met an internal failure in {{ $labels.instance }}",
        description: "Each is logged with its event; errors_event_processing_by_type_total tells which.",
        fires: &[Given("errors.event_processing", "", "0+0.26x80")],
        quiet: &[Given("errors.event_processing", "", "0+0.24x80")],
    },
    Alert {
        name: "ViewersEvicted",
        expr: "increase(${websocket.client.evicted}[$long]) > 3",
        hold: 0,
        severity: Alert::TICKET,
        summary: "{{ $labels.instance }} disconnects viewers that do not read",
        description: "Look at their network; websocket_message_size_bytes tells what they would have to take.",
        fires: &[Given("websocket.client.evicted", "", "0+0.08x80")],
        quiet: &[Given("websocket.client.evicted", "", "0+0.07x80")],
    },
];

/// The share of sequence numbers that never arrived. Late ones that filled a gap are not lost.
const LOSS: Recorded = Recorded {
    name: "instance:udp_packet_loss:ratio",
    expr: "\
(rate(${udp.packet.dropped}[$window]) - rate(${udp.packet.recovered}[$window])) / \
(rate(${udp.packet.received}[$window]) + rate(${udp.packet.dropped}[$window]) - \
rate(${udp.packet.recovered}[$window]))",
    example: "late packets are not lost",
    // Per 100 in a scrape, 12 are missing at first, and 2 of them arrive late.
    given: &[
        Given("udp.packet.received", "", "0+90x80"),
        Given("udp.packet.dropped", "", "0+12x80"),
        Given("udp.packet.recovered", "", "0+2x80"),
    ],
    value: 0.1,
};

const PANELS: [Panel; 7] = [
    Panel {
        title: "Events a second",
        description: "processed, by all servers",
        is_number: true,
        unit: "reqps",
        queries: &[("sum(rate(${events.processed}[$window]))", "")],
    },
    Panel {
        title: "p95 of an event",
        description: "from the buckets of all servers",
        is_number: true,
        unit: "s",
        queries: &[(
            "histogram_quantile(0.95, sum(rate(${event.processing.duration}[$window])))",
            "",
        )],
    },
    Panel {
        title: "Packets lost",
        description: "sequence numbers that never came, in the time shown",
        is_number: true,
        unit: "short",
        queries: &[(
            "sum(increase(${udp.packet.dropped}[$__range])) - sum(increase(${udp.packet.recovered}[$__range]))",
            "",
        )],
    },
    Panel {
        title: "Viewers",
        description: "connected to any server",
        is_number: true,
        unit: "short",
        queries: &[("sum(${websocket.clients})", "")],
    },
    Panel {
        title: "Errors",
        description: "events that met an internal failure, in the time shown",
        is_number: true,
        unit: "short",
        queries: &[("sum(increase(${errors.event_processing}[$__range]))", "")],
    },
    Panel {
        title: "Time an event takes, all servers",
        description: "from the buckets of all servers",
        is_number: false,
        unit: "s",
        queries: &[
            ("histogram_quantile(0.5, sum(rate(${event.processing.duration}[$window])))", "p50"),
            ("histogram_quantile(0.95, sum(rate(${event.processing.duration}[$window])))", "p95"),
            ("histogram_quantile(0.99, sum(rate(${event.processing.duration}[$window])))", "p99"),
        ],
    },
    Panel {
        title: "What becomes of events",
        description: "each is in exactly one class",
        is_number: false,
        unit: "reqps",
        queries: &[
            ("sum(rate(${events.processed}[$window]))", "processed"),
            ("sum(rate(${events.ignored.no_ast}[$window]))", "ignored"),
            ("sum(rate(${events.unhandled}[$window]))", "unhandled"),
            ("sum(rate(${events.rejected}[$window]))", "rejected"),
            ("sum(rate(${errors.event_processing}[$window]))", "errors"),
        ],
    },
];
