//! Watching a running server: `cargo run -p ast-server --example over_time [SECONDS]`.
#![allow(clippy::print_stdout, reason = "an example's output is its purpose")]

use std::time::{Duration, Instant};

use ast_server::{Arg, AstServer};

/// Runs the example.
pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seconds = std::env::args().nth(1).and_then(|seconds| seconds.parse().ok()).unwrap_or(2);
    let server = AstServer::new();

    // Start fresh.
    server.metrics().reset();

    let start = Instant::now();
    let mut next_report = Duration::from_secs(1);
    let mut seq = 0;
    while start.elapsed() < Duration::from_secs(seconds) {
        let event = [Arg::from(0), Arg::from("Bass")];
        let _ = server.process_live_event("/live/track/renamed", &event, seq, 0.0);
        seq += 1;
        if start.elapsed() >= next_report {
            let summary = server.get_metrics_summary();
            println!(
                "[{} s] received: {}",
                next_report.as_secs(),
                summary.event_processing.received
            );
            next_report += Duration::from_secs(1);
        }
    }

    let summary = server.get_metrics_summary();
    println!("\nFinal statistics:\n{}", serde_json::to_string_pretty(&summary)?);
    assert_eq!(summary.event_processing.received, u64::from(seq));
    Ok(())
}
