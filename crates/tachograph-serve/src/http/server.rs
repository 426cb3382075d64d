//! The accept loop, and its end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::unfold;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::http::connection::Protocol;
use crate::http::endpoint::Endpoint;
use crate::http::routes::Site;
#[cfg(feature = "tls")]
use crate::http::tls::Tls;
use crate::live::seat::{Seat, Seats};
use crate::live::site::LISTENERS_MAX;
use crate::quiet::Quiet;

/// The pause after a failed accept.
const PAUSE: Duration = Duration::from_millis(10);

/// Connections that may wait to be accepted. The kernel ignores more, and their clients retry after
/// a second; the usual limit of 128 is less than a crowd brings at once.
const QUEUE: u32 = 4_096;

/// A running endpoint. Dropping it also stops it, without waiting.
#[must_use = "an endpoint ends when its handle is dropped"]
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    site: Arc<Site>,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
}

impl Server {
    /// Serves on the current runtime. Dropping `running` ends the connections' waiting.
    pub(crate) fn start(
        listener: TcpListener,
        addr: SocketAddr,
        places: usize,
        site: Arc<Site>,
        protocol: Protocol,
        running: watch::Sender<()>,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        #[cfg(feature = "tls")]
        let tls = protocol.tls.clone();
        let door = Door { listener, seats: Seats::new(places), quiet: Quiet::default() };
        let task = tokio::spawn(run(door, protocol, Arc::clone(&site), running, stopped));
        Self {
            addr,
            stop,
            task,
            site,
            #[cfg(feature = "tls")]
            tls,
        }
    }

    /// From now on applies another endpoint's access control, and its certificate if both speak
    /// HTTPS: for renewing tokens and certificates. Connections stay open, and everything else
    /// stays the same.
    pub fn let_in(&self, endpoint: &Endpoint) {
        self.site.let_in(endpoint.access.clone());
        #[cfg(feature = "tls")]
        if let (Some(present), Some(renewed)) = (&self.tls, &endpoint.tls) {
            present.renew(renewed);
        }
    }

    /// The address it listens on, with the actual port.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops listening, closes idle connections and waits for answers in progress, at most for the
    /// endpoint's [drain timeout](crate::Endpoint::drain_timeout).
    pub async fn shutdown(self) {
        // Err: the loop has ended with its runtime, which is the goal.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// Serves until `stop` is sent or dropped.
async fn run(
    door: Door,
    protocol: Protocol,
    site: Arc<Site>,
    running: watch::Sender<()>,
    mut stop: oneshot::Receiver<()>,
) {
    let (scrapes, drain) = (Arc::clone(&protocol.scrapes), protocol.limits.drain);
    let mut connections = JoinSet::new();
    let entered = unfold(door, async |mut door| Some((door.enter().await, door)));
    let mut entered = Box::pin(entered);
    loop {
        tokio::select! {
            _ = &mut stop => break,
            Some(_) = connections.join_next() => {}
            Some((stream, seat)) = entered.next() => {
                connections.spawn(protocol.clone().serve(stream, seat));
            }
        }
        scrapes.note_connections(connections.len());
    }
    drop((entered, protocol, running));
    site.end_streams();
    let ended = async { while connections.join_next().await.is_some() {} };
    // Connections that remain after the timeout are aborted.
    if timeout(drain, ended).await.is_err() {
        connections.shutdown().await;
    }
    scrapes.note_connections(0);
}

/// The listening socket, and the places behind it.
struct Door {
    listener: TcpListener,
    seats: Seats,
    quiet: Quiet,
}

impl Door {
    /// The next connection, however many attempts fail, with its place.
    async fn enter(&mut self) -> (TcpStream, Seat) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return (stream, self.seats.next().await),
                Err(error) => self.pause(&error).await,
            }
        }
    }

    /// Most likely there are no descriptors or no memory: retrying at once would fail again and use
    /// up a core. A connection that leaves frees a descriptor.
    async fn pause(&mut self, error: &io::Error) {
        if self.quiet.may_speak() {
            tracing::warn!("connections for metrics have to wait: {error}");
        }
        self.seats.make_room();
        sleep(PAUSE).await;
    }
}

/// The maximum number of connections.
pub(crate) fn places(wanted: usize) -> usize {
    wanted.min(descriptors()).clamp(1, Semaphore::MAX_PERMITS)
}

/// The maximum number of listeners in addition.
pub(crate) fn listeners(connections: usize) -> usize {
    LISTENERS_MAX.min(descriptors().saturating_sub(places(connections))).max(1)
}

/// Half of the descriptors that the process may open, which leaves the rest for its files and other
/// connections.
fn descriptors() -> usize {
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, getrlimit};
        // Err: the system has no such limit.
        let soft = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
        usize::try_from(soft / 2).unwrap_or(usize::MAX)
    }
    #[cfg(not(unix))]
    usize::MAX
}

/// A listening socket like an endpoint's, for a server of another kind beside it: 4,096 connections
/// may wait to be accepted, and a restarted program gets its port back at once.
///
/// # Errors
/// If the address cannot be listened on.
///
/// # Panics
/// Outside of a tokio runtime with I/O.
pub fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = match addr {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // On Windows it would share the port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(QUEUE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_crowd_may_wait_to_be_accepted() {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).expect("listens");
        let addr = listener.local_addr().expect("bound");
        // Twice the usual queue; a client that finds no place in it gets no answer at all.
        let connect = || std::net::TcpStream::connect_timeout(&addr, Duration::from_secs(5));
        let crowd: Vec<_> = (0..256).map(|_| connect().expect("a place in the queue")).collect();
        for client in &crowd {
            let (_, peer) = listener.accept().await.expect("accepts");
            assert_eq!(peer, client.local_addr().expect("connected"), "first come, first served");
        }
    }
}
