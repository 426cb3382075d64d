//! Questions to a real Prometheus, and what the simulation answers.
//!
//! `cargo run -p fleet --example promql -- FOLDER [COUNT [SEED]]` writes `samples.txt`, OpenMetrics with
//! timestamps, and `expected.jsonl`, a query with its time and value in each line. There are COUNT
//! counters that restart, begin and end anywhere in the span that is asked for, and COUNT fleets of
//! classic histograms.
//!
//! Where a series begins within the span, its first value is 0 or large: in between, a Prometheus from
//! before <https://github.com/prometheus/prometheus/pull/13725> goes further back than later ones do.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fastrand::Rng;
use fleet::{Classic, Sample, Span, increase};

/// When all is asked for, in seconds since 1970.
const NOW: f64 = 1_700_000_000.0;

/// The span that is asked for, in seconds.
const RANGE: u32 = 600;

const BOUNDS: [f64; 6] = [0.001, 0.002_5, 0.01, 0.1, 2.5, f64::INFINITY];

/// Processes of a fleet of histograms.
const PROCESSES: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("the first argument is the folder to write to")?;
    let number = |argument: Option<String>, usual| argument.map_or(Ok(usual), |text| text.parse());
    let count = number(arguments.next(), 200)?;
    let mut random = Rng::with_seed(number(arguments.next(), 1)?);
    let (mut counters, mut histograms, mut expected) =
        (String::new(), String::new(), String::new());
    for i in 0..count {
        let samples = counter(&mut random);
        for Sample { time, value } in &samples {
            writeln!(counters, "requests_total{{series=\"{i}\"}} {value} {time}")?;
        }
        let value = increase(&samples, Span { start: NOW - f64::from(RANGE), end: NOW });
        let query = format!("increase(requests_total{{series=\\\"{i}\\\"}}[{RANGE}s])");
        let value = value.map_or("null".to_owned(), |value| value.to_string());
        writeln!(expected, "{{\"query\": \"{query}\", \"time\": {NOW}, \"value\": {value}}}")?;

        let mut sum = Classic::default();
        for process in 0..PROCESSES {
            let histogram = histogram(&mut random);
            for (bound, count) in histogram.buckets() {
                let le = if bound.is_finite() { bound.to_string() } else { "+Inf".to_owned() };
                let labels = format!("fleet=\"{i}\",process=\"{process}\",le=\"{le}\"");
                writeln!(histograms, "latency_bucket{{{labels}}} {count} {NOW}")?;
            }
            sum.add(&histogram);
        }
        let q = f64::from(random.u32(1..1_000)) / 1e3;
        let summed = format!("sum by (le) (latency_bucket{{fleet=\\\"{i}\\\"}})");
        let (query, value) = (format!("histogram_quantile({q}, {summed})"), sum.quantile(q));
        writeln!(expected, "{{\"query\": \"{query}\", \"time\": {NOW}, \"value\": {value}}}")?;
    }
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    let typed =
        format!("# TYPE requests counter\n{counters}# TYPE latency histogram\n{histograms}");
    fs::write(folder.join("samples.txt"), typed + "# EOF\n")?;
    Ok(fs::write(folder.join("expected.jsonl"), expected)?)
}

/// A counter that is scraped about every 15 s, and restarts now and then.
fn counter(random: &mut Rng) -> Vec<Sample> {
    let range = f64::from(RANGE);
    // Before the span or within it, and so the end. Not at its edge, which versions see differently.
    let mut time = NOW - range * 1.2 + (range * random.f64()).round() + 0.125;
    let end = NOW - if random.bool() { 0.0 } else { range * 0.4 * random.f64() };
    let mut value = if random.bool() { 0.0 } else { 1e9 };
    let mut samples = Vec::new();
    while time <= end {
        samples.push(Sample { time, value });
        // Quarters of a second, which take the same way into milliseconds everywhere.
        time += f64::from(random.u32(56..64)) / 4.0;
        value += f64::from(random.u32(0..500));
        if random.u32(0..12) == 0 {
            value = random.u32(0..300).into();
        }
    }
    samples
}

/// Counts of a process, in some of the buckets.
fn histogram(random: &mut Rng) -> Classic {
    let mut count = 0;
    // The first is never without samples: nothing of nothing is no number.
    Classic::new(BOUNDS.map(|bound| {
        count += if count == 0 || random.bool() { random.u64(1..50) } else { 0 };
        (bound, count)
    }))
}
