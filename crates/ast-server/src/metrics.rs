//! Every metric that the server itself records, in one table.
//!
//! The handles are registered once; the per-event paths use them by index.

use tachograph::{Counter, Gauge, Histogram, Kind, MetricsCollector, Tagged, Timing, Unit};

use crate::events::event_type::{EventType, Handler};

/// How a metric is declared.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Declared {
    /// The name.
    pub name: &'static str,
    /// The kind.
    pub kind: Kind,
    /// The key of the tag that distinguishes its series, if it has one.
    pub tag: Option<&'static str>,
    /// The unit.
    pub unit: Unit,
    /// Its description.
    pub description: &'static str,
}

/// Declares the metrics: field, type of handle, name, unit, description.
macro_rules! declare {
    ($($field:ident: $handle:ty = $name:literal, $unit:ident, $text:literal;)*) => {
        /// Handles of everything the server records. [`DECLARED`] describes each.
        #[derive(Debug)]
        pub(crate) struct ServerMetrics {
            $(#[doc = $text] pub(crate) $field: $handle,)*
        }

        /// Every metric that the server itself records. `process.*` and its event loop's `loop.*`
        /// come from `tachograph-loop`.
        pub const DECLARED: &[Declared] = &[
            $(Declared {
                name: $name,
                kind: <$handle as Register>::KIND,
                tag: <$handle as Register>::TAG,
                unit: Unit::$unit,
                description: $text,
            },)*
        ];

        impl ServerMetrics {
            /// Describes and registers all of them.
            pub(crate) fn register(metrics: &MetricsCollector) -> Self {
                for declared in DECLARED {
                    let unit = declared.unit.clone();
                    metrics.describe(declared.name, unit, declared.description);
                }
                Self { $($field: Register::register(metrics, $name),)* }
            }
        }
    };
}

declare! {
    received: Counter = "events.received", None,
        "events that arrived, whatever became of them";
    received_by_type: ByType<Counter> = "events.received.by_type", None,
        "events that arrived, by their path";
    processed: Counter = "events.processed", None,
        "events that were applied";
    processed_by_type: ByType<Counter> = "events.processed.by_type", None,
        "events that were applied, by their path";
    ignored: Counter = "events.ignored.no_ast", None,
        "events that came while no set was loaded";
    unhandled: Counter = "events.unhandled", None,
        "events that nothing handles";
    unhandled_by_type: ByType<Counter> = "events.unhandled.by_type", None,
        "events that nothing handles, by their path";
    rejected: Counter = "events.rejected", None,
        "events with bad arguments, or that point at nothing";
    rejected_by_type: ByType<Counter> = "events.rejected.by_type", None,
        "events with bad arguments, or that point at nothing, by their path";
    errors: Counter = "errors.event_processing", None,
        "events that met an internal failure, which was caught";
    errors_by_type: ByType<Counter> = "errors.event_processing.by_type", None,
        "events that met an internal failure, by their path";
    duration: Timing = "event.processing.duration", Seconds,
        "applying an event and queueing what it changed for the viewers";
    duration_by_type: ByType<Timing> = "event.processing.duration", Seconds,
        "applying an event and queueing what it changed for the viewers";
    handler_duration: ByHandler<Timing> = "handler.duration", Seconds,
        "what a handler took to decode and apply an event";

    packet_received: Counter = "udp.packet.received", None,
        "datagrams read";
    packet_dropped: Counter = "udp.packet.dropped", None,
        "sequence numbers that were missing";
    packet_recovered: Counter = "udp.packet.recovered", None,
        "missing sequence numbers that came late";
    packet_duplicate: Counter = "udp.packet.duplicate", None,
        "sequence numbers that came again; their events were left out";
    packet_superseded: Counter = "udp.packet.superseded", None,
        "late events of which newer ones of their sender had set something, which stayed";
    packet_malformed: Counter = "udp.packet.malformed", None,
        "datagrams that were not what the protocol says; nothing of them was used";
    batch_marker: Counter = "udp.batch.marker", None,
        "starts and ends of batches";
    socket_dropped: Counter = "udp.socket.dropped", None,
        "datagrams that the kernel dropped because the receive buffer was full";
    sequence_gap: Counter = "udp.sequence.gap", None,
        "gaps in the sequence numbers";
    sequence_restart: Counter = "udp.sequence.restart", None,
        "senders that started counting again, or new ones after a silence";
    current_sequence: Gauge = "udp.current_sequence", None,
        "the newest sequence number of the sender that was heard last";
    queue_depth: Gauge = "udp.queue.depth", None,
        "datagrams that wait for the event loop";
    queue_delay: Timing = "udp.queue.delay", Seconds,
        "how long a datagram waited for the event loop, from its arrival at the machine";

    clients: Gauge = "websocket.clients", None,
        "viewers connected";
    broadcast_attempt: Counter = "websocket.broadcast.attempt", None,
        "messages for all viewers, while there was one";
    broadcast_success: Counter = "websocket.broadcast.success", None,
        "messages that every viewer's queue took";
    broadcast_failure: Counter = "websocket.broadcast.failure", None,
        "messages that some viewer's queue had no room for";
    message_size: Histogram = "websocket.message.size", Bytes,
        "size of a message, each counted once however many viewers it is for";
    send_duration: Timing = "websocket.send.duration", Seconds,
        "handing what is queued for a viewer to its connection";
    client_evicted: Counter = "websocket.client.evicted", None,
        "viewers that were disconnected because they did not read";
    client_silent: Counter = "websocket.client.silent", None,
        "viewers that were disconnected because they gave no sign of life";
    client_resynced: Counter = "websocket.client.resynced", None,
        "whole trees that viewers were sent in place of changes they had no room for";
    client_refused: Counter = "websocket.client.refused", None,
        "connections beyond the limit, or that did not become a WebSocket";
    message_invalid: Counter = "websocket.message.invalid", None,
        "messages of viewers that were not JSON";

    cache_hit: Counter = "cache.hit", None,
        "look-ups of tracks and scenes that the cache answered";
    cache_miss: Counter = "cache.miss", None,
        "look-ups that the cache could not answer, those of outdated entries included";
    cache_eviction: Counter = "cache.eviction", None,
        "entries of the cache that gave way to others";
    cache_invalidation: Counter = "cache.invalidation", None,
        "entries of the cache that were found outdated";
    cache_hit_rate: Gauge = "cache.hit_rate", None,
        "look-ups that the cache answered, of all, since the start";

    load_duration: Timing = "project.load.duration", Seconds,
        "reading a set from its file";
    load_failed: Counter = "project.load.failed", None,
        "attempts to read a set that failed, those of half-written files included";
    diff_duration: Timing = "project.diff.duration", Seconds,
        "comparing the set with a file";

    part_restarted: Counter = "process.restarts", None,
        "threads and tasks of the server that panicked and were run again";
    log_dropped: Counter = "process.log.dropped", None,
        "lines of the log that could not be written";
}

/// The construction of a table's field.
trait Register: Sized {
    const KIND: Kind;
    const TAG: Option<&'static str> = None;

    fn register(metrics: &MetricsCollector, name: &str) -> Self;
}

/// A handle of one series.
trait Series: Sized {
    const KIND: Kind;

    fn register(tagged: &Tagged<'_>, name: &str) -> Self;
}

/// Implements both for a type of handle.
macro_rules! handle {
    ($($handle:ident $register:ident;)*) => {
        $(
            impl Series for $handle {
                const KIND: Kind = Kind::$handle;

                fn register(tagged: &Tagged<'_>, name: &str) -> Self {
                    tagged.$register(name)
                }
            }

            impl Register for $handle {
                const KIND: Kind = Kind::$handle;

                fn register(metrics: &MetricsCollector, name: &str) -> Self {
                    metrics.$register(name)
                }
            }
        )*
    };
}

handle! {
    Counter register_counter;
    Gauge register_gauge;
    Histogram register_histogram;
    Timing register_timing;
}

/// A series for each path of the protocol's table, plus one for all other paths.
#[derive(Debug)]
pub(crate) struct ByType<H> {
    known: Vec<H>,
    unknown: H,
}

impl<H> ByType<H> {
    #[inline]
    pub(crate) fn of(&self, event_type: Option<EventType>) -> &H {
        event_type.and_then(|known| self.known.get(known as usize)).unwrap_or(&self.unknown)
    }
}

impl<H: Series> Register for ByType<H> {
    const KIND: Kind = H::KIND;
    const TAG: Option<&'static str> = Some("event_type");

    fn register(metrics: &MetricsCollector, name: &str) -> Self {
        let series = |event_type| {
            let tags = [("event_type", EventType::tag(event_type))];
            H::register(&metrics.with_tags(&tags), name)
        };
        let known = EventType::ALL.iter().map(|&event_type| series(Some(event_type)));
        Self { known: known.collect(), unknown: series(None) }
    }
}

/// A series for each handler.
#[derive(Debug)]
pub(crate) struct ByHandler<H>(Vec<H>);

impl<H> ByHandler<H> {
    #[inline]
    pub(crate) fn of(&self, handler: Handler) -> &H {
        &self.0[handler as usize]
    }
}

impl<H: Series> Register for ByHandler<H> {
    const KIND: Kind = H::KIND;
    const TAG: Option<&'static str> = Some("handler");

    fn register(metrics: &MetricsCollector, name: &str) -> Self {
        let series = |handler: &Handler| {
            H::register(&metrics.with_tags(&[("handler", handler.name())]), name)
        };
        Self(Handler::ALL.iter().map(series).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declared_metric_exists_before_the_first_event() {
        let metrics = MetricsCollector::new();
        let _handles = ServerMetrics::register(&metrics);
        let snapshot = metrics.get_all_metrics();
        for declared in DECLARED {
            let mut series = snapshot.metric(declared.name);
            let found = series.find(|series| match declared.tag {
                Some(tag) => series.key.contains(&format!("[{tag}=")),
                None => *series.key == *declared.name,
            });
            let metric = &found.unwrap_or_else(|| panic!("{declared:?} is missing")).metric;
            assert_eq!((metric.kind, &metric.unit), (declared.kind, &declared.unit));
            assert_eq!(*metric.description, *declared.description);
        }
    }

    #[test]
    fn indices_fit_the_order_of_registration() {
        let metrics = MetricsCollector::new();
        let handles = ServerMetrics::register(&metrics);
        for &event_type in EventType::ALL {
            handles.processed_by_type.of(Some(event_type)).increment();
            let tags = [("event_type", event_type.path())];
            let stats = metrics.with_tags(&tags).get_counter("events.processed.by_type");
            assert_eq!(stats.map(|stats| stats.value), Some(1));
        }
        for &handler in Handler::ALL {
            handles.handler_duration.of(handler).record_ns(1);
            let tags = [("handler", handler.name())];
            let stats = metrics.with_tags(&tags).get_timing("handler.duration");
            assert_eq!(stats.map(|stats| stats.count), Some(1));
        }
    }
}
