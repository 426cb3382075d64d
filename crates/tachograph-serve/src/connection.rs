//! One connection.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;

use crate::endpoint::Limits;
use crate::write_deadline::WriteDeadline;

/// Bytes that the head of a request may have.
const HEAD_BYTES: usize = 16 * 1024;

/// Serves requests until the client leaves, breaks a limit, or the server shuts down.
pub(crate) async fn serve(stream: TcpStream, router: Router, limits: Limits, watcher: Watcher) {
    // Answers are written whole: without it, the last segment waits for an acknowledgement.
    // Err: slower, not wrong.
    let _ = stream.set_nodelay(true);
    let io = TokioIo::new(WriteDeadline::new(stream, limits.answer));
    let connection = http1::Builder::new()
        // Without a timer, hyper keeps no time-out at all.
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(io, TowerToHyperService::new(router));
    // Err: the client broke the protocol, a limit or the connection. Nothing else is affected.
    let _ = watcher.watch(connection).await;
}
