//! A command-line program: it counts the words of files and, before it ends, pushes what it
//! measured to an OpenTelemetry receiver.
//!
//! `cargo run -p examples --bin word_count -- RECEIVER FILE…`, the receiver as
//! `http://127.0.0.1:4318/v1/metrics`
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command's output")]

use std::error::Error;
use std::fs;
use std::time::Duration;

use tachograph::MetricsCollector;
use tachograph_export::otlp::{Encoding, Settings};
use tachograph_serve::Push;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let receiver = arguments.next().ok_or("usage: word_count RECEIVER FILE…")?;

    // Nobody scrapes a program that ends: no background thread is needed.
    let metrics = MetricsCollector::builder().manual().build();
    let words = metrics.register_counter("words.counted");
    let took = metrics.register_timing("file.duration");

    let mut start = metrics.now();
    for file in arguments {
        match fs::read_to_string(&file) {
            Ok(text) => {
                let count = text.split_whitespace().count();
                words.increment_by(count as u64);
                println!("{count} {file}");
            }
            Err(error) => {
                metrics.with_tags(&[("kind", &error.kind().to_string())]).increment("files.failed");
                eprintln!("{file}: {error}");
            }
        }
        start = took.record_since(start);
    }

    let settings = Settings::new("word_count").encoding(Encoding::Json).telemetry(false);
    let report = Push::new(metrics, &receiver, settings)?.once(Duration::from_secs(5))?;
    if report.delivered == 0 {
        eprintln!("the receiver did not take the metrics");
    }
    Ok(())
}
