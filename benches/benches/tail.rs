//! How slow is the slowest of many single records while everything else goes on?
//!
//! The background aggregator runs, and a scraper renders a snapshot of a thousand series every 10
//! ms. After each call an empty pair of stamps shows the machine's own tail.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use benches::{Bed, Budgets, Case, Options, SharedClock, Table, Tail, calls, tails};
use tachograph::MetricsCollector;
use tachograph_export::prometheus;

const SERIES: usize = 1_000;
const SCRAPE_EVERY: Duration = Duration::from_millis(10);
/// Leaves a hundred calls above p99.99.
const CALLS: u64 = 1_000_000;
const QUANTILES: [f64; 5] = [0.5, 0.99, 0.999, 0.9999, 1.0];
const HEADER: [&str; 8] = ["operation", "", "p50", "p99", "p99.9", "p99.99", "max", "p99.99 over"];
const OVER_NANOS: f64 = 250.0;

const CALLS_BY: [fn(&Bed) -> Case<'_>; 9] = [
    calls::counter_by_recorder,
    calls::counter_by_handle,
    calls::counter_by_name,
    calls::gauge_by_recorder,
    calls::gauge_by_handle,
    calls::gauge_by_name,
    calls::timing_by_recorder,
    calls::timing_by_handle,
    calls::timing_by_name,
];

/// Fills other series with a few samples each.
fn fill(metrics: &MetricsCollector) {
    for i in 0..SERIES / 2 {
        let name = i.to_string();
        let tags = [("i", name.as_str())];
        let tagged = metrics.with_tags(&tags);
        tagged.increment("other.counter");
        (0..20u64).for_each(|v| tagged.histogram("other.histogram", v * v * i as u64));
    }
}

/// Scrapes until `over` and counts the scrapes.
fn scrape(metrics: &MetricsCollector, over: &AtomicBool, scrapes: &AtomicU64) {
    // Relaxed: neither the flag nor the count guards other data.
    while !over.load(Ordering::Relaxed) {
        let mut text = String::new();
        prometheus::encode(&metrics.snapshot(), &mut text);
        assert!(text.contains("other_counter_total"));
        // Relaxed: as above.
        scrapes.fetch_add(1, Ordering::Relaxed);
        thread::sleep(SCRAPE_EVERY);
    }
}

fn main() {
    let shared = SharedClock::new();
    let metrics = MetricsCollector::builder().clock(shared.clock()).build();
    fill(&metrics);
    // Makes them visible to the first scrape.
    metrics.run_pass(std::time::Instant::now(), std::time::SystemTime::now());
    let bed = Bed::of(metrics.clone());
    let cases: Vec<_> = CALLS_BY.iter().map(|make| make(&bed)).collect();
    let calls = if Options::get().quick { CALLS / 10 } else { CALLS };
    let (over, scrapes) = (AtomicBool::new(false), AtomicU64::new(0));
    let tails = thread::scope(|scope| {
        scope.spawn(|| scrape(&metrics, &over, &scrapes));
        let tails = tails(&cases, calls);
        // Relaxed: the flag guards no other data.
        over.store(true, Ordering::Relaxed);
        tails
    });

    // Relaxed: the count guards no other data.
    let scrapes = scrapes.load(Ordering::Relaxed);
    let coalesced = bed.coalesced();
    let title = format!(
        "Single records, aggregator and a scraper running: ns, {calls} of each, {scrapes} scrapes, \
         {coalesced} samples coalesced"
    );
    assert_eq!(bed.dropped(), 0);
    let mut table = Table::new("tail", title, &HEADER);
    let mut budgets = Budgets::new("budget-tail");
    for (case, tail) in cases.iter().zip(&tails) {
        let over = tail.of_calls(0.9999) - tail.of_nothing(0.9999);
        print_tail(&mut table, case.name(), tail, over);
        budgets.at_most(
            &format!("{}, p99.99 over the machine's", case.name()),
            over,
            OVER_NANOS,
            "ns",
        );
    }
    table.print();
    budgets.print();
}

fn print_tail(table: &mut Table, name: &str, tail: &Tail, over: f64) {
    let mut row = |kind: &str, of: &dyn Fn(f64) -> f64, over: Option<f64>| {
        let [p50, p99, p999, p9999, max] = QUANTILES.map(|q| of(q).into());
        table.row([name.into(), kind.into(), p50, p99, p999, p9999, max, over.into()]);
    };
    row("call", &|q| tail.of_calls(q), Some(over));
    row("nothing", &|q| tail.of_nothing(q), None);
}
