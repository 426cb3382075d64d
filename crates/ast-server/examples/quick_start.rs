//! Events in, summary and full metrics out: `cargo run -p ast-server --example quick_start`.
#![allow(clippy::print_stdout, reason = "an example's output is its purpose")]

use ast_server::{Arg, AstServer};

/// Runs the example.
pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Metrics are enabled by default.
    let server = AstServer::new();

    let event = [Arg::from(0), Arg::from("Bass")];
    let _ = server.process_live_event("/live/track/renamed", &event, 1, 0.0);

    // The summary is complete from the start: every field exists.
    let summary = server.get_metrics_summary();
    println!("p95: {} ms", summary.event_processing.latency_ms.p95);
    println!("Total events processed: {}", summary.event_processing.total_processed);

    let metrics = server.get_metrics();
    println!("{}", serde_json::to_string_pretty(&metrics)?);

    // What the server tracks by itself.
    let counters = &metrics["metrics"]["counters"];
    println!("Total events received: {}", counters["events.received"]["value"]);
    println!("Total events processed: {}", counters["events.processed"]["value"]);
    println!("Total errors: {}", counters["errors.event_processing"]["value"]);
    let timings = metrics["metrics"]["timings"].as_object().ok_or("timings are an object")?;
    for (key, stats) in timings.iter().filter(|(key, _)| key.contains("event.processing.duration"))
    {
        let ms = |quantile: &str| stats[quantile].as_f64().unwrap_or_default() * 1_000.0;
        println!("{key}: p50 {:.4} ms, p95 {:.4} ms", ms("p50"), ms("p95"));
    }
    assert_eq!(counters["events.received"]["value"], 1);
    Ok(())
}
