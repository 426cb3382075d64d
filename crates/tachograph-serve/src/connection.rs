//! One connection.

use std::sync::Arc;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::endpoint::Limits;
use crate::seat::Seat;
#[cfg(feature = "tls")]
use crate::tls::Tls;
use crate::write_deadline::WriteDeadline;

/// Bytes that the head of a request may have.
const HEAD_BYTES: usize = 16 * 1024;

/// What every connection of a server is served with.
#[derive(Clone, Debug)]
pub(crate) struct Protocol {
    pub(crate) router: Router,
    pub(crate) limits: Limits,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<Tls>,
}

impl Protocol {
    /// Serves requests until the client leaves, breaks a limit, or the server shuts down.
    pub(crate) async fn serve(self, stream: TcpStream, seat: Arc<Seat>, watcher: Watcher) {
        // Answers are written whole: without it, the last segment waits for an acknowledgement.
        // Err: slower, not wrong.
        let _ = stream.set_nodelay(true);
        let stream = WriteDeadline::new(stream, self.limits.answer, Arc::clone(&seat));
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            // Err: the client gave up, took too long or speaks no TLS.
            let hands_shaken = tokio::time::timeout(self.limits.header, tls.accept(stream)).await;
            if let Ok(Ok(stream)) = hands_shaken {
                self.speak(stream, seat, watcher).await;
            }
            return;
        }
        self.speak(stream, seat, watcher).await;
    }

    async fn speak<S>(self, stream: S, seat: Arc<Seat>, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let routes = TowerToHyperService::new(self.router);
        let service = service_fn(move |request: Request<Incoming>| {
            let (asked, answer) = (seat.ask(), routes.call(request));
            async move {
                let answer = answer.await;
                drop(asked);
                answer
            }
        });
        let connection = http1::Builder::new()
            // Without a timer, hyper keeps no time-out at all.
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        // Err: the client broke the protocol, a limit or the connection. Nothing else is affected.
        let _ = watcher.watch(connection).await;
    }
}
