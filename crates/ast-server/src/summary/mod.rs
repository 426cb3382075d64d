//! The summary: a few fields about the health of the server.

// The exporter under its well-known name.
pub(crate) mod exporter;
// The total of each metric name, regardless of tags.
mod totals;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tachograph::{Snapshot, TimingStats, Unit, Value};
use tachograph_export::rfc3339;

use self::totals::Totals;

/// The health of an event server at a glance: lifetime counts and window latencies. Every field
/// exists from the start.
///
/// In JSON the fields have the names they have here. When JSON is read back, missing fields become
/// 0, so a newer reader understands an older writer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// When the snapshot was made: RFC 3339, UTC.
    pub timestamp: String,
    /// Seconds since the collector was created or reset.
    pub uptime_seconds: f64,
    /// The snapshot's version: [`Snapshot::version`].
    pub snapshot_version: u64,
    /// Counts and latencies of events.
    pub event_processing: EventProcessing,
    /// The health of the UDP link.
    pub udp_listener: UdpListener,
    /// WebSocket clients and the messages sent to them.
    pub websocket: WebSocket,
    /// Cache effectiveness.
    pub cache: Cache,
    /// Every counter whose name starts with `errors.`, except those that end in `.by_type`.
    /// `errors.event_processing` is always present.
    pub errors: BTreeMap<String, u64>,
    /// The sum of `errors`.
    pub errors_total: u64,
}

/// Counts and latencies of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventProcessing {
    /// Events that were processed: `events.processed`.
    pub total_processed: u64,
    /// Processing time in the sliding window, from the untagged `event.processing.duration`. 0.0 if
    /// the window is empty; covers the lifetime if the collector has no windows.
    pub latency_ms: LatencyMs,
    /// The same over the lifetime.
    pub latency_ms_lifetime: LatencyMs,
    /// Events received: `events.received`.
    pub received: u64,
    /// Events received while no set was loaded: `events.ignored.no_ast`.
    pub ignored: u64,
    /// Events without a handler: `events.unhandled`.
    pub unhandled: u64,
    /// Events with bad arguments: `events.rejected`.
    pub rejected: u64,
}

/// Quantiles of a latency in milliseconds, to 6 decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LatencyMs {
    /// The median.
    pub p50: f64,
    /// The quantile 0.95.
    pub p95: f64,
    /// The quantile 0.99.
    pub p99: f64,
}

/// The health of the UDP link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UdpListener {
    /// Packets received: `udp.packet.received`.
    pub packets_received: u64,
    /// Packets lost for good: `udp.packet.dropped` minus `udp.packet.recovered`.
    pub packets_dropped: u64,
    /// Gaps in the sequence numbers: `udp.sequence.gap`.
    pub sequence_gaps: u64,
    /// Lost packets as a share of received and lost ones, 0 to 100.
    pub loss_rate_percent: f64,
}

/// WebSocket clients and the messages sent to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebSocket {
    /// Clients connected now: `websocket.clients`, a gauge or a counter.
    pub clients_connected: u64,
    /// `websocket.broadcast.success`.
    pub broadcasts_sent: u64,
    /// `websocket.broadcast.failure`.
    pub broadcasts_failed: u64,
}

/// Cache effectiveness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cache {
    /// `cache.hit` as a share of `cache.hit` + `cache.miss`, 0 to 100, to 1 decimal; 0 without
    /// lookups.
    pub hit_rate_percent: f64,
}

impl Summary {
    /// Computes the summary of a snapshot in one pass over its series.
    ///
    /// Fields are fed by metrics of exactly these names. If a name has no untagged series, its
    /// value is the sum over its tags; negative counts become 0.
    pub fn of(snapshot: &Snapshot) -> Self {
        let totals = Totals::of(snapshot);
        let errors = errors(&totals);
        let (latency_ms, latency_ms_lifetime) = latencies(snapshot, "event.processing.duration");
        Self {
            timestamp: rfc3339(snapshot.timestamp()),
            uptime_seconds: snapshot.uptime().as_secs_f64(),
            snapshot_version: snapshot.version(),
            event_processing: EventProcessing {
                total_processed: totals.get("events.processed"),
                latency_ms,
                latency_ms_lifetime,
                received: totals.get("events.received"),
                ignored: totals.get("events.ignored.no_ast"),
                unhandled: totals.get("events.unhandled"),
                rejected: totals.get("events.rejected"),
            },
            udp_listener: UdpListener::new(
                totals.get("udp.packet.received"),
                totals.get("udp.packet.dropped").saturating_sub(totals.get("udp.packet.recovered")),
                totals.get("udp.sequence.gap"),
            ),
            websocket: WebSocket {
                clients_connected: totals.get("websocket.clients"),
                broadcasts_sent: totals.get("websocket.broadcast.success"),
                broadcasts_failed: totals.get("websocket.broadcast.failure"),
            },
            cache: Cache::new(totals.get("cache.hit"), totals.get("cache.miss")),
            errors_total: errors.values().fold(0, |sum, count| sum.saturating_add(*count)),
            errors,
        }
    }
}

fn errors(totals: &Totals<'_>) -> BTreeMap<String, u64> {
    let mut errors = BTreeMap::from([("errors.event_processing".to_owned(), 0)]);
    let counted = totals.counters("errors.").filter(|(name, _)| !name.ends_with(".by_type"));
    errors.extend(counted.map(|(name, count)| (name.to_owned(), count)));
    errors
}

/// The latencies of a timing, in the window and over the lifetime.
fn latencies(snapshot: &Snapshot, name: &str) -> (LatencyMs, LatencyMs) {
    let series = snapshot.find(name, &[]).filter(|series| series.metric.unit == Unit::Seconds);
    let Some(views) = series.map(|series| &series.value).and_then(Value::as_timing) else {
        return Default::default();
    };
    let window = views.window.as_ref().unwrap_or(&views.lifetime);
    (LatencyMs::of(window), LatencyMs::of(&views.lifetime))
}

impl LatencyMs {
    fn of(stats: &TimingStats) -> Self {
        // Six decimals of a millisecond are nanoseconds.
        let ms = |seconds: Option<f64>| (seconds.unwrap_or(0.0) * 1e9).round() / 1e6;
        Self { p50: ms(stats.p50), p95: ms(stats.p95), p99: ms(stats.p99) }
    }
}

impl UdpListener {
    fn new(packets_received: u64, packets_dropped: u64, sequence_gaps: u64) -> Self {
        let sent = packets_received as f64 + packets_dropped as f64;
        let loss_rate_percent =
            if packets_dropped == 0 { 0.0 } else { packets_dropped as f64 / sent * 100.0 };
        Self { packets_received, packets_dropped, sequence_gaps, loss_rate_percent }
    }
}

impl Cache {
    fn new(hits: u64, misses: u64) -> Self {
        let asked = u128::from(hits) + u128::from(misses);
        // Integer arithmetic, so that half a tenth always rounds up.
        let tenths = (u128::from(hits) * 2_000 + asked).checked_div(asked * 2).unwrap_or(0);
        Self { hit_rate_percent: tenths as f64 / 10.0 }
    }
}
