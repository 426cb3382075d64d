//! The accept loop, and how it ends.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::{AbortHandle, Id, JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::connection::Protocol;
use crate::scrapes::Scrapes;
use crate::seat::Seat;

/// How long to wait after an accept that failed for want of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A running endpoint. Dropping it stops it as well, without waiting for it.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) fn start(
        listener: TcpListener,
        addr: SocketAddr,
        protocol: Protocol,
        scrapes: Arc<Scrapes>,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(Connections::new(protocol, scrapes).run(listener, stopped));
        Self { addr, stop, task }
    }

    /// The address that is listened on, with the port that was chosen.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops listening, closes idle connections and waits for answers that are under way, at most
    /// for the endpoint's [drain timeout](crate::Endpoint::drain_timeout).
    pub async fn shutdown(self) {
        // Err: the loop has ended with its runtime, which is what is asked for.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// All connections of a server.
struct Connections {
    protocol: Protocol,
    scrapes: Arc<Scrapes>,
    graceful: GracefulShutdown,
    tasks: JoinSet<()>,
    seats: HashMap<Id, (Arc<Seat>, AbortHandle)>,
    can_leave: Arc<Notify>,
}

impl Connections {
    fn new(protocol: Protocol, scrapes: Arc<Scrapes>) -> Self {
        Self {
            protocol,
            scrapes,
            graceful: GracefulShutdown::new(),
            tasks: JoinSet::new(),
            seats: HashMap::new(),
            can_leave: Arc::default(),
        }
    }

    /// Serves until `stop` is sent or dropped.
    async fn run(mut self, listener: TcpListener, mut stop: oneshot::Receiver<()>) {
        // Accepted, but there is no seat yet.
        let mut standing = None;
        loop {
            if let Some(stream) = standing.take_if(|_| self.has_room()) {
                self.seat(stream);
            }
            tokio::select! {
                _ = &mut stop => break,
                Some(ended) = self.tasks.join_next_with_id() => {
                    self.seats.remove(&ended.map_or_else(|error| error.id(), |(id, ())| id));
                    self.scrapes.note_connections(self.seats.len());
                }
                stream = accept(&listener), if standing.is_none() => standing = Some(stream),
                () = self.can_leave.notified(), if standing.is_some() => {}
            }
        }
        drop((listener, standing));
        // What is left after the timeout is aborted with the set.
        let _ = timeout(self.protocol.limits.drain, self.graceful.shutdown()).await;
        self.scrapes.note_connections(0);
    }

    /// Whether there is a seat, if need be that of somebody who has to leave for it.
    fn has_room(&mut self) -> bool {
        if self.seats.len() < self.protocol.limits.connections {
            return true;
        }
        let ranks = self.seats.iter().filter_map(|(id, (seat, _))| Some((seat.rank()?, *id)));
        let Some((_, first)) = ranks.min_by(|(a, _), (b, _)| a.cmp(b)) else { return false };
        if let Some((_, task)) = self.seats.remove(&first) {
            task.abort();
            self.scrapes.note_evicted();
        }
        true
    }

    fn seat(&mut self, stream: TcpStream) {
        let seat = Seat::new(Arc::clone(&self.can_leave));
        let watcher = self.graceful.watcher();
        let serving = self.protocol.clone().serve(stream, Arc::clone(&seat), watcher);
        let task = self.tasks.spawn(serving);
        self.seats.insert(task.id(), (seat, task));
        self.scrapes.note_connections(self.seats.len());
    }
}

/// The next connection, however many attempts fail.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // No descriptors, most likely; at once it would fail again, at the cost of a core.
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}
