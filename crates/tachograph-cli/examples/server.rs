//! A program to be watched: `server ADDR` serves its metrics and works until it is killed.
#![allow(clippy::print_stdout, reason = "a command-line program")]

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use tachograph::MetricsCollector;
use tachograph_history::Settings;
use tachograph_serve::Endpoint;

fn main() -> Result<(), Box<dyn Error>> {
    let addr: SocketAddr = std::env::args().nth(1).ok_or("which address?")?.parse()?;
    let metrics = MetricsCollector::new();
    let endpoint = Endpoint::new(metrics.clone()).listen(addr).program("server", "0.1.0");
    let server = endpoint.history(Settings::default()).spawn()?;
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
