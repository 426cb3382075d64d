//! Accepts viewers: connections, and the requests that turn them into WebSockets.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use nix::sys::resource::{Resource, getrlimit};
use socket2::SockRef;
use tachograph_serve::Endpoint;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

use super::viewer::{self, Viewer};
use crate::server::ast_server::AstServer;
use crate::viewers::pulse::{Pulse, Watched};

/// The kernel's send buffer for a viewer, inherited by each connection. By default it grows to
/// megabytes, and until it is full, a viewer that reads nothing looks like one that does.
const SEND_BUFFER_BYTES: usize = 256 << 10;
/// Connections that have not sent a request yet; beyond this number the oldest is closed.
const HANDSHAKES_MAX: usize = 256;
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Descriptors for files, listeners and the runtime.
const OWN_DESCRIPTORS: u64 = 32;
/// How often the log says that viewers have to wait.
const TELL_EVERY: Duration = Duration::from_secs(600);
/// The pause after a failed accept, and the wait for a connection to make room.
const PAUSE: Duration = Duration::from_millis(10);
/// The limit for the head of a request.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// A socket that listens for viewers.
pub(crate) fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let listener = tachograph_serve::listen(addr)?;
    SockRef::from(&listener).set_send_buffer_size(SEND_BUFFER_BYTES)?;
    Ok(listener)
}

/// Accepts viewers.
#[derive(Debug)]
pub(crate) struct Door {
    listener: TcpListener,
    desk: Arc<Desk>,
    /// For all connections, viewers included.
    sockets: Arc<Semaphore>,
}

/// The state that all connections share.
#[derive(Debug)]
struct Desk {
    server: AstServer,
    /// Decides who may connect.
    access: Arc<Mutex<Endpoint>>,
    places: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
}

impl Door {
    pub(crate) fn new(
        listener: TcpListener,
        server: AstServer,
        access: Arc<Mutex<Endpoint>>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let places = Arc::new(Semaphore::new(server.settings().clients_max));
        let sockets = Arc::new(Semaphore::new(sockets()));
        Self { listener, desk: Arc::new(Desk { server, access, places, stop }), sockets }
    }

    /// Accepts viewers until it is told to stop.
    pub(crate) async fn serve(&self) {
        let mut stop = self.desk.stop.clone();
        let mut crowd = Crowd::default();
        loop {
            let (stream, peer, socket) = tokio::select! {
                accepted = self.accept(&mut crowd) => accepted,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            let handshake = Arc::clone(&self.desk).shake_hands(stream, peer, socket);
            crowd.handshakes.push_back(tokio::spawn(handshake).abort_handle());
            if crowd.handshakes.len() > HANDSHAKES_MAX
                && let Some(oldest) = crowd.handshakes.pop_front()
            {
                self.close(&oldest);
            }
        }
    }

    /// The next connection and its place. If there is none, the oldest that has sent nothing yet
    /// makes room, so that descriptors remain for everything else.
    async fn accept(
        &self,
        crowd: &mut Crowd,
    ) -> (TcpStream, SocketAddr, Arc<OwnedSemaphorePermit>) {
        let (stream, peer) = loop {
            match self.listener.accept().await {
                Ok(accepted) => break accepted,
                Err(error) => {
                    crowd.tell(&error);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        };
        loop {
            let free = Arc::clone(&self.sockets).acquire_owned();
            // A moment for those that have only just come to send their request.
            if let Ok(Ok(socket)) = timeout(PAUSE, free).await {
                return (stream, peer, Arc::new(socket));
            }
            crowd.tell(&"so many are connected");
            while let Some(oldest) = crowd.handshakes.pop_front() {
                if self.close(&oldest) {
                    break;
                }
            }
        }
    }

    /// Closes a connection, unless it has become a viewer or has ended; returns whether it was
    /// closed.
    fn close(&self, handshake: &AbortHandle) -> bool {
        if handshake.is_finished() {
            return false;
        }
        self.desk.server.handles().client_refused.increment();
        handshake.abort();
        true
    }
}

/// The last connections that came, oldest first; most have become viewers.
#[derive(Debug, Default)]
struct Crowd {
    handshakes: VecDeque<AbortHandle>,
    told: Option<Instant>,
}

impl Crowd {
    /// Says why viewers have to wait, once in a while.
    fn tell(&mut self, reason: &dyn fmt::Display) {
        if self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            self.told = Some(Instant::now());
            tracing::warn!(%reason, "connections of viewers have to wait");
        }
    }
}

/// How many connections there may be: the endpoint takes half of the descriptors, and some are
/// needed for files.
fn sockets() -> usize {
    // Err: the system has no such limit.
    let soft = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    let sockets = (soft / 2).saturating_sub(OWN_DESCRIPTORS).max(soft / 8).max(1);
    usize::try_from(sockets).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS)
}

impl Desk {
    /// Answers a connection's only request. If granted, it continues as a viewer in a separate
    /// task.
    async fn shake_hands(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        socket: Arc<OwnedSemaphorePermit>,
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%peer, %error, "cannot send small messages at once");
        }
        let (stream, pulse) = Watched::new(stream);
        let answer = service_fn(|request| {
            let (pulse, socket) = (Arc::clone(&pulse), Arc::clone(&socket));
            let answer = Arc::clone(&self).answer(request, peer, pulse, socket);
            std::future::ready(Ok::<_, Infallible>(answer))
        });
        let mut http = http1::Builder::new();
        http.max_buf_size(HEAD_BYTES_MAX);
        let connection = http.serve_connection(TokioIo::new(stream), answer).with_upgrades();
        let mut stop = self.stop.clone();
        let done = tokio::select! {
            done = timeout(HANDSHAKE_MAX, connection) => done,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        if !matches!(done, Ok(Ok(()))) {
            self.server.handles().client_refused.increment();
            tracing::debug!(%peer, "a connection did not become a WebSocket");
        }
    }

    fn answer(
        self: Arc<Self>,
        mut request: Request<Incoming>,
        peer: SocketAddr,
        pulse: Arc<Pulse>,
        socket: Arc<OwnedSemaphorePermit>,
    ) -> Response {
        match self.grant(&request) {
            Ok((place, answer)) => {
                let upgrade = hyper::upgrade::on(&mut request);
                tokio::spawn(async move {
                    self.serve(upgrade, peer, pulse).await;
                    drop((place, socket));
                });
                answer
            }
            Err(mut refusal) => {
                refusal.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                self.server.handles().client_refused.increment();
                tracing::debug!(%peer, status = %refusal.status(), "a viewer is refused");
                *refusal
            }
        }
    }

    /// A place and the answer that grants it, or the reason for a refusal.
    fn grant(
        &self,
        request: &Request<Incoming>,
    ) -> Result<(OwnedSemaphorePermit, Response), Box<Response>> {
        let access = self.access.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(refusal) = access.refusal(request.uri(), request.headers()) {
            return Err(refusal.into());
        }
        let answer =
            create_response_with_body(request, Body::empty).map_err(|error| refuse(&error))?;
        let place = Arc::clone(&self.places).try_acquire_owned();
        Ok((place.map_err(|_| full())?, answer))
    }

    async fn serve(self: Arc<Self>, upgrade: OnUpgrade, peer: SocketAddr, pulse: Arc<Pulse>) {
        let mut stop = self.stop.clone();
        let upgraded = tokio::select! {
            upgraded = upgrade => upgraded,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        // Err: it is already gone.
        let Ok(upgraded) = upgraded else { return };
        let Some(socket) = viewer::socket(upgraded).await else { return };
        let viewer = Viewer::new(self.server.clone(), pulse, self.stop.clone());
        let id = viewer.id();
        tracing::info!(%peer, id, "a viewer has connected");
        let end = viewer.run(socket).await;
        tracing::info!(%peer, id, %end, "a viewer has gone");
    }
}

/// The answer to a request that is not for a WebSocket.
fn refuse(error: &WsError) -> Box<Response> {
    let is_plain = matches!(
        error,
        WsError::Protocol(
            ProtocolError::MissingConnectionUpgradeHeader
                | ProtocolError::MissingUpgradeWebSocketHeader
                | ProtocolError::MissingSecWebSocketVersionHeader
        )
    );
    let status = if is_plain { StatusCode::UPGRADE_REQUIRED } else { StatusCode::BAD_REQUEST };
    let mut answer = told(status, format!("viewers connect here, by WebSocket: {error}\n"));
    let headers = answer.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    answer
}

fn full() -> Box<Response> {
    let reason = "all places for viewers are taken: try again later\n".to_owned();
    let mut answer = told(StatusCode::SERVICE_UNAVAILABLE, reason);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("10"));
    answer
}

fn told(status: StatusCode, reason: String) -> Box<Response> {
    let mut answer = Response::new(Body::from(reason));
    *answer.status_mut() = status;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, text);
    Box::new(answer)
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use tokio::io::AsyncReadExt;
    use tokio_tungstenite::client_async;

    use super::*;

    #[tokio::test]
    async fn silent_connections_have_a_limit_and_10_s_and_a_viewer_gets_in_beside_them() {
        const CROWD: usize = HANDSHAKES_MAX + 44;
        let server = AstServer::small();
        let refused = || {
            let stats = server.metrics().get_counter("websocket.client.refused");
            usize::try_from(stats.expect("a counter").value).expect("a count")
        };
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).expect("listens");
        let to = listener.local_addr().expect("bound");
        let access = Arc::new(Mutex::new(Endpoint::new(server.metrics().clone()).listen(to)));
        let (_running, stop) = watch::channel(false);
        let door = Door::new(listener, server.clone(), access, stop);
        tokio::spawn(async move { door.serve().await });

        let start = tokio::time::Instant::now();
        let mut crowd = Vec::new();
        for _ in 0..CROWD {
            crowd.push(TcpStream::connect(to).await.expect("a place in the queue"));
        }
        let stream = TcpStream::connect(to).await.expect("a place in the queue");
        let (mut viewer, _) = client_async(format!("ws://{to}"), stream).await.expect("let in");
        let tree = viewer.next().await.expect("open").expect("a message").to_string();
        assert!(tree.contains("FULL_AST"), "{tree}");
        // The oldest made room for the last and for the viewer; the others still have time.
        let ended = CROWD + 1 - HANDSHAKES_MAX;
        assert_eq!(refused(), ended);
        // From here on time moves only while everything waits.
        tokio::time::pause();
        let second = Duration::from_secs(1);
        tokio::time::sleep_until(start + HANDSHAKE_MAX - second).await;
        assert_eq!(refused(), ended);
        tokio::time::sleep(HANDSHAKE_MAX).await;
        assert_eq!(refused(), CROWD);
        for mut silent in crowd {
            // Err: it was reset.
            assert_eq!(silent.read(&mut [0]).await.unwrap_or(0), 0, "it is closed without a word");
        }
        assert_eq!(server.viewers(), 1, "the viewer stays");
    }
}
