//! What happens when samples arrive faster than they are aggregated?
//!
//! A burst goes into a lane of initial size, while the background aggregator runs at its normal
//! pace. Saturation is an endless burst.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use benches::{Bed, Budgets, Figures, Options, Table};
use tachograph::MetricsCollector;

/// From up to four times a new lane's capacity to far beyond it.
const BURSTS: [u64; 6] = [1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576];
const OVERLOAD_NANOS: f64 = 10.0;

/// The outcome of some rounds' samples.
struct Outcome {
    /// Nanoseconds per sample.
    figures: Figures,
    /// Shares of all samples.
    coalesced: f64,
    dropped: f64,
}

/// Rounds with a collector and threads of their own, each recording a burst at full speed.
fn bursts(threads: usize, samples: u64, rounds: usize) -> Outcome {
    let (mut coalesced, mut dropped) = (0, 0);
    let mut round = || {
        let bed = Bed::of(MetricsCollector::new());
        let timing = bed.metrics.register_timing("timing");
        let start = Barrier::new(threads);
        let burst = || {
            timing.record_ns(0);
            // The lane exists and is empty, and the aggregator waits its longest interval.
            thread::sleep(Duration::from_millis(120));
            start.wait();
            let begun = Instant::now();
            (1..=samples).for_each(|i| timing.record_ns(i % 1_024));
            begun.elapsed().as_secs_f64() * 1e9 / samples as f64
        };
        let nanos: f64 = thread::scope(|scope| {
            let all: Vec<_> = (0..threads).map(|_| scope.spawn(burst)).collect();
            all.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        let stats = bed.metrics.get_timing("timing").expect("registered");
        assert_eq!(stats.count + bed.dropped(), (samples + 1) * threads as u64);
        coalesced += bed.coalesced();
        dropped += bed.dropped();
        nanos / threads as f64
    };
    let figures = Figures::of((0..rounds).map(|_| round()).collect());
    let all = samples as f64 * threads as f64 * rounds as f64;
    Outcome { figures, coalesced: coalesced as f64 / all, dropped: dropped as f64 / all }
}

fn main() {
    let rounds = Options::get().rounds(11);
    let title = format!("A burst of samples, aggregator running: ns a sample; {rounds} rounds");
    let header = ["samples", "threads", "min", "median", "coalesced %", "dropped %"];
    let mut table = Table::new("burst", title, &header);
    let mut budgets = Budgets::new("budget-burst");
    for threads in [1, 2] {
        for samples in BURSTS {
            let Outcome { figures, coalesced, dropped } = bursts(threads, samples, rounds);
            let Figures { min, median } = figures;
            let shares = [coalesced, dropped].map(|share| (100.0 * share).into());
            let [coalesced, dropped] = shares;
            let (samples, threads) = (samples.to_string(), threads.to_string());
            let [samples, threads] = [samples.into(), threads.into()];
            table.row([samples, threads, min.into(), median.into(), coalesced, dropped]);
        }
        let longest = bursts(threads, 4 * BURSTS[BURSTS.len() - 1], rounds);
        let plural = if threads == 1 { "thread" } else { "threads" };
        let what = format!("saturation, {threads} {plural}");
        budgets.at_most(&what, longest.figures.median, OVERLOAD_NANOS, "ns a sample");
        budgets.at_most(&format!("{what}: dropped"), 100.0 * longest.dropped, 0.0, "%");
        let Figures { min, median } = longest.figures;
        let shares = [longest.coalesced, longest.dropped].map(|share| (100.0 * share).into());
        let [coalesced, dropped] = shares;
        let threads = threads.to_string().into();
        table.row(["saturation".into(), threads, min.into(), median.into(), coalesced, dropped]);
    }
    table.print();
    budgets.print();
}
