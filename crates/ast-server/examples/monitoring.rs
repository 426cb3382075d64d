//! Processes a hundred events and shows how they went: `cargo run -p ast-server --example
//! monitoring`.
#![allow(clippy::print_stdout, reason = "an example's output is its purpose")]

use ast_server::{Arg, AstServer};
use live_set::generate::Spec;

/// Runs the example.
pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("set.als");
    Spec { tracks: 10, scenes: 8, ..Spec::default() }.write_als(std::fs::File::create(&file)?)?;

    let server = AstServer::builder().enable_metrics(true).build();
    server.load_project(&file)?;
    for i in 0..100u32 {
        let name = format!("Track {i}");
        let args = [Arg::from((i % 10) as i32), Arg::from(name.as_str())];
        let _ = server.process_live_event("/live/track/renamed", &args, i, 0.0);
    }

    let summary = server.get_metrics_summary();
    println!("Processed {} events", summary.event_processing.total_processed);
    println!("p95 latency: {} ms", summary.event_processing.latency_ms.p95);
    assert_eq!(summary.event_processing.total_processed, 100);
    assert!(summary.event_processing.latency_ms.p95 > 0.0);
    Ok(())
}
