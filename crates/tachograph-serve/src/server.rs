//! The accept loop, and how it ends.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::connection;
use crate::endpoint::Limits;

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
        router: Router,
        limits: Limits,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(run(listener, router, limits, stopped));
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

/// Serves until `stop` is sent or dropped.
async fn run(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    mut stop: oneshot::Receiver<()>,
) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stop => break,
            Some(_) = connections.join_next() => {}
            stream = accept(&listener), if connections.len() < limits.connections => {
                connections.spawn(connection::serve(
                    stream,
                    router.clone(),
                    limits,
                    graceful.watcher(),
                ));
            }
        }
    }
    drop(listener);
    // What is left after the timeout is aborted with the set.
    let _ = timeout(limits.drain, graceful.shutdown()).await;
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
