//! WebSocket health, tracked manually; the server does this for its own viewers: `cargo run -p
//! ast-server --example websocket_health`.
#![allow(clippy::print_stdout, reason = "an example's output is its purpose")]

use std::error::Error;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use ast_server::AstServer;
use serde_json::{Value, json};

/// A custom broadcaster.
struct Broadcaster {
    server: AstServer,
    clients: Vec<SyncSender<String>>,
}

impl Broadcaster {
    fn connect(&mut self) -> Receiver<String> {
        let (client, messages) = sync_channel(2);
        self.clients.push(client);
        messages
    }

    fn broadcast(&self, message: &Value) {
        let metrics = self.server.metrics();
        // Track the attempt, the clients, and the message's size.
        metrics.increment("websocket.broadcast.attempt");
        metrics.gauge("websocket.clients", self.clients.len() as f64);
        let message = message.to_string();
        metrics.histogram("websocket.message.size", message.len() as u64);

        match self.send_to_clients(&message) {
            Ok(()) => metrics.increment("websocket.broadcast.success"),
            Err(_) => metrics.increment("websocket.broadcast.failure"),
        }
    }

    fn send_to_clients(&self, message: &str) -> Result<(), TrySendError<String>> {
        self.clients.iter().try_for_each(|client| client.try_send(message.to_owned()))
    }
}

/// Runs the example.
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let server = AstServer::new();
    let mut broadcaster = Broadcaster { server: server.clone(), clients: Vec::new() };
    let _clients = [broadcaster.connect(), broadcaster.connect()];
    // No client reads, so the third message finds the queues full.
    for number in 0..3 {
        broadcaster.broadcast(&json!({ "type": "DIFF_UPDATE", "number": number }));
    }

    // Monitor the WebSocket's health.
    let summary = server.get_metrics_summary();
    println!("Connected clients: {}", summary.websocket.clients_connected);
    println!("Broadcasts sent: {}", summary.websocket.broadcasts_sent);
    println!("Broadcasts failed: {}", summary.websocket.broadcasts_failed);
    let sizes = server.metrics().get_timing("websocket.message.size").ok_or("it was recorded")?;
    println!("Message size: {} bytes on average", sizes.mean.unwrap_or_default());

    assert_eq!(summary.websocket.clients_connected, 2);
    assert_eq!(summary.websocket.broadcasts_sent, 2);
    assert_eq!(summary.websocket.broadcasts_failed, 1);
    assert_eq!(sizes.count, 3);
    Ok(())
}
