//! A program to watch: `server ADDR` works and serves its metrics until it is killed.
#![allow(clippy::print_stdout, reason = "a command-line program")]

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use tachograph::MetricsCollector;
use tachograph_history::Settings;
use tachograph_serve::{Alerts, Endpoint};

/// One rule fires after two seconds, the other never.
const RULES: &str = r#"
[[rule]]
name = "Busy"
metric = "events.processed"
statistic = "increase"
last = "30s"
op = ">"
threshold = 10
for = "2s"
message = "{value} events in 30 s"

[[rule]]
name = "Slow"
metric = "event.processing.duration"
statistic = "p95"
last = "30s"
op = ">"
threshold = "1s"
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let addr: SocketAddr = std::env::args().nth(1).ok_or("which address?")?.parse()?;
    let metrics = MetricsCollector::new();
    let endpoint = Endpoint::new(metrics.clone()).listen(addr).program("server", "0.1.0");
    let rules = tachograph_alert::parse(RULES)?;
    let endpoint = endpoint.history(Settings::default()).alerts(Alerts::new(rules).log());
    let server = endpoint.spawn()?;
    println!("metrics at http://{}/metrics", server.addr());
    let mut random = fastrand::Rng::with_seed(1);
    loop {
        for _ in 0..20 {
            let micros = (8.0 * 2f64.powf(random.f64() * 9.0)) as u64;
            metrics.increment("events.processed");
            metrics.timing("event.processing.duration", Duration::from_micros(micros));
            metrics.gauge("websocket.clients", 3.0);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
