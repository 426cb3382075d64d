//! Errors by type, packet loss and viewers: `cargo run -p ast-server --example errors_and_loss`.
#![allow(clippy::print_stdout, reason = "an example's output is its purpose")]

use ast_server::AstServer;

/// Runs the example.
pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = AstServer::new();
    let metrics = server.metrics();

    match "seven".parse::<u32>() {
        Ok(_) => metrics.increment("events.custom"),
        Err(_) => {
            metrics.with_tags(&[("error_type", "ParseIntError")]).increment("errors.validation");
        }
    }
    let all = server.get_metrics();
    let counters = all["metrics"]["counters"].as_object().ok_or("counters are an object")?;
    for (key, stats) in counters.iter().filter(|(key, _)| key.contains("error")) {
        println!("{key}: {}", stats["value"]);
    }

    // The server counts datagrams, gaps and broadcasts by itself.
    let summary = server.get_metrics_summary();
    let udp = &summary.udp_listener;
    println!("Packets: {} received, {} lost", udp.packets_received, udp.packets_dropped);
    println!("Packet loss rate: {:.2}%", udp.loss_rate_percent);
    println!("Connected clients: {}", summary.websocket.clients_connected);
    println!("Broadcasts sent: {}", summary.websocket.broadcasts_sent);

    assert_eq!(summary.errors["errors.validation"], 1);
    assert_eq!(summary.errors_total, 1);
    Ok(())
}
