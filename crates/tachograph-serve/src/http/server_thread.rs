//! A running endpoint on a separate thread.

use std::net::SocketAddr;
use std::thread::JoinHandle;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::error::Error;
use crate::http::server::Server;
use crate::thread;

/// A running endpoint with its thread. Dropping it also stops it, without waiting.
#[must_use = "an endpoint ends when its handle is dropped"]
#[derive(Debug)]
pub struct ServerThread {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl ServerThread {
    pub(crate) fn start(runtime: Runtime, server: Server) -> Result<Self, Error> {
        let addr = server.addr();
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = async move {
            // Err: the handle was dropped, which also stops it.
            let _ = stopped.await;
            server.shutdown().await;
        };
        let thread = thread::spawn("tachograph-serve", runtime, serve).map_err(Error::thread)?;
        Ok(Self { addr, stop, thread })
    }

    /// The address it listens on, with the actual port.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops listening, closes idle connections and waits for answers in progress, at most for the
    /// endpoint's [drain timeout](crate::Endpoint::drain_timeout). Returns when the thread has
    /// ended; it blocks, so do not call it from async code.
    pub fn shutdown(self) {
        // Err: the thread has already ended.
        let _ = self.stop.send(());
        // Err: the panic hook has reported the reason.
        let _ = self.thread.join();
    }
}
