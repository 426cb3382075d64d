//! The connected viewers, each with a mailbox.

use std::sync::Arc;
use std::time::Duration;

use super::mailbox::{Limits, Mailbox};
use super::outgoing::Memory;
use super::pulse::Pulse;
use crate::metrics::ServerMetrics;
use crate::viewers::message::Text;

/// If memory is short, a viewer that has read nothing for this long must go.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Client {
    id: u64,
    mailbox: Arc<Mailbox>,
    pulse: Arc<Pulse>,
}

/// A connection's link to the hub.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) id: u64,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) pulse: Arc<Pulse>,
    /// The version of the tree that the viewer is sent, or a later one.
    pub(crate) baseline: u64,
}

#[derive(Debug)]
pub(crate) struct Hub {
    clients: Vec<Client>,
    next_id: u64,
    limits: Limits,
    memory: Arc<Memory>,
    metrics: Arc<ServerMetrics>,
}

impl Hub {
    pub(crate) fn new(limits: Limits, memory: Arc<Memory>, metrics: Arc<ServerMetrics>) -> Self {
        Self { clients: Vec::new(), next_id: 0, limits, memory, metrics }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.clients.len()
    }

    /// The number of viewers that have lost something and have not been sent the tree yet.
    pub(crate) fn lagging(&self) -> usize {
        self.clients.iter().filter(|client| client.mailbox.has_lost()).count()
    }

    /// Adds a viewer, which is due the tree.
    pub(crate) fn join(&mut self, pulse: Arc<Pulse>, baseline: u64) -> Seat {
        let id = self.next_id;
        self.next_id += 1;
        let mailbox = Arc::new(Mailbox::new(self.limits));
        let client = Client { id, mailbox: Arc::clone(&mailbox), pulse: Arc::clone(&pulse) };
        self.clients.push(client);
        self.count_clients();
        Seat { id, mailbox, pulse, baseline }
    }

    pub(crate) fn leave(&mut self, id: u64) {
        self.clients.retain(|client| client.id != id);
        self.count_clients();
    }

    /// Queues a message for all viewers. Never waits: a viewer without room will be sent the tree.
    pub(crate) fn broadcast(&mut self, version: u64, text: Text) {
        self.metrics.message_size.record(text.len() as u64);
        let message = self.memory.hold(text);
        let offer = |client: &Client| client.mailbox.offer(version, &message);
        // Offers it to every viewer, regardless of the others' results.
        let lost = self.clients.iter().filter(|client| !offer(client)).count();
        self.count_broadcast(lost == 0);
        drop(message);
        if self.memory.is_short() {
            self.relieve();
        }
    }

    /// Sends all viewers the tree in place of their waiting changes.
    pub(crate) fn broadcast_tree(&mut self) {
        self.clients.iter().for_each(|client| client.mailbox.offer_tree());
        self.count_broadcast(true);
    }

    /// Frees memory: viewers that have read nothing for a while must go.
    pub(crate) fn relieve(&self) {
        for client in &self.clients {
            if client.pulse.stalled().is_some_and(|since| since.elapsed() >= PATIENCE) {
                client.mailbox.evict();
            }
        }
    }

    fn count_broadcast(&self, is_whole: bool) {
        self.metrics.broadcast_attempt.increment();
        if is_whole {
            self.metrics.broadcast_success.increment();
        } else {
            self.metrics.broadcast_failure.increment();
        }
    }

    fn count_clients(&self) {
        self.metrics.clients.set(self.clients.len() as f64);
    }
}
