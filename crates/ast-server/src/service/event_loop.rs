//! The event loop: from datagrams to processed events.

use std::hash::BuildHasher;
use std::net::SocketAddr;
use std::sync::Arc;

use foldhash::fast::RandomState;
use tachograph_loop::LoopMonitor;
use tokio::sync::mpsc;

use crate::events::event::Event;
use crate::events::event_type::EventType;
use crate::metrics::ServerMetrics;
use crate::osc::decode::{Malformed, Message, Packet, decode};
use crate::osc::envelope::Incoming;
use crate::quiet::Quiet;
use crate::server::ast_server::{AstServer, Outcome};
use crate::udp::sequence::{Arrival, SequenceTracker, Stale, Touch, Verdict};
use crate::udp::socket::{DATAGRAM_BYTES_MAX, Datagram};

/// Datagrams taken from the queue at a time.
const BATCH: usize = 256;
/// The size of a gap from which viewers are told.
const GAP_ANNOUNCED: u32 = 5;

/// Takes datagrams from the queue until it is closed and empty.
#[derive(Debug)]
pub(crate) struct EventLoop {
    server: AstServer,
    metrics: Arc<ServerMetrics>,
    queue: mpsc::Receiver<Datagram>,
    sequence: SequenceTracker,
    hasher: RandomState,
    malformed: Quiet,
}

impl EventLoop {
    pub(crate) fn new(server: AstServer, queue: mpsc::Receiver<Datagram>) -> Self {
        let metrics = Arc::clone(server.handles());
        Self {
            server,
            metrics,
            queue,
            sequence: SequenceTracker::default(),
            hasher: RandomState::default(),
            malformed: Quiet::default(),
        }
    }

    /// Blocks; call it on a separate thread.
    pub(crate) fn run(&mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut monitor = LoopMonitor::new(self.server.metrics(), "ast-events");
        while self.queue.blocking_recv_many(&mut batch, BATCH) > 0 {
            let mut turn = monitor.turn();
            turn.events(batch.len() as u64);
            self.metrics.queue_depth.set((batch.len() + self.queue.len()) as f64);
            for datagram in batch.drain(..) {
                self.metrics.queue_delay.record(datagram.waited + datagram.received.elapsed());
                self.datagram(&datagram);
            }
            self.metrics.queue_depth.set(self.queue.len() as f64);
            if let Some(newest) = self.sequence.newest() {
                self.metrics.current_sequence.set(newest.into());
            }
        }
    }

    /// Processes a datagram, completely or not at all.
    pub(crate) fn datagram(&mut self, datagram: &Datagram) {
        if datagram.is_cut {
            let too_long = Malformed::Limit { what: "bytes", limit: DATAGRAM_BYTES_MAX };
            return self.malformed(datagram.source, too_long);
        }
        let packet = match decode(&datagram.bytes) {
            Ok(packet) => packet,
            Err(reason) => return self.malformed(datagram.source, reason),
        };
        match packet {
            Packet::Message(message) => match Incoming::of(&message) {
                Ok(incoming) => self.incoming(datagram, incoming),
                Err(reason) => self.malformed(datagram.source, reason),
            },
            Packet::Bundle(messages) => self.bundle(datagram, &messages),
        }
    }

    fn bundle(&mut self, datagram: &Datagram, messages: &[Message<'_>]) {
        match messages.iter().map(Incoming::of).collect::<Result<Vec<_>, _>>() {
            Ok(all) => all.into_iter().for_each(|incoming| self.incoming(datagram, incoming)),
            Err(reason) => self.malformed(datagram.source, reason),
        }
    }

    fn malformed(&mut self, source: SocketAddr, reason: Malformed) {
        self.metrics.packet_malformed.increment();
        self.malformed.say(|left_out| {
            tracing::warn!(%source, %reason, left_out, "a datagram is malformed");
        });
    }

    // The outcome of an event is counted.
    fn incoming(&mut self, datagram: &Datagram, incoming: Incoming<'_>) {
        match incoming {
            Incoming::BatchMarker => self.metrics.batch_marker.increment(),
            Incoming::Event { seq: None, sent_at, path, args } => {
                let timestamp = sent_at.unwrap_or_default();
                let _ = self.server.process_live_event(path, args, None, timestamp);
            }
            Incoming::Event { seq: Some(seq), sent_at, path, args } => {
                let verdict = self.observe(datagram, seq);
                if verdict == Verdict::Duplicate {
                    return;
                }
                let timestamp = sent_at.unwrap_or_default();
                match EventType::of(path) {
                    Some(event_type) => {
                        let (number, stale) = (seq, Stale::default());
                        let seq = Some(number);
                        let event = Event { event_type, args, seq, timestamp, stale };
                        self.numbered(datagram.source, verdict, number, event);
                    }
                    None => _ = self.server.unhandled(),
                }
            }
        }
    }

    /// Processes a numbered event; nothing of it is applied that newer ones have set.
    fn numbered(&mut self, source: SocketAddr, verdict: Verdict, seq: u32, event: Event<'_>) {
        let touch = Touch::of(event.event_type, event.args);
        let stale = match touch {
            Some(touch) if verdict.is_late() => self.sequence.stale(source, seq, touch),
            _ => Stale::default(),
        };
        if self.server.handle(Event { stale, ..event }) != Outcome::Processed {
            return;
        }
        if !stale.is_empty() {
            self.metrics.packet_superseded.increment();
        }
        // The tree is as if it had arrived in time, unless it moves things that later ones referred
        // to, or refers to something that has moved since.
        if verdict == Verdict::Recovered && !event.event_type.moves_nodes() && !stale.has_moved() {
            self.server.fill_gap();
        }
        if let Some(touch) = touch {
            self.sequence.applied(source, seq, touch);
        }
    }

    /// Counts the verdict on a sequence number.
    fn observe(&mut self, datagram: &Datagram, seq: u32) -> Verdict {
        let hash = self.hasher.hash_one(&datagram.bytes);
        let (source, at) = (datagram.source, datagram.received);
        let verdict = self.sequence.observe(Arrival { source, seq, hash, at });
        match verdict {
            Verdict::First | Verdict::InOrder | Verdict::Early => {}
            Verdict::Recovered => self.metrics.packet_recovered.increment(),
            Verdict::Restart => {
                self.metrics.sequence_restart.increment();
                self.server.start_again();
            }
            Verdict::Duplicate => self.metrics.packet_duplicate.increment(),
            Verdict::Gap { missing } => {
                self.metrics.packet_dropped.increment_by(missing.into());
                self.metrics.sequence_gap.increment();
                self.server.lose(missing);
                if missing >= GAP_ANNOUNCED {
                    self.server.announce_gap(missing, seq);
                }
            }
        }
        verdict
    }
}
