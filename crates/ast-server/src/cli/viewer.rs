//! A viewer that counts its messages.

use std::net::SocketAddr;

use futures_util::StreamExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::Failure;

/// Connects to a server, and reads in the background until the connection ends. Returns the number
/// of messages so far.
pub(super) async fn connect(to: SocketAddr) -> Result<watch::Receiver<u64>, Failure> {
    let stream = TcpStream::connect(to).await?;
    // It is our own server, so a tree of any size is accepted.
    let trusting = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
    let (socket, _) =
        client_async_with_config(format!("ws://{to}"), stream, Some(trusting)).await?;
    let (count, counted) = watch::channel(0);
    tokio::spawn(read(socket, count));
    Ok(counted)
}

async fn read(mut socket: WebSocketStream<TcpStream>, count: watch::Sender<u64>) {
    while let Some(Ok(message)) = socket.next().await {
        if matches!(message, Message::Text(_)) {
            count.send_modify(|count| *count += 1);
        }
    }
}
