//! Exports for the fuzz targets and the tests beyond the public API: the code between a client's
//! bytes and the set. Only for these.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use tachograph_serve::Endpoint;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};

use crate::queries::routes;
use crate::server::ast_server::AstServer;
use crate::service::event_loop::EventLoop;
use crate::service::viewer;
use crate::udp::socket::Datagram;
use crate::viewers::message::Text;

/// Reads what a viewer sends after its handshake, like its connection and with the same limits,
/// until the input ends or breaks the protocol. Returns the answers, `Err` for input that is not
/// JSON.
#[must_use]
pub fn answers(sent: &[u8]) -> Vec<Result<String, String>> {
    let mut socket = WebSocket::from_raw_socket(Wire(sent), Role::Server, Some(viewer::limits()));
    let requests = std::iter::from_fn(|| socket.read().ok());
    let answers = requests.filter_map(|request| viewer::answer(&request));
    let text = |text: Text| text.as_str().to_owned();
    answers.map(|answer| answer.map(text).map_err(text)).collect()
}

/// The routes for queries over HTTP, without the access checks.
pub fn query_routes(server: &AstServer) -> Router {
    routes::routes(server.clone(), &Endpoint::new(server.metrics().clone()))
}

/// A server's event loop without its socket: datagrams come when the caller says.
#[derive(Debug)]
pub struct Listener {
    server: AstServer,
    event_loop: EventLoop,
}

impl Listener {
    /// The event loop of a server.
    #[must_use]
    pub fn new(server: &AstServer) -> Self {
        let (_, queue) = mpsc::channel(1);
        Self { server: server.clone(), event_loop: EventLoop::new(server.clone(), queue) }
    }

    /// Processes a datagram; `received` is never before that of the previous one.
    pub fn hear(&mut self, source: SocketAddr, bytes: &[u8], received: Instant) {
        let datagram = Datagram {
            bytes: bytes.into(),
            source,
            received,
            waited: Duration::ZERO,
            is_cut: false,
        };
        self.event_loop.datagram(&datagram);
    }

    /// The whole tree as viewers get it.
    ///
    /// # Panics
    /// If no set is loaded.
    #[must_use]
    pub fn tree(&self) -> serde_json::Value {
        let state = self.server.state();
        serde_json::to_value(state.loaded().expect("a set").set().root()).expect("it serialises")
    }

    /// Reads the set's file again if it has to be, as the file's watcher does.
    ///
    /// # Panics
    /// If it cannot be read.
    pub fn look_at_file(&self) {
        self.server.reload().expect("the file is a set");
    }
}

/// A connection whose other end has sent everything it will, and reads everything.
struct Wire<'a>(&'a [u8]);

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
