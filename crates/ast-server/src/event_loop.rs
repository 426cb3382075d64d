//! The event loop: from datagrams to processed events.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::envelope::Incoming;
use crate::metrics::ServerMetrics;
use crate::osc::{self, Malformed, Message, Packet};
use crate::quiet::Quiet;
use crate::sequence::{SequenceTracker, Verdict};
use crate::server::AstServer;
use crate::udp::Datagram;

/// Datagrams that are taken from the queue at once.
const BATCH: usize = 256;
/// Viewers are told of a gap this wide.
const GAP_ANNOUNCED: u32 = 5;

/// Takes datagrams from the queue until it is closed and empty.
#[derive(Debug)]
pub(crate) struct EventLoop {
    server: AstServer,
    metrics: Arc<ServerMetrics>,
    queue: mpsc::Receiver<Datagram>,
    sequence: SequenceTracker,
    malformed: Quiet,
}

impl EventLoop {
    pub(crate) fn new(server: AstServer, queue: mpsc::Receiver<Datagram>) -> Self {
        let metrics = Arc::clone(server.handles());
        let sequence = SequenceTracker::default();
        Self { server, metrics, queue, sequence, malformed: Quiet::default() }
    }

    /// Blocks; for a thread of its own.
    pub(crate) fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        while self.queue.blocking_recv_many(&mut batch, BATCH) > 0 {
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

    /// Processes all of a datagram, or nothing of it.
    fn datagram(&mut self, datagram: &Datagram) {
        let source = datagram.source;
        let packet = match osc::decode(&datagram.bytes) {
            Ok(packet) if !datagram.is_cut => packet,
            Ok(_) => return self.malformed(source, Malformed::Truncated),
            Err(reason) => return self.malformed(source, reason),
        };
        match packet {
            Packet::Message(message) => match Incoming::of(&message) {
                Ok(incoming) => self.incoming(source, incoming),
                Err(reason) => self.malformed(source, reason),
            },
            Packet::Bundle(messages) => self.bundle(source, &messages),
        }
    }

    fn bundle(&mut self, source: SocketAddr, messages: &[Message<'_>]) {
        match messages.iter().map(Incoming::of).collect::<Result<Vec<_>, _>>() {
            Ok(all) => all.into_iter().for_each(|incoming| self.incoming(source, incoming)),
            Err(reason) => self.malformed(source, reason),
        }
    }

    fn malformed(&mut self, source: SocketAddr, reason: Malformed) {
        self.metrics.packet_malformed.increment();
        self.malformed.say(|left_out| {
            tracing::warn!(%source, %reason, left_out, "a datagram is malformed");
        });
    }

    fn incoming(&mut self, source: SocketAddr, incoming: Incoming<'_>) {
        match incoming {
            Incoming::BatchMarker => self.metrics.batch_marker.increment(),
            Incoming::Event { seq, sent_at, path, args } => {
                if seq.is_none_or(|seq| self.is_new(source, seq)) {
                    let sent_at = sent_at.unwrap_or_default();
                    // What became of it is counted.
                    let _ = self.server.process_live_event(path, args, seq, sent_at);
                }
            }
        }
    }

    /// Counts what a sequence number says; `false` for one that came before.
    fn is_new(&mut self, source: SocketAddr, seq: u32) -> bool {
        match self.sequence.observe(source, seq) {
            Verdict::First | Verdict::InOrder | Verdict::Early => {}
            Verdict::Recovered => self.metrics.packet_recovered.increment(),
            Verdict::Restart => self.metrics.sequence_restart.increment(),
            Verdict::Duplicate => {
                self.metrics.packet_duplicate.increment();
                return false;
            }
            Verdict::Gap { missing } => {
                self.metrics.packet_dropped.increment_by(missing.into());
                self.metrics.sequence_gap.increment();
                if missing >= GAP_ANNOUNCED {
                    self.server.announce_gap(missing, seq);
                }
            }
        }
        true
    }
}
