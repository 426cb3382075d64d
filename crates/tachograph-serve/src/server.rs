//! The accept loop, and how it ends.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::{AbortHandle, Id, JoinHandle, JoinSet, yield_now};
use tokio::time::{sleep, timeout};

use crate::connection::Protocol;
use crate::scrapes::Scrapes;
use crate::seat::Seat;

/// How long to wait after an accept that failed for want of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections that may wait to be accepted. More are ignored by the kernel, and their clients come
/// back after a second: 128, the usual bound, is less than what a crowd brings at once.
const QUEUE: u32 = 4_096;

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
    places: HashMap<Id, Place>,
    can_leave: Arc<Notify>,
    /// Every connection of an earlier round has been polled since it came.
    round: u64,
}

/// A connection as the others see it.
struct Place {
    seat: Arc<Seat>,
    task: AbortHandle,
    /// The round in which it came.
    round: u64,
}

impl Connections {
    fn new(protocol: Protocol, scrapes: Arc<Scrapes>) -> Self {
        Self {
            protocol,
            scrapes,
            graceful: GracefulShutdown::new(),
            tasks: JoinSet::new(),
            places: HashMap::new(),
            can_leave: Arc::default(),
            round: 0,
        }
    }

    /// Serves until `stop` is sent or dropped.
    async fn run(mut self, listener: TcpListener, mut stop: oneshot::Receiver<()>) {
        // Accepted, but there is no seat yet.
        let mut standing = None;
        loop {
            if let Some(stream) = standing.take() {
                if self.has_room().await {
                    self.seat(stream);
                } else {
                    standing = Some(stream);
                }
            }
            tokio::select! {
                _ = &mut stop => break,
                Some(ended) = self.tasks.join_next_with_id() => {
                    self.places.remove(&ended.map_or_else(|error| error.id(), |(id, ())| id));
                    self.scrapes.note_connections(self.places.len());
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
    async fn has_room(&mut self) -> bool {
        if self.places.len() < self.protocol.limits.connections || self.evict() {
            return true;
        }
        if self.places.values().all(|place| place.round < self.round) {
            return false;
        }
        yield_now().await;
        self.round += 1;
        self.evict()
    }

    /// Has somebody leave. Not who has only come: most ask at once, and are not heard yet.
    fn evict(&mut self) -> bool {
        let heard = self.places.iter().filter(|(_, place)| place.round < self.round);
        let ranks = heard.filter_map(|(id, place)| Some((place.seat.rank()?, *id)));
        let Some((_, first)) = ranks.min_by(|(a, _), (b, _)| a.cmp(b)) else { return false };
        if let Some(place) = self.places.remove(&first) {
            place.task.abort();
            self.scrapes.note_evicted();
        }
        true
    }

    fn seat(&mut self, stream: TcpStream) {
        let seat = Seat::new(Arc::clone(&self.can_leave));
        let watcher = self.graceful.watcher();
        let serving = self.protocol.clone().serve(stream, Arc::clone(&seat), watcher);
        let task = self.tasks.spawn(serving);
        self.places.insert(task.id(), Place { seat, task, round: self.round });
        self.scrapes.note_connections(self.places.len());
    }
}

/// A socket that listens.
pub(crate) fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = match addr {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // So that a program that starts again gets its port back at once. On Windows it would share it.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(QUEUE)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_crowd_may_wait_to_be_accepted() {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).expect("listens");
        let addr = listener.local_addr().expect("bound");
        // Twice what the usual queue takes; who finds no place in it is not answered at all.
        let connect = || std::net::TcpStream::connect_timeout(&addr, Duration::from_secs(5));
        let crowd: Vec<_> = (0..256).map(|_| connect().expect("a place in the queue")).collect();
        for client in &crowd {
            let (_, peer) = listener.accept().await.expect("accepts");
            assert_eq!(peer, client.local_addr().expect("connected"), "first come, first served");
        }
    }
}
