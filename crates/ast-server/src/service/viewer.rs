//! One viewer, from the handshake to the end of its connection.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinError;
use tokio::time::{MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error as WsError, Message};

use crate::server::ast_server::AstServer;
use crate::viewers::hub::Seat;
use crate::viewers::mailbox::Next;
use crate::viewers::message::{self, Text};
use crate::viewers::outgoing::Outgoing;
use crate::viewers::pulse::{Pulse, Watched};

/// The limit for one message from a viewer.
pub(crate) const REQUEST_BYTES_MAX: usize = 64 << 10;
/// Longer messages are sent in frames of this size, so that the memory a connection buffers does
/// not grow with the tree.
const FRAME_BYTES_MAX: usize = 32 << 10;
/// How long ending a connection may take, and how long it may be without progress before that.
const CLOSE_MAX: Duration = Duration::from_secs(3);
const CLOSE_STALL_MAX: Duration = Duration::from_secs(1);
/// The limit for input read and discarded at the end: what the other side sent before it knew.
const DRAIN_BYTES_MAX: u64 = 1 << 20;

pub(crate) type Connection = Watched<TcpStream>;
type Socket = WebSocketStream<Connection>;

pub(crate) fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4 << 10)
        .write_buffer_size(FRAME_BYTES_MAX)
        .max_write_buffer_size(3 * FRAME_BYTES_MAX)
        .max_message_size(Some(REQUEST_BYTES_MAX))
        .max_frame_size(Some(REQUEST_BYTES_MAX))
}

/// The WebSocket on a connection after its HTTP upgrade.
pub(crate) async fn socket(upgraded: Upgraded) -> Option<Socket> {
    // Err: another type of connection, which the door never creates.
    let parts = upgraded.downcast::<TokioIo<Connection>>().ok()?;
    let (stream, read) = (parts.io.into_inner(), parts.read_buf.to_vec());
    Some(WebSocketStream::from_partially_read(stream, read, Role::Server, Some(limits())).await)
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum End {
    #[error("it closed the connection")]
    Closed,
    #[error("it did not read what it was sent")]
    Evicted,
    #[error("it gave no sign of life")]
    Silent,
    #[error("the server stops")]
    Stopped,
    #[error("{0}")]
    Failed(#[from] WsError),
    #[error("this is a bug, please report it: {0}")]
    Panicked(#[from] JoinError),
}

impl End {
    /// The close frame for the other side, if it may be listening.
    fn goodbye(&self) -> Option<CloseFrame> {
        let code = match self {
            Self::Stopped => CloseCode::Away,
            Self::Panicked(_) => CloseCode::Error,
            Self::Failed(WsError::Capacity(_)) => CloseCode::Size,
            Self::Failed(WsError::Utf8(_)) => CloseCode::Invalid,
            Self::Failed(WsError::Protocol(_)) => CloseCode::Protocol,
            Self::Closed | Self::Evicted | Self::Silent | Self::Failed(_) => return None,
        };
        // A close frame holds 123 bytes of text.
        let reason: String = self.to_string().chars().filter(char::is_ascii).take(123).collect();
        Some(CloseFrame { code, reason: reason.into() })
    }

    /// Whether the connection can still be used.
    const fn is_open(&self) -> bool {
        !matches!(self, Self::Evicted | Self::Silent | Self::Failed(WsError::Io(_)))
    }
}

/// One viewer: what it is sent, and what keeps it connected.
#[derive(Debug)]
pub(crate) struct Viewer {
    seat: Seat,
    server: AstServer,
    stop: watch::Receiver<bool>,
}

impl Viewer {
    pub(crate) fn new(server: AstServer, pulse: Arc<Pulse>, stop: watch::Receiver<bool>) -> Self {
        let seat = server.state().join(pulse);
        Self { seat, server, stop }
    }

    pub(crate) const fn id(&self) -> u64 {
        self.seat.id
    }

    /// Serves the connection until it ends. It reads while writing, so that pings, pongs and the
    /// end are seen however long a tree takes.
    pub(crate) async fn run(mut self, socket: Socket) -> End {
        let settings = self.server.settings();
        let (evict_after, ping_timeout) = (settings.evict_after, settings.ping_timeout);
        let (mailbox, pulse) = (Arc::clone(&self.seat.mailbox), Arc::clone(&self.seat.pulse));
        let (server, mut stop) = (self.server.clone(), self.stop.clone());
        let (mut sink, mut stream) = socket.split();
        let (answers, answered) = mpsc::channel(1);
        let end = tokio::select! {
            end = self.write(&mut sink, answered) => end,
            end = read(&mut stream, &answers, &server) => end,
            () = pulse.has_stalled(evict_after) => End::Evicted,
            () = mailbox.evicted() => End::Evicted,
            () = pulse.has_stopped(ping_timeout) => End::Silent,
            _ = stop.wait_for(|stop| *stop) => End::Stopped,
        };
        match end {
            End::Evicted => server.handles().client_evicted.increment(),
            End::Silent => server.handles().client_silent.increment(),
            _ => {}
        }
        // Its queue is not needed during the goodbye.
        drop((self, answers));
        if let Ok(socket) = sink.reunite(stream)
            && end.is_open()
        {
            let closing = timeout(CLOSE_MAX, close(socket, &end));
            tokio::select! {
                _ = closing => {}
                () = pulse.has_stopped(CLOSE_STALL_MAX) => {}
            }
        }
        end
    }

    async fn write(
        &mut self,
        sink: &mut SplitSink<Socket, Message>,
        mut answers: mpsc::Receiver<Outgoing>,
    ) -> End {
        let Err(end) = self.try_write(sink, &mut answers).await;
        end
    }

    async fn try_write(
        &mut self,
        sink: &mut SplitSink<Socket, Message>,
        answers: &mut mpsc::Receiver<Outgoing>,
    ) -> Result<Infallible, End> {
        let every = self.server.settings().ping_every;
        let mut pings = interval_at((Instant::now() + every).into(), every);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let messages = tokio::select! {
                next = self.seat.mailbox.next(self.seat.baseline) => match next {
                    Next::Messages(messages) => messages,
                    Next::Tree => self.tree().await?.into_iter().collect(),
                },
                Some(answer) = answers.recv() => vec![answer],
                _ = pings.tick() => {
                    sink.send(Message::Ping(Bytes::new())).await?;
                    continue;
                }
            };
            let start = Instant::now();
            for message in messages {
                for frame in frames(Text::clone(&message).into()) {
                    sink.feed(frame).await?;
                }
            }
            sink.flush().await?;
            self.server.handles().send_duration.record(start.elapsed());
        }
    }

    /// The whole tree, or the message that there is none; `None` if something else comes first.
    async fn tree(&mut self) -> Result<Option<Outgoing>, JoinError> {
        if !self.server.state().take_tree(&mut self.seat) {
            return Ok(None);
        }
        let Some(tree) = self.server.whole_tree(self.seat.baseline).await? else {
            return Ok(Some(self.server.memory().hold(message::error("No AST loaded", None))));
        };
        self.seat.baseline = tree.version;
        Ok(Some(tree.message))
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.server.state().leave(self.seat.id);
    }
}

/// Reads until the connection ends. Stops reading while an answer has not been sent.
async fn read(
    stream: &mut SplitStream<Socket>,
    answers: &mpsc::Sender<Outgoing>,
    server: &AstServer,
) -> End {
    loop {
        let request = match stream.next().await {
            None | Some(Ok(Message::Close(_)) | Err(WsError::ConnectionClosed)) => {
                return End::Closed;
            }
            Some(Err(error)) => return error.into(),
            Some(Ok(request)) => request,
        };
        let Some(answer) = answer(&request) else { continue };
        let text = answer.unwrap_or_else(|error| {
            server.handles().message_invalid.increment();
            error
        });
        if answers.send(server.memory().hold(text)).await.is_err() {
            return End::Closed;
        }
    }
}

/// The answer to a viewer's message, if it needs one; `Err` for input that is not JSON.
pub(crate) fn answer(request: &Message) -> Option<Result<Text, Text>> {
    match request {
        Message::Text(request) => Some(message::answer(request.as_bytes())),
        Message::Binary(request) => Some(message::answer(request)),
        // The library answers pings itself.
        _ => None,
    }
}

/// Says goodbye, or answers a goodbye. Remaining input is read: closing a connection with unread
/// input resets it, and the goodbye is lost.
async fn close(mut socket: Socket, end: &End) -> Result<(), WsError> {
    match end.goodbye() {
        Some(frame) => socket.send(Message::Close(Some(frame))).await?,
        // The library's answer to a goodbye is on its way.
        None => SinkExt::close(&mut socket).await?,
    }
    let stream = socket.get_mut();
    stream.shutdown().await?;
    tokio::io::copy(&mut stream.take(DRAIN_BYTES_MAX), &mut tokio::io::sink()).await?;
    Ok(())
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

    /// For each frame of a message: its length, its type, and whether it is the last.
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
