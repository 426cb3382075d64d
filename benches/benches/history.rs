//! What do frames cost: their making, their bytes, the memory of the last minutes, and the
//! evaluation of rules over them?
//!
//! Half of the series are counters, half are timings with 20 samples a frame; all of them change in
//! every frame. Memory is what the allocator was asked for, without its overhead.

use std::alloc::System;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use benches::{Budgets, Figures, Options, Table, durations};
use flate2::Compression;
use flate2::write::GzEncoder;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tachograph::{Counter, MetricsCollector, Timing};
use tachograph_alert::{
    Comparison, Condition, Dimension, Engine, Op, Quantity, Rule, Selector, State, Statistic,
    TagMatch,
};
use tachograph_history::{Definition, Frame, History, Settings};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SIZES: [usize; 3] = [10, 1_000, 10_000];
const SAMPLES: usize = 20;
const RULES: usize = 100;
const MIB: f64 = 1_048_576.0;

const FRAME_MILLIS: f64 = 5.0;
const HISTORY_MIB: f64 = 16.0;

/// Bytes held now.
fn held() -> f64 {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated as f64 - stats.bytes_deallocated as f64
}

/// A program in which every series changes in every second.
struct Program {
    metrics: MetricsCollector,
    counters: Vec<Counter>,
    timings: Vec<Timing>,
    samples: Vec<u64>,
    start: Instant,
    wall: SystemTime,
    seconds: u64,
}

impl Program {
    /// The series are those of `RULES` metrics, at least one each.
    fn new(series: usize) -> Self {
        let metrics = MetricsCollector::builder().manual().max_series(series + 1_000).build();
        let name = |i: usize| format!("program.{}", i % RULES);
        let tagged = |i: usize, kind: &str| (format!("{}.{kind}", name(i)), i.to_string());
        let counters = (0..series / 2).map(|i| {
            let (name, i) = tagged(i, "events");
            metrics.with_tags(&[("i", &i)]).register_counter(&name)
        });
        let timings = (0..series / 2).map(|i| {
            let (name, i) = tagged(i, "time");
            metrics.with_tags(&[("i", &i)]).register_timing(&name)
        });
        let (counters, timings) = (counters.collect(), timings.collect());
        let (start, wall) = (Instant::now(), SystemTime::now());
        let samples = durations(997);
        Self { counters, timings, samples, start, wall, seconds: 0, metrics }
    }

    /// Lets a second pass.
    fn second(&mut self) {
        let mut samples = self.samples.iter().cycle().skip(self.seconds as usize * 7);
        self.counters.iter().for_each(Counter::increment);
        for (i, timing) in self.timings.iter().enumerate() {
            samples.by_ref().take(SAMPLES).for_each(|&nanos| timing.record_ns(nanos));
            // Keeps the ring from filling up.
            if i % 64 == 63 {
                self.pass();
            }
        }
        self.seconds += 1;
        self.pass();
    }

    fn pass(&self) {
        let now = Duration::from_secs(self.seconds);
        self.metrics.run_pass(self.start + now, self.wall + now);
    }
}

/// Nanoseconds of making a frame and of writing its line, and its bytes.
fn frames(table: &mut Table, budgets: &mut Budgets) {
    for series in SIZES {
        let mut program = Program::new(series);
        let mut history = History::new(Settings::default());
        let (mut made, mut written, mut line) = (Vec::new(), Vec::new(), String::new());
        let mut compressed = GzEncoder::new(Vec::new(), Compression::fast());
        let rounds = Options::get().rounds(30);
        for _ in 0..=rounds {
            program.second();
            let snapshot = program.metrics.snapshot();
            let begun = Instant::now();
            let (frame, _) = history.record(&snapshot).expect("a newer snapshot");
            made.push(begun.elapsed().as_secs_f64() * 1e3);
            let begun = Instant::now();
            line = frame.to_line();
            written.push(begun.elapsed().as_secs_f64() * 1e3);
            assert!(frame.numbers().count() >= series, "all of them changed");
            compressed.write_all(line.as_bytes()).expect("memory takes it");
        }
        let compressed = compressed.finish().expect("memory takes it").len() / (rounds + 1);
        // The first frame defines the series.
        let (made, written) = (Figures::of(made.split_off(1)), Figures::of(written.split_off(1)));
        let (bytes, compressed) = (line.len() as f64, compressed as f64);
        table.row([
            series.to_string().into(),
            made.median.into(),
            written.median.into(),
            bytes.into(),
            compressed.into(),
        ]);
        if series == 1_000 {
            budgets.at_most("a frame of 1,000 series", made.median, FRAME_MILLIS, "ms");
        }
    }
}

/// The memory of the last minutes: what the allocator holds, and what the history says of itself.
fn memory(table: &mut Table, budgets: &mut Budgets) {
    for series in SIZES {
        // Until both depths hold what they can: the fine one ten minutes, or its bytes.
        let seconds = if series > 1_000 || Options::get().quick { 60 } else { 660 };
        let mut program = Program::new(series);
        let mut history = History::new(Settings::default());
        for _ in 0..seconds {
            program.second();
            history.record(&program.metrics.snapshot());
        }
        let counted = history.bytes() as f64;
        let frames = history.frames(tachograph_history::Depth::Fine).count() as f64;
        let before = held();
        drop(history);
        let freed = before - held();
        table.row([
            series.to_string().into(),
            seconds.to_string().into(),
            frames.into(),
            (freed / MIB).into(),
            (counted / MIB).into(),
        ]);
        budgets.at_most(&format!("history of {series} series"), freed / MIB, HISTORY_MIB, "MiB");
    }
}

/// A rule about one of the program's metrics: about the sum of its series, or about each.
fn rule(i: usize, is_each: bool) -> Rule {
    let is_counter = i.is_multiple_of(2);
    let kind = if is_counter { "events" } else { "time" };
    let tags = is_each.then(|| ("i".to_owned(), TagMatch::Each));
    let condition = Condition::Compare(Comparison {
        selector: Selector {
            metric: format!("program.{i}.{kind}"),
            tags: tags.into_iter().collect::<BTreeMap<_, _>>(),
        },
        statistic: if is_counter { Statistic::Increase } else { Statistic::Quantile(0.95) },
        minus: Vec::new(),
        over: Vec::new(),
        last: Some(Duration::from_secs(60)),
        op: Op::AtLeast,
        threshold: Quantity {
            value: 0.0,
            dimension: if is_counter { Dimension::Number } else { Dimension::Time },
        },
        until: None,
    });
    Rule::new(format!("Rule{i}"), condition)
}

/// Milliseconds of feeding a frame to 100 rules and evaluating them, with full windows.
fn rules(table: &mut Table, frames: &[(Arc<Frame>, Vec<Arc<Definition>>)]) {
    for (what, is_each) in [("a metric's sum each", false), ("each series of a metric", true)] {
        let rules = (0..RULES).map(|i| rule(i, is_each)).collect();
        let mut engine = Engine::new(rules, Duration::from_secs(1));
        let mut took = Vec::new();
        for (frame, new) in frames {
            let begun = Instant::now();
            engine.frame(frame, new);
            took.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let full = Figures::of(took.split_off(60));
        let alerts = engine.statuses().flat_map(|rule| rule.alerts);
        let firing = alerts.filter(|alert| alert.state == State::Firing).count();
        assert!(firing >= RULES, "every rule was evaluated: {firing} alerts fire");
        table.row([what.into(), (firing as f64).into(), full.min.into(), full.median.into()]);
    }
}

fn main() {
    let header = ["series", "to make, ms", "to write, ms", "bytes", "bytes in gzip"];
    let mut table = Table::new("history-frame", "A frame in which every series changed", &header);
    let mut budgets = Budgets::new("budget-history");
    frames(&mut table, &mut budgets);
    table.print();
    let header = ["series", "seconds", "single frames kept", "MiB held", "MiB by its own count"];
    let mut table = Table::new("history-memory", "The memory of a history", &header);
    memory(&mut table, &mut budgets);
    table.print();
    let mut program = Program::new(10_000);
    let mut history = History::new(Settings::default());
    let frames: Vec<_> = (0..60 + Options::get().rounds(30))
        .map(|_| {
            program.second();
            history.record(&program.metrics.snapshot()).expect("a newer snapshot")
        })
        .collect();
    let title = "100 rules over the last minute of 10,000 series: ms a frame";
    let mut table = Table::new("history-rules", title, &["rules about", "alerts", "min", "median"]);
    rules(&mut table, &frames);
    table.print();
    budgets.print();
}
