//! One connection.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Notify, OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep};
use tokio_io_timeout::TimeoutStream;

use crate::http::endpoint::Limits;
#[cfg(feature = "tls")]
use crate::http::tls::Tls;
use crate::live::seat::Seat;
use crate::pages::scrapes::Scrapes;

/// The limit for the head of a request in bytes.
const HEAD_BYTES: usize = 16 * 1024;

/// What every connection of a server is served with.
#[derive(Clone, Debug)]
pub(crate) struct Protocol {
    pub(crate) router: Router,
    pub(crate) limits: Limits,
    pub(crate) scrapes: Arc<Scrapes>,
    /// Wakes the connection that has been without a request for longest, so that it makes room.
    pub(crate) crowded: Arc<Notify>,
    /// Its sender is dropped when the server shuts down.
    pub(crate) stopped: watch::Receiver<()>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<Tls>,
}

impl Protocol {
    /// Serves requests until the client leaves, exceeds a limit or has to make room, or until the
    /// server shuts down.
    pub(crate) async fn serve(self, stream: TcpStream, place: OwnedSemaphorePermit) {
        // Answers are written whole; without this, the last segment waits for an acknowledgement.
        // Err: slower, not wrong.
        let _ = stream.set_nodelay(true);
        let seat = Seat::new(place);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.limits.answer));
        let stream = Box::pin(stream);
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let hands_shaken = tokio::time::timeout(self.limits.header, tls.accept(stream));
            tokio::select! {
                biased;
                // Err: the client gave up, took too long, or does not speak TLS.
                shaken = hands_shaken => if let Ok(Ok(stream)) = shaken {
                    self.speak(stream, seat).await;
                },
                () = self.crowded.notified() => self.scrapes.note_evicted(),
            }
            return;
        }
        self.speak(stream, seat).await;
    }

    async fn speak<S>(self, stream: S, seat: Seat)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { router, limits, scrapes, crowded, mut stopped, .. } = self;
        let routes = TowerToHyperService::new(router);
        let asker = seat.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            asker.ask();
            request.extensions_mut().insert(asker.clone());
            routes.call(request)
        });
        let connection = http1::Builder::new()
            // Without a timer, hyper enforces no time-outs.
            .timer(TokioTimer::new())
            // Runs from the end of the last answer.
            .header_read_timeout(limits.keep_alive)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        // Runs before the first request, and again once the connection is told to end.
        let mut patience = pin!(sleep(limits.header));
        let (mut has_asked, mut is_ending) = (false, false);
        loop {
            tokio::select! {
                // A request that has arrived comes first, then the notice that it was heard.
                biased;
                // Err: the client broke the protocol, a limit or the connection.
                _ = connection.as_mut() => return,
                // The connection goes to the end of the queue, behind all that were heard before.
                () = seat.heard() => has_asked = true,
                () = patience.as_mut(), if !has_asked || is_ending => return,
                () = crowded.notified(), if !is_ending && seat.is_taken() => {
                    scrapes.note_evicted();
                    if !has_asked {
                        return;
                    }
                    is_ending = true;
                }
                // Always Err: the server shuts down.
                _ = stopped.changed(), if !is_ending => is_ending = true,
            }
            if is_ending {
                // A request in progress is still answered completely.
                connection.as_mut().graceful_shutdown();
                patience.as_mut().reset(Instant::now() + ENDING);
            }
        }
    }
}

/// How long a connection that has to make room may take to read its answer.
const ENDING: Duration = Duration::from_secs(10);
