//! Measures how many events per second one thread processes: `cargo run --release -p ast-server
//! --example event_rate [EVENTS]`.
#![allow(clippy::print_stdout, reason = "an example's output is its purpose")]

use std::error::Error;
use std::time::Instant;

use ast_server::AstServer;
use ast_server::mix::Mix;
use live_set::generate::Spec;

/// Runs the example.
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let events = std::env::args().nth(1).and_then(|events| events.parse().ok()).unwrap_or(20_000);
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("set.als");
    Spec::default().write_als(std::fs::File::create(&file)?)?;
    let mix: Vec<_> = Mix::new(&ast_server::read(&file)?, 1).take(events).collect();

    for enable_metrics in [true, false] {
        let server = AstServer::builder().enable_metrics(enable_metrics).build();
        server.load_project(&file)?;
        let start = Instant::now();
        for (seq, event) in (0..).zip(&mix) {
            let _ = server.process_live_event(event.event_type.path(), &event.args, seq, 0.0);
        }
        let rate = events as f64 / start.elapsed().as_secs_f64();
        println!("metrics {}: {rate:.0} events/s", if enable_metrics { "on " } else { "off" });
    }
    Ok(())
}
