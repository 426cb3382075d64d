//! The health dashboard, redrawn: `cargo run -p ast-server --example dashboard [TIMES]`.
#![allow(clippy::print_stdout, reason = "an example's output is its purpose")]

use std::time::Duration;

use ast_server::{Arg, AstServer, Dashboard};

/// Runs the example.
pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let times = std::env::args().nth(1).and_then(|times| times.parse().ok()).unwrap_or(2);
    let server = AstServer::new();
    for seq in 0..times {
        let event = [Arg::from(0), Arg::from("Bass")];
        let _ = server.process_live_event("/live/track/renamed", &event, seq, 0.0);

        // Clears the screen and moves the cursor to its upper left corner.
        print!("\x1b[2J\x1b[H");
        println!("{}", Dashboard(&server.get_metrics_summary()));
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(server.get_metrics_summary().event_processing.received, u64::from(times));
    Ok(())
}
