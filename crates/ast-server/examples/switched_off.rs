//! Metrics off, on and reset: `cargo run -p ast-server --example switched_off`.
#![allow(clippy::print_stdout, reason = "an example's output is its purpose")]

use ast_server::{Arg, AstServer};

/// Runs the example.
pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = AstServer::builder().enable_metrics(false).build();
    let event = [Arg::from(0), Arg::from("Bass")];
    let _ = server.process_live_event("/live/track/renamed", &event, 1, 0.0);
    assert_eq!(server.get_metrics_summary().event_processing.received, 0);

    server.metrics().set_enabled(true);
    let _ = server.process_live_event("/live/track/renamed", &event, 2, 0.0);
    if server.metrics().enabled() {
        server.metrics().increment("custom.metric");
    }
    println!("received: {}", server.get_metrics_summary().event_processing.received);
    assert_eq!(server.get_metrics_summary().event_processing.received, 1);

    server.metrics().reset_counters();
    assert_eq!(server.get_metrics_summary().event_processing.received, 0);
    server.metrics().reset();
    assert!(server.metrics().get_counter("custom.metric").is_none());
    Ok(())
}
