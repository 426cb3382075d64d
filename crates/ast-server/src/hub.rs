//! The viewers that are connected: a bounded queue each.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, watch};

use crate::message::Text;
use crate::metrics::ServerMetrics;

/// A message in a viewer's queue.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    /// The version of the tree that the message leads to; 0 where it is not about the tree.
    version: u64,
    message: Text,
}

/// The version of messages that are not about the tree.
pub(crate) const UNVERSIONED: u64 = 0;

#[derive(Debug)]
struct Client {
    id: u64,
    queue: mpsc::Sender<Queued>,
    /// Since when the queue is full; such a client is sent nothing until it has caught up.
    lagging: watch::Sender<Option<Instant>>,
}

/// What a connection holds of the hub.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) id: u64,
    queue: mpsc::Receiver<Queued>,
    lagging: watch::Receiver<Option<Instant>>,
    /// The version of the tree that the viewer is sent whole; until that is written, the one at
    /// which the viewer came.
    pub(crate) baseline: u64,
}

#[derive(Debug)]
pub(crate) struct Hub {
    clients: Vec<Client>,
    next_id: u64,
    queue_messages: usize,
    metrics: Arc<ServerMetrics>,
}

impl Hub {
    pub(crate) fn new(queue_messages: usize, metrics: Arc<ServerMetrics>) -> Self {
        Self { clients: Vec::new(), next_id: 0, queue_messages, metrics }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.clients.len()
    }

    /// How many viewers there are whose queue is full.
    pub(crate) fn lagging(&self) -> usize {
        self.clients.iter().filter(|client| client.lagging.borrow().is_some()).count()
    }

    /// Takes in a viewer that is sent the tree of this version or a later one.
    pub(crate) fn join(&mut self, baseline: u64) -> Seat {
        let (queue, receiver) = mpsc::channel(self.queue_messages);
        let (lagging, lagging_seen) = watch::channel(None);
        let id = self.next_id;
        self.next_id += 1;
        self.clients.push(Client { id, queue, lagging });
        self.count_clients();
        Seat { id, queue: receiver, lagging: lagging_seen, baseline }
    }

    pub(crate) fn leave(&mut self, id: u64) {
        self.clients.retain(|client| client.id != id);
        self.count_clients();
    }

    /// A viewer whose queue was full is sent the tree of this version or a later one, and is a
    /// viewer again.
    pub(crate) fn caught_up(&mut self, seat: &mut Seat, version: u64) {
        seat.baseline = version;
        if let Some(client) = self.clients.iter().find(|client| client.id == seat.id) {
            client.lagging.send_replace(None);
        }
    }

    /// Queues a message for everyone. Never waits: a client whose queue is full is marked instead.
    pub(crate) fn broadcast(&mut self, version: u64, message: Text) {
        let mut lost = false;
        for client in &self.clients {
            lost |= !client.offer(version, &message);
        }
        self.metrics.broadcast_attempt.increment();
        if lost {
            self.metrics.broadcast_failure.increment();
        } else {
            self.metrics.broadcast_success.increment();
        }
    }

    fn count_clients(&self) {
        self.metrics.clients.set(self.clients.len() as f64);
    }
}

impl Client {
    /// Says whether the message will be sent.
    fn offer(&self, version: u64, message: &Text) -> bool {
        if self.lagging.borrow().is_some() {
            return false;
        }
        let queued = self.queue.try_send(Queued { version, message: message.clone() });
        if let Err(mpsc::error::TrySendError::Full(_)) = queued {
            self.lagging.send_replace(Some(Instant::now()));
        }
        queued.is_ok()
    }
}

impl Seat {
    /// Waits for messages and takes up to `limit` of them, in their order. `false`: no more come.
    pub(crate) async fn take(&mut self, batch: &mut Vec<Text>, limit: usize) -> bool {
        let mut queued = Vec::new();
        let more = self.queue.recv_many(&mut queued, limit).await > 0;
        let news = queued.into_iter().filter(|queued| queued.is_news(self.baseline));
        batch.extend(news.map(|queued| queued.message));
        more
    }

    /// Whether messages were lost, so that the viewer needs the whole tree.
    pub(crate) fn is_lagging(&self) -> bool {
        self.lagging.borrow().is_some()
    }

    /// Throws away what is queued: the whole tree comes in its place.
    pub(crate) fn discard_queue(&mut self) {
        while self.queue.try_recv().is_ok() {}
    }

    /// A watch of its own on since when the queue is full.
    pub(crate) fn lagging(&self) -> watch::Receiver<Option<Instant>> {
        self.lagging.clone()
    }
}

impl Queued {
    /// What leads to a version that the viewer was sent whole would come twice.
    fn is_news(&self, baseline: u64) -> bool {
        self.version == UNVERSIONED || self.version > baseline
    }
}
