//! The server's process, from inside and from outside.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tachograph::MetricsCollector;
use tachograph_serve::Endpoint;

/// Set for the process that is to be the server.
pub(crate) const ASKED: &str = "TACHOGRAPH_CROWD_SERVER";

const SERIES: u64 = 1_900;

/// Serves a collector in use, until standard input ends.
pub(crate) fn serve() {
    let metrics = MetricsCollector::new();
    let server = Endpoint::new(metrics.clone())
        .listen(SocketAddr::from(([127, 0, 0, 1], 0)))
        .spawn()
        .expect("starts");
    fill(&metrics);
    thread::spawn(move || record(&metrics));
    println!("{}", server.addr());
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest).expect("standard input");
    server.shutdown();
}

fn fill(metrics: &MetricsCollector) {
    for i in 0..SERIES {
        let id = format!("{i}-{}", "x".repeat(100));
        let tags = [("id", id.as_str())];
        (0..20).for_each(|value| metrics.with_tags(&tags).histogram("size", value * value * i));
    }
}

/// Something new for every snapshot.
fn record(metrics: &MetricsCollector) {
    let turns = metrics.register_counter("turns");
    loop {
        (0..1_000).for_each(|_| turns.increment());
        thread::sleep(Duration::from_millis(1));
    }
}

/// The server's process as its test sees it. Dropping it ends the process.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    pub(crate) addr: SocketAddr,
}

impl Server {
    pub(crate) fn start() -> Self {
        let program = std::env::current_exe().expect("a path");
        let mut process = Command::new(program)
            .env(ASKED, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("a line");
        Self { process, addr: line.trim().parse().expect("an address") }
    }

    /// The most memory that the process ever had, in bytes.
    pub(crate) fn resident_max(&self) -> u64 {
        let status = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(status).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        let kib = line.trim().strip_suffix(" kB").expect("in KiB");
        kib.parse::<u64>().expect("a number") * 1_024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Err: it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
