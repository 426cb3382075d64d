//! What does a timing cost at a rate, while the background aggregator reads it on another core?
//!
//! One thread records so many samples every 100 µs, and looks at the clock in between. Only the
//! recording is timed. The share of samples that was coalesced stands beside each figure: at low
//! rates none, as the ring has room; beyond what the aggregator can fold, most.

use std::hint::{black_box, spin_loop};
use std::thread;
use std::time::{Duration, Instant};

use benches::{Bed, Figures, Options, Table};
use tachograph::MetricsCollector;

/// Millions of samples a second.
const RATES: [u64; 3] = [1, 10, 100];
/// Between the starts of two batches.
const BATCH: Duration = Duration::from_micros(100);

#[derive(Clone, Copy)]
enum By {
    Recorder,
    Handle,
}

/// Nanoseconds a sample, samples a second that were reached, and the share that was coalesced.
struct Outcome {
    nanos: f64,
    reached: f64,
    coalesced: f64,
}

fn round(by: By, millions: u64, lasts: Duration) -> Outcome {
    let bed = Bed::of(MetricsCollector::new());
    let timing = bed.metrics.register_timing("timing");
    let recorder = bed.metrics.recorder();
    // The aggregator waits as long as it ever does.
    thread::sleep(Duration::from_millis(120));
    let batch = millions * BATCH.as_micros() as u64;
    let begun = Instant::now();
    let (mut samples, mut took, mut due) = (0, Duration::ZERO, begun);
    while begun.elapsed() < lasts {
        let start = Instant::now();
        match by {
            By::Recorder => (0..batch).for_each(|i| recorder.record_ns(black_box(&timing), i)),
            By::Handle => (0..batch).for_each(|i| black_box(&timing).record_ns(i)),
        }
        took += start.elapsed();
        samples += batch;
        // One that comes too late delays those behind it.
        due = (due + BATCH).max(Instant::now() - BATCH);
        while Instant::now() < due {
            spin_loop();
        }
    }
    let elapsed = begun.elapsed().as_secs_f64();
    let stats = bed.metrics.get_timing("timing").expect("registered");
    assert_eq!((stats.count, bed.dropped()), (samples, 0), "every sample is aggregated");
    let all = samples as f64;
    Outcome {
        nanos: took.as_secs_f64() * 1e9 / all,
        reached: all / elapsed,
        coalesced: bed.coalesced() as f64 / all,
    }
}

fn main() {
    let options = Options::get();
    let lasts = Duration::from_millis(if options.quick { 100 } else { 1_000 });
    let rounds = options.rounds(5).min(5);
    let title = format!("Timings at a rate, aggregator running: ns a sample; {rounds} rounds");
    let header = ["by", "M/s a thread", "M/s reached", "min", "median", "coalesced %"];
    let mut table = Table::new("paced", title, &header);
    for (by, name) in [(By::Recorder, "recorder"), (By::Handle, "handle")] {
        for millions in RATES {
            let outcomes: Vec<_> = (0..rounds).map(|_| round(by, millions, lasts)).collect();
            let median = |of: fn(&Outcome) -> f64| Figures::of(outcomes.iter().map(of).collect());
            let Figures { min, median: nanos } = median(|outcome| outcome.nanos);
            table.row([
                name.into(),
                millions.to_string().into(),
                (median(|outcome| outcome.reached).median / 1e6).into(),
                min.into(),
                nanos.into(),
                (100.0 * median(|outcome| outcome.coalesced).median).into(),
            ]);
        }
    }
    table.print();
}
