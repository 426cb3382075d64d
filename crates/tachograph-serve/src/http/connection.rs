//! One connection.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::future::poll_immediate;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
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
    /// Its sender is dropped when the server shuts down.
    pub(crate) stopped: watch::Receiver<()>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<Tls>,
}

impl Protocol {
    /// Serves requests until the client leaves, exceeds a limit or has to make room, or until the
    /// server shuts down.
    pub(crate) async fn serve(self, stream: TcpStream, seat: Seat) {
        // Answers are written whole; without this, the last segment waits for an acknowledgement.
        // Err: slower, not wrong.
        let _ = stream.set_nodelay(true);
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
                () = seat.wanted() => self.scrapes.note_evicted(),
            }
            return;
        }
        self.speak(stream, seat).await;
    }

    async fn speak<S>(self, stream: S, seat: Seat)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { router, limits, scrapes, mut stopped, .. } = self;
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
                () = seat.wanted(), if !is_ending && seat.is_taken() => {
                    scrapes.note_evicted();
                    connection.as_mut().graceful_shutdown();
                    if !has_asked || poll_immediate(connection.as_mut()).await.is_some() {
                        return;
                    }
                    // Its answer is still being read: whoever waits for a place needs another.
                    seat.pass_on();
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

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tachograph::MetricsCollector;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::task::yield_now;

    use super::*;
    use crate::live::seat::Seats;

    fn protocol(metrics: &MetricsCollector, stopped: watch::Receiver<()>) -> Protocol {
        let second = Duration::from_secs(1);
        Protocol {
            router: Router::new().route("/", get(|| async { vec![7; 1 << 20] })),
            limits: Limits {
                connections: 1,
                header: second * 10,
                keep_alive: second * 90,
                request: second * 30,
                answer: second * 10,
                drain: second,
            },
            scrapes: Arc::new(Scrapes::new(metrics)),
            stopped,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// A connection of a client that has sent this, and the client.
    async fn connect(protocol: &Protocol, seats: &Seats, sent: &str) -> DuplexStream {
        let (mut client, server) = duplex(1_024);
        tokio::spawn(protocol.clone().speak(server, seats.next().await));
        client.write_all(sent.as_bytes()).await.expect("sent");
        client
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_clients_that_do_not_read_while_another_can_leave() {
        let metrics = MetricsCollector::builder().manual().build();
        let (_running, stopped) = watch::channel(());
        let (protocol, seats) = (protocol(&metrics, stopped), Seats::new(100));
        let mut deaf = Vec::new();
        for _ in 0..98 {
            let mut client = connect(&protocol, &seats, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            client.read_u8().await.expect("an answer has begun");
            deaf.push(client);
        }
        let mut slow = [
            connect(&protocol, &seats, "GET / HTTP/1.1\r\n").await,
            connect(&protocol, &seats, "GET / HTTP/1.1\r\n").await,
        ];
        let begun = Instant::now();
        let _seat = seats.next().await;
        assert_eq!(begun.elapsed(), Duration::ZERO, "without a single pause");
        assert_eq!(slow[0].read(&mut [0]).await.expect("its end"), 0, "it was silent for longest");
        // The other keeps its place, and may still ask.
        slow[1].write_all(b"Host: a\r\n\r\n").await.expect("sent");
        assert_eq!(slow[1].read_u8().await.expect("an answer"), b'H');
        // Those that were asked to leave have 10 s to read their answers.
        for client in &mut deaf {
            yield_now().await;
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.expect("all of it");
            assert!(answer.len() > 1 << 20);
        }
        let evicted = metrics.get_counter("metrics.scrape.evicted").expect("registered");
        assert_eq!(evicted.value, 99);
    }
}
