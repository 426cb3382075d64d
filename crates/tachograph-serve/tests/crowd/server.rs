//! The server's process, from inside and from outside.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use tachograph::MetricsCollector;
use tachograph_history::Settings;
use tachograph_serve::Endpoint;

/// Set for the process that is to be the server: to `live` for one with a history.
pub(crate) const ASKED: &str = "TACHOGRAPH_CROWD_SERVER";

const SERIES: u64 = 1_900;

/// Serves a collector in use, until standard input ends.
pub(crate) fn serve() {
    tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::stderr).init();
    let metrics = MetricsCollector::new();
    let endpoint = Endpoint::new(metrics.clone())
        .summary(|snapshot| snapshot.version())
        .listen(SocketAddr::from(([127, 0, 0, 1], 0)));
    let is_live = std::env::var(ASKED).is_ok_and(|asked| asked == "live");
    let step = Duration::from_millis(250);
    let endpoint = match is_live {
        true => endpoint.history(Settings { step, ..Settings::default() }),
        false => endpoint,
    };
    let server = endpoint.spawn().expect("starts");
    if is_live {
        thread::spawn(move || record_many(&metrics));
    } else {
        fill(&metrics);
        thread::spawn(move || record(&metrics));
    }
    println!("{}", server.addr());
    let mut hoard = Vec::new();
    for line in std::io::stdin().lines() {
        match &*line.expect("standard input") {
            "hoard" => hoard.extend(std::iter::from_fn(|| File::open("/dev/null").ok())),
            _ => hoard.clear(),
        }
        println!("done");
    }
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

/// Frames of 100 series that all change: about 20 KB each.
fn record_many(metrics: &MetricsCollector) {
    let series: Vec<_> = (0..100)
        .map(|i| metrics.with_tags(&[("id", &*i.to_string())]).register_timing("turn"))
        .collect();
    for round in 1.. {
        for (timing, place) in series.iter().zip(1..) {
            timing.record_ns(round * place * 1_000);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// The server's process as its test sees it. Dropping it ends the process.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    output: BufReader<ChildStdout>,
    pub(crate) addr: SocketAddr,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(1_024, "1")
    }

    /// A server that may open so many files.
    pub(crate) fn start_with(open_files: u32, asked: &str) -> Self {
        let program = std::env::current_exe().expect("a path");
        let mut process = Command::new("sh")
            .args(["-c", &format!("ulimit -n {open_files}; exec \"$0\"")])
            .arg(program)
            .env(ASKED, asked)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().expect("piped"));
        output.read_line(&mut line).expect("a line");
        Self { process, output, addr: line.trim().parse().expect("an address") }
    }

    /// Has it do something, and waits until that is done.
    pub(crate) fn tell(&mut self, what: &str) {
        let input = self.process.stdin.as_mut().expect("piped");
        writeln!(input, "{what}").expect("it reads");
        self.output.read_line(&mut String::new()).expect("a line");
    }

    /// Ends it; what it has logged.
    pub(crate) fn end(mut self) -> String {
        drop(self.process.stdin.take());
        let mut log = String::new();
        let errors = self.process.stderr.take().expect("piped");
        BufReader::new(errors).read_to_string(&mut log).expect("UTF-8");
        log
    }

    /// The most memory that the process ever had, in bytes.
    pub(crate) fn resident_max(&self) -> u64 {
        let peak = self.status("VmHWM:");
        let kib = peak.strip_suffix(" kB").expect("in KiB");
        kib.parse::<u64>().expect("a number") * 1_024
    }

    /// The ids of the process's threads.
    pub(crate) fn threads(&self) -> BTreeSet<String> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.process.id())).expect("Linux");
        let ids = tasks.map(|task| task.expect("an entry").file_name());
        ids.map(|id| id.into_string().expect("a number")).collect()
    }

    fn status(&self, field: &str) -> String {
        let status = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(status).expect("Linux");
        let value = status.lines().find_map(|line| line.strip_prefix(field)).expect("a field");
        value.trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Err: it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
