//! Exports for the fuzz targets beyond the public API: the code between a client's bytes and the
//! set. Only for these targets.

use std::io::{self, Read, Write};

use axum::Router;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};

use crate::queries::routes;
use crate::server::ast_server::AstServer;
use crate::service::viewer;
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
    routes::routes(server.clone())
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
