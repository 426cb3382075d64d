//! The long run: records as fast as it can from several threads while the background aggregator
//! works, then checks that every sample is accounted for. Prints a report in Markdown.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

use std::fmt::Write;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use fastrand::Rng;
use tachograph::{Counter, DropReason, Gauge, Histogram, MetricsCollector, ShutdownReport, Timing};

const HELP: &str = "\
usage: cargo soak [--samples N] [--threads N]

Records N samples (1,000,000,000) in all from N threads (2) at full speed by handle: of 16 samples
12 are timings, 1 a histogram's, 2 a counter's, 1 a gauge's. The background aggregator runs as
ever. Fails unless recorded = aggregated + dropped, exactly, for every series, and every sum of a
series that dropped nothing is exact.
";

/// What to do, from the command line.
struct Plan {
    samples: u64,
    threads: u64,
}

impl Plan {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut plan = Self { samples: 1_000_000_000, threads: 2 };
        while let Some(argument) = arguments.next() {
            let place = match argument.as_str() {
                "--samples" => &mut plan.samples,
                "--threads" => &mut plan.threads,
                "--help" | "-h" => return Err(HELP.to_owned()),
                other => return Err(format!("`{other}` is no option of it\n{HELP}")),
            };
            let number = arguments.next().and_then(|text| text.replace('_', "").parse().ok());
            let number = number.filter(|&number| number > 0);
            *place = number.ok_or_else(|| format!("{argument} needs a number above 0\n{HELP}"))?;
        }
        Ok(plan)
    }

    /// Samples of one thread; the first one takes what does not divide, too.
    fn share(&self, thread: u64) -> u64 {
        let share = self.samples / self.threads;
        if thread == 0 { self.samples - share * (self.threads - 1) } else { share }
    }
}

/// One handle of each kind.
struct Instruments {
    latency: Timing,
    size: Histogram,
    events: Counter,
    depth: Gauge,
}

/// What one thread has recorded, by its own account.
#[derive(Default)]
struct Account {
    latencies: (u64, u128),
    sizes: (u64, u128),
    events: u64,
    depths: u64,
}

impl Instruments {
    fn new(metrics: &MetricsCollector) -> Self {
        Self {
            latency: metrics.register_timing("latency"),
            size: metrics.register_histogram("size"),
            events: metrics.register_counter("events"),
            depth: metrics.register_gauge("depth"),
        }
    }

    fn record(&self, samples: u64, seed: u64) -> Account {
        let mut account = Account::default();
        let mut random = Rng::with_seed(seed);
        for i in 0..samples {
            // From 0 to 1 ms, most of them short.
            let bits = random.u64(..);
            let value = (bits >> 44) >> (bits & 7);
            match i % 16 {
                0 | 1 => {
                    self.events.increment();
                    account.events += 1;
                }
                2 => {
                    self.depth.set(value as f64);
                    account.depths += 1;
                }
                3 => {
                    self.size.record(value);
                    account.sizes = (account.sizes.0 + 1, account.sizes.1 + u128::from(value));
                }
                _ => {
                    self.latency.record_ns(value);
                    let (count, sum) = account.latencies;
                    account.latencies = (count + 1, sum + u128::from(value));
                }
            }
        }
        account
    }
}

/// The threads' accounts together.
fn sum(accounts: Vec<Account>) -> Account {
    accounts.into_iter().fold(Account::default(), |a, b| Account {
        latencies: (a.latencies.0 + b.latencies.0, a.latencies.1 + b.latencies.1),
        sizes: (a.sizes.0 + b.sizes.0, a.sizes.1 + b.sizes.1),
        events: a.events + b.events,
        depths: a.depths + b.depths,
    })
}

/// A series of the snapshot: samples, samples dropped, sum.
fn found(metrics: &MetricsCollector, name: &str) -> (u64, u64, Option<u128>) {
    let snapshot = metrics.get_all_metrics();
    let Some(series) = snapshot.find(name, &[]) else { return (0, 0, None) };
    let timing = series.value.as_timing().map(|views| &views.lifetime);
    let counter = series.value.as_counter().map(|views| views.lifetime.value as u64);
    let gauge = series.value.as_gauge().map(|views| views.lifetime.count);
    let count = timing.map(|stats| stats.count).or(counter).or(gauge).unwrap_or_default();
    (count, series.dropped, timing.map(|stats| stats.buckets().sum()))
}

/// Every account that does not come out, in words.
fn problems(metrics: &MetricsCollector, account: &Account, plan: &Plan) -> Vec<String> {
    let expected = [
        ("latency", account.latencies.0, Some(account.latencies.1)),
        ("size", account.sizes.0, Some(account.sizes.1)),
        ("events", account.events, None),
        ("depth", account.depths, None),
    ];
    let mut problems = Vec::new();
    for (name, count, sum) in expected {
        let (aggregated, dropped, found) = found(metrics, name);
        if aggregated + dropped != count {
            problems.push(format!("{name}: {count} recorded, {aggregated} + {dropped} found"));
        }
        if dropped == 0 && found != sum {
            problems.push(format!("{name}: the sum is {found:?} instead of {sum:?}"));
        }
    }
    let report = metrics.shutdown(Duration::from_secs(60));
    let ShutdownReport { recorded, aggregated, dropped, .. } = report;
    if recorded != plan.samples || recorded != aggregated + dropped {
        problems.push(format!("{} samples in all, but {report:?}", plan.samples));
    }
    problems
}

/// A line of a file under `/proc` that starts with a word: what comes after it.
fn proc_line(file: &str, word: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(word));
    line.map_or("unknown", |line| line.trim_start_matches([':', '\t', ' '])).to_owned()
}

/// A number with a comma for each three digits.
fn grouped(number: impl ToString) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The report's rows after the machine's.
fn figures(metrics: &MetricsCollector, took: Duration) -> Vec<(&'static str, String)> {
    let counter = |name: &str| metrics.get_counter(name).map_or(0, |stats| stats.value);
    let report = metrics.shutdown(Duration::from_secs(60));
    let per_mille = |part: i128| 1e3 * part as f64 / report.recorded as f64;
    let overload = metrics
        .with_tags(&[("reason", DropReason::Overload.name())])
        .get_counter("telemetry.dropped")
        .map_or(0, |stats| stats.value);
    let coalesced = counter("telemetry.coalesced");
    let rate = report.recorded as f64 / took.as_secs_f64() / 1e6;
    vec![
        ("recorded", grouped(report.recorded)),
        ("aggregated", grouped(report.aggregated)),
        ("coalesced", format!("{} ({:.3} ‰)", grouped(coalesced), per_mille(coalesced))),
        ("dropped", grouped(report.dropped)),
        ("dropped for overload", grouped(overload)),
        ("duration", format!("{:.1} s", took.as_secs_f64())),
        ("samples a second", format!("{rate:.1} million")),
        ("passes", grouped(counter("telemetry.passes"))),
    ]
}

fn print(plan: &Plan, rss: &str, figures: &[(&str, String)]) {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let mut rows = vec![
        ("date", humantime::format_rfc3339_seconds(SystemTime::now()).to_string()),
        ("CPU", proc_line("/proc/cpuinfo", "model name")),
        ("cores", cores.to_string()),
        ("recording threads", plan.threads.to_string()),
    ];
    rows.extend(figures.iter().cloned());
    rows.push(("resident memory before, after", rss.to_owned()));
    rows.push(("resident memory at most", proc_line("/proc/self/status", "VmHWM")));
    let mut table = String::from("| | |\n|---|---|\n");
    for (name, value) in rows {
        // Infallible: memory accepts every write.
        let _ = writeln!(table, "| {name} | {value} |");
    }
    print!("{table}");
}

fn main() -> ExitCode {
    let plan = match Plan::parse(std::env::args().skip(1)) {
        Ok(plan) => plan,
        Err(help) if help == HELP => {
            print!("{help}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprint!("{problem}");
            return ExitCode::from(2);
        }
    };
    let metrics = MetricsCollector::new();
    let instruments = Instruments::new(&metrics);
    let before = proc_line("/proc/self/status", "VmRSS");
    let started = Instant::now();
    let accounts = thread::scope(|scope| {
        let instruments = &instruments;
        let record = |thread| {
            let share = plan.share(thread);
            scope.spawn(move || instruments.record(share, thread))
        };
        let threads: Vec<_> = (0..plan.threads).map(record).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let took = started.elapsed();
    let problems = problems(&metrics, &sum(accounts), &plan);
    let rss = format!("{before}, {}", proc_line("/proc/self/status", "VmRSS"));
    print(&plan, &rss, &figures(&metrics, took));
    for problem in &problems {
        eprintln!("not accounted for: {problem}");
    }
    ExitCode::from(u8::from(!problems.is_empty()))
}
