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
use crate::osc::envelope::Incoming;
use crate::osc::packet::{Malformed, Message, Packet, decode};
use crate::quiet::Quiet;
use crate::server::ast_server::{AstServer, Outcome};
use crate::udp::sequence::{Arrival, SequenceTracker, Touch, Verdict};
use crate::udp::socket::Datagram;

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
                self.metrics.queue_delay.record(datagram.received.elapsed());
                self.datagram(&datagram);
            }
            if let Some(newest) = self.sequence.newest() {
                self.metrics.current_sequence.set(newest.into());
            }
        }
    }

    /// Processes a datagram, completely or not at all.
    fn datagram(&mut self, datagram: &Datagram) {
        let packet = match decode(&datagram.bytes) {
            Ok(packet) if !datagram.is_cut => packet,
            Ok(_) => return self.malformed(datagram.source, Malformed::Truncated),
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
                        let (seq, is_superseded) = (Some(seq), false);
                        let event = Event { event_type, args, seq, timestamp, is_superseded };
                        self.numbered(datagram.source, verdict, event);
                    }
                    None => _ = self.server.unhandled(),
                }
            }
        }
    }

    /// Processes a numbered event; it is not applied if it arrived too late.
    fn numbered(&mut self, source: SocketAddr, verdict: Verdict, event: Event<'_>) {
        let numbered = event.seq.zip(Touch::of(event.event_type, event.args));
        let is_superseded = verdict.is_late()
            && numbered.is_some_and(|(seq, it)| self.sequence.is_superseded(source, seq, it));
        let outcome = self.server.handle(Event { is_superseded, ..event });
        if outcome == Outcome::Processed {
            if verdict == Verdict::Recovered && self.is_made_good(source, event, is_superseded) {
                self.server.fill_gap();
            }
            match numbered {
                Some(_) if is_superseded => self.metrics.packet_superseded.increment(),
                Some((seq, touch)) => self.sequence.applied(source, seq, touch),
                None => {}
            }
        }
    }

    /// Whether the tree is as if a late event had arrived in time. It is not if the event moved
    /// things that later ones referred to, or referred to something that has moved since.
    fn is_made_good(&self, source: SocketAddr, event: Event<'_>, is_superseded: bool) -> bool {
        let anything = Touch::Values { place: [0; 3], values: 0 };
        let has_moved =
            || event.seq.is_none_or(|seq| self.sequence.is_superseded(source, seq, anything));
        match event.event_type {
            EventType::DeviceParam => !is_superseded,
            event_type if event_type.moves_nodes() => false,
            _ => !is_superseded || !has_moved(),
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
