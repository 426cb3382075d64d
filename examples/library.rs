//! A library that measures itself only where the application has a collector, and such an
//! application.
//!
//! `cargo run -p examples --bin library -- [--no-metrics | METRICS ADDRESS]` parses the lines of
//! standard input.
#![allow(clippy::print_stdout, reason = "says where it listens")]

use std::error::Error;
use std::io::stdin;

use tachograph::MetricsCollector;
use tachograph_serve::Endpoint;

/// Stands for a crate of its own, which depends on `tachograph` and nothing else.
mod pairs {
    /// Parses `key=value`.
    pub(crate) fn parse(line: &str) -> Option<(&str, &str)> {
        let start = tachograph::now();
        let parsed = line.split_once('=').filter(|(key, _)| !key.is_empty());
        tachograph::timing!("pairs.parse.duration", since start);
        match parsed {
            Some(_) => tachograph::increment!("pairs.parsed", "outcome" => "ok"),
            None => tachograph::increment!("pairs.parsed", "outcome" => "malformed"),
        }
        parsed
    }

    /// Whether anyone would see what this library records.
    pub(crate) fn is_measured() -> bool {
        tachograph::try_global().is_some()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let argument = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9464".to_owned());
    let mut page = None;
    if argument != "--no-metrics" {
        let metrics = MetricsCollector::new();
        tachograph::set_global(metrics.clone())?;
        let endpoint = Endpoint::new(metrics).listen(argument.parse()?);
        page = Some(endpoint.history(Default::default()).spawn()?);
    }
    if let Some(page) = &page {
        println!("metrics on {}", page.addr());
    }
    for line in stdin().lines() {
        match pairs::parse(&line?) {
            Some((key, value)) => println!("{key} is {value}"),
            None => println!("malformed"),
        }
    }
    println!("measured: {}", pairs::is_measured());
    Ok(())
}
