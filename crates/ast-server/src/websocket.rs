//! Viewers: one task for each connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tachograph_serve::Endpoint;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinError;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::header::{CONNECTION, CONTENT_TYPE, ORIGIN, RETRY_AFTER};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes, Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

use crate::hub::Seat;
use crate::message::{self, Text};
use crate::quiet::Quiet;
use crate::server::AstServer;

/// What a viewer may send in one message.
pub(crate) const REQUEST_BYTES_MAX: usize = 64 << 10;
/// A longer message goes out in frames of this size, so that what a connection buffers does not
/// follow the size of the tree.
const FRAME_BYTES_MAX: usize = 64 << 10;
/// What is written to a connection at once.
const WRITE_BUFFER_BYTES: usize = 2 * FRAME_BYTES_MAX;
/// Messages that are taken from a viewer's queue at once.
const BATCH: usize = 64;
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Connections beyond the limit that are told so at a time.
const REFUSALS_MAX: usize = 64;
const CLOSE_MAX: Duration = Duration::from_secs(1);

pub(crate) fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4 << 10)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(2 * WRITE_BUFFER_BYTES)
        .max_message_size(Some(REQUEST_BYTES_MAX))
        .max_frame_size(Some(REQUEST_BYTES_MAX))
}

/// Where viewers come in, and who may.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) listener: TcpListener,
    pub(crate) server: AstServer,
    /// Knows the pages that may connect.
    pub(crate) access: Endpoint,
    pub(crate) stop: watch::Receiver<bool>,
}

/// What a connection is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Admission {
    Seated,
    Full,
}

impl Door {
    /// Takes in viewers until it is told to stop.
    pub(crate) async fn serve(self) {
        let Self { listener, server, access, mut stop } = self;
        let access = Arc::new(access);
        let places = Arc::new(Semaphore::new(server.settings().clients_max));
        let refusals = Arc::new(Semaphore::new(REFUSALS_MAX));
        let mut failures = Quiet::default();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    failures.say(|left_out| {
                        tracing::warn!(%error, left_out, "cannot accept a viewer");
                    });
                    // Out of file descriptors, most likely: that takes a moment to get better.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let seated = Arc::clone(&places).try_acquire_owned().map(|it| (it, Admission::Seated));
            let refused = || Arc::clone(&refusals).try_acquire_owned();
            let Ok((place, admission)) =
                seated.or_else(|_| refused().map(|it| (it, Admission::Full)))
            else {
                // Even those who are to be refused are too many.
                server.handles().client_refused.increment();
                continue;
            };
            let arrival = Arrival { peer, admission, access: Arc::clone(&access) };
            let connection = arrival.receive(stream, server.clone(), stop.clone());
            tokio::spawn(async move {
                connection.await;
                drop(place);
            });
        }
    }
}

/// A connection before its handshake.
struct Arrival {
    peer: SocketAddr,
    admission: Admission,
    access: Arc<Endpoint>,
}

impl Arrival {
    /// One connection, from its handshake to its end.
    async fn receive(self, stream: TcpStream, server: AstServer, stop: watch::Receiver<bool>) {
        let peer = self.peer;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%peer, %error, "cannot send small messages at once");
        }
        let mut stopping = stop.clone();
        #[expect(clippy::result_large_err, reason = "the library's own signature")]
        let check = |request: &Request, answer: Response| match self.refusal(request) {
            None => Ok(answer),
            Some(refusal) => Err(refusal),
        };
        let handshake = accept_hdr_async_with_config(stream, check, Some(limits()));
        let accepted = tokio::select! {
            accepted = timeout(HANDSHAKE_MAX, handshake) => accepted,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        let Ok(Ok(socket)) = accepted else {
            server.handles().client_refused.increment();
            tracing::debug!(%peer, "a connection did not become a WebSocket");
            return;
        };
        let seat = server.state().join();
        let id = seat.id;
        tracing::info!(%peer, id, "a viewer has connected");
        let viewer = Viewer { socket, seat, server: server.clone(), stop };
        let end = viewer.run().await;
        server.state().leave(id);
        tracing::info!(%peer, id, %end, "a viewer has gone");
    }

    /// Why a connection is not to become a viewer's, if it is not.
    fn refusal(&self, request: &Request) -> Option<ErrorResponse> {
        let stranger = request.headers().get_all(ORIGIN).iter();
        let stranger =
            stranger.map(HeaderValue::as_bytes).find(|it| !self.access.allows_origin(it));
        if let Some(origin) = stranger {
            let origin = String::from_utf8_lossy(origin);
            let reason =
                format!("pages from {origin:?} may not connect: allow the host if they should");
            return Some(refuse(StatusCode::FORBIDDEN, reason));
        }
        (self.admission == Admission::Full).then(|| {
            let reason = "all places for viewers are taken: try again later".to_owned();
            refuse(StatusCode::SERVICE_UNAVAILABLE, reason)
        })
    }
}

fn refuse(status: StatusCode, reason: String) -> ErrorResponse {
    let mut answer = ErrorResponse::new(Some(reason));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("10"));
    }
    answer
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("it closed the connection")]
    Closed,
    #[error("it did not read what it was sent")]
    Evicted,
    #[error("the server stops")]
    Stopped,
    #[error("{0}")]
    Failed(#[from] WsError),
    #[error("this is a bug, please report it: {0}")]
    Panicked(#[from] JoinError),
}

struct Viewer {
    socket: WebSocketStream<TcpStream>,
    seat: Seat,
    server: AstServer,
    stop: watch::Receiver<bool>,
}

impl Viewer {
    async fn run(mut self) -> End {
        let Err(end) = self.serve().await;
        if matches!(end, End::Stopped | End::Closed) {
            let _ = timeout(CLOSE_MAX, self.socket.close(None)).await;
        }
        end
    }

    async fn serve(&mut self) -> Result<Infallible, End> {
        let mut batch = vec![self.greeting().await?];
        loop {
            self.write(&mut batch).await?;
            if self.seat.is_lagging() {
                self.server.state().rejoin(&mut self.seat);
                batch.push(self.greeting().await?);
                continue;
            }
            let mut stop = self.stop.clone();
            tokio::select! {
                more = self.seat.take(&mut batch, BATCH) => if !more { return Err(End::Stopped) },
                request = self.socket.next() => batch.extend(self.answer(request)?),
                _ = stop.wait_for(|stop| *stop) => return Err(End::Stopped),
            }
        }
    }

    /// What the viewer is to be sent before the changes that are queued for it.
    async fn greeting(&mut self) -> Result<Text, End> {
        let Some(tree) = self.server.whole_tree(self.seat.baseline).await? else {
            return Ok(message::error("No AST loaded", None));
        };
        self.seat.baseline = tree.version;
        Ok(tree.message)
    }

    /// Writes messages out, unless the viewer does not read for too long while more pile up.
    async fn write(&mut self, batch: &mut Vec<Text>) -> Result<(), End> {
        if batch.is_empty() {
            return Ok(());
        }
        let evict_after = self.server.settings().evict_after;
        let mut lagging = self.seat.lagging();
        let overdue = async move {
            let since = lagging.wait_for(Option::is_some).await.ok().and_then(|since| *since);
            match since {
                Some(since) => tokio::time::sleep_until((since + evict_after).into()).await,
                // The hub is gone, and with it every message to come.
                None => std::future::pending().await,
            }
        };
        let timer = self.server.handles().send_duration.start_owned();
        let mut stop = self.stop.clone();
        tokio::select! {
            written = write_all(&mut self.socket, batch) => {
                timer.stop();
                Ok(written?)
            }
            () = overdue => {
                timer.discard();
                self.server.handles().client_evicted.increment();
                Err(End::Evicted)
            }
            _ = stop.wait_for(|stop| *stop) => {
                timer.discard();
                Err(End::Stopped)
            }
        }
    }

    fn answer(&self, request: Option<Result<Message, WsError>>) -> Result<Option<Text>, End> {
        let request = match request {
            None | Some(Ok(Message::Close(_))) => return Err(End::Closed),
            Some(Err(WsError::ConnectionClosed)) => return Err(End::Closed),
            Some(Err(error)) => return Err(error.into()),
            Some(Ok(request)) => request,
        };
        Ok(answer(&request).map(|answer| {
            answer.unwrap_or_else(|error| {
                self.server.handles().message_invalid.increment();
                error
            })
        }))
    }
}

/// The answer to what a viewer sent, where it is one to answer; `Err` to what is no JSON.
pub(crate) fn answer(request: &Message) -> Option<Result<Text, Text>> {
    match request {
        Message::Text(request) => Some(message::answer(request.as_bytes())),
        Message::Binary(request) => Some(message::answer(request)),
        // The library answers pings by itself.
        _ => None,
    }
}

async fn write_all(
    socket: &mut WebSocketStream<TcpStream>,
    batch: &mut Vec<Text>,
) -> Result<(), WsError> {
    for message in batch.drain(..) {
        for frame in frames(message.into()) {
            socket.feed(frame).await?;
        }
    }
    socket.flush().await
}

/// A message as one frame, or as several that share its bytes.
fn frames(bytes: Bytes) -> impl Iterator<Item = Message> {
    let count = bytes.len().div_ceil(FRAME_BYTES_MAX).max(1);
    (0..count).map(move |number| {
        let (start, is_last) = (number * FRAME_BYTES_MAX, number + 1 == count);
        let end = if is_last { bytes.len() } else { start + FRAME_BYTES_MAX };
        let part = if number == 0 { Data::Text } else { Data::Continue };
        Message::Frame(Frame::message(bytes.slice(start..end), OpCode::Data(part), is_last))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths of a message's frames, what each is, and whether it is the last.
    fn shape(len: usize) -> Vec<(usize, Data, bool)> {
        let frame = |message| match message {
            Message::Frame(frame) => frame,
            other => panic!("no frame: {other:?}"),
        };
        let part = |frame: &Frame| match frame.header().opcode {
            OpCode::Data(part) => part,
            OpCode::Control(other) => panic!("no data: {other:?}"),
        };
        let all = frames("x".repeat(len).into()).map(frame);
        all.map(|frame| (frame.payload().len(), part(&frame), frame.header().is_final)).collect()
    }

    #[test]
    fn long_messages_are_cut_into_frames_and_short_ones_are_not() {
        let max = FRAME_BYTES_MAX;
        assert_eq!(shape(0), [(0, Data::Text, true)]);
        assert_eq!(shape(max), [(max, Data::Text, true)]);
        assert_eq!(shape(max + 1), [(max, Data::Text, false), (1, Data::Continue, true)]);
        let three =
            [(max, Data::Text, false), (max, Data::Continue, false), (max, Data::Continue, true)];
        assert_eq!(shape(3 * max), three);
    }
}
