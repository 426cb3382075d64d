//! Fault 4: the aggregator panics, stalls, or its thread cannot start.

mod driver;
mod loss;

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use crate::limits::BLOCK_SAMPLES;
use crate::sync::fault::{POINTS, Plan};
use crate::{Counter, Gauge, MetricsCollector, Recorder, Snapshot, Timing, Value};

const SECOND: Duration = Duration::from_secs(1);

/// A recording load that reaches every point of a pass: several lanes, some of them given up, more
/// samples than a lane has room for, new series each time, and time that moves the window.
struct Load {
    metrics: MetricsCollector,
    start: Instant,
    round: u32,
    hits: Counter,
    latency: Timing,
    depth: Gauge,
    recorders: Vec<Recorder>,
    /// Everything recorded, by series key.
    recorded: BTreeMap<String, Recorded>,
}

/// Values whose exact sum is known.
#[derive(Clone, Copy, Default)]
struct Recorded {
    count: u64,
    sum: u64,
}

impl Load {
    fn new() -> Self {
        let metrics = MetricsCollector::builder().manual().lane_blocks(2, 2).window(2 * SECOND, 2);
        // Few series keep a lane's tables small.
        let metrics = metrics.max_series(16).max_metrics(16).build();
        Self {
            start: Instant::now(),
            round: 0,
            hits: metrics.register_counter("hits"),
            latency: metrics.register_timing("latency"),
            depth: metrics.register_gauge("depth"),
            recorders: (0..2).map(|_| metrics.recorder()).collect(),
            recorded: BTreeMap::new(),
            metrics,
        }
    }

    fn note(&mut self, key: &str, value: u64) {
        let recorded = self.recorded.entry(key.to_owned()).or_default();
        recorded.count += 1;
        recorded.sum += value;
    }

    /// One round of recording, in every possible way.
    fn record(&mut self) {
        self.round += 1;
        let recorders = std::mem::take(&mut self.recorders);
        for recorder in &recorders {
            for value in 1..=3 * BLOCK_SAMPLES as u64 {
                recorder.increment(&self.hits);
                recorder.record_ns(&self.latency, value);
                recorder.set(&self.depth, value as f64);
                self.note("hits", 1);
                self.note("latency", value);
                self.note("depth", value);
            }
        }
        self.recorders = recorders;
        // Surplus lanes, each with something still to be read.
        for recorder in (0..6).map(|_| self.metrics.recorder()).collect::<Vec<_>>() {
            recorder.increment(&self.hits);
            recorder.record_ns(&self.latency, 7);
            self.note("hits", 1);
            self.note("latency", 7);
        }
        let late = format!("late[round={}]", self.round);
        let round = self.round.to_string();
        self.metrics.with_tags(&[("round", &round)]).increment("late");
        self.note(&late, 1);
    }

    fn pass(&mut self) {
        let elapsed = self.round * SECOND;
        self.metrics.run_pass(self.start + elapsed, SystemTime::UNIX_EPOCH + elapsed);
    }

    /// Checks that everything recorded is there: not less and, above all, not twice.
    fn check(&self, snapshot: &Snapshot, context: &str) {
        for (key, recorded) in &self.recorded {
            let series = snapshot.series().iter().find(|series| *series.key == **key);
            let series = series.unwrap_or_else(|| panic!("{context}: there is no {key}"));
            let (count, sum) = match &series.value {
                Value::Counter(views) => (views.lifetime.value as u64, views.lifetime.value as u64),
                Value::Timing(views) => {
                    let buckets = views.lifetime.buckets();
                    let rows: u64 = buckets.iter().map(|bucket| bucket.count).sum();
                    assert_eq!(rows, views.lifetime.count, "{context}: buckets of {key}");
                    (views.lifetime.count, buckets.sum() as u64)
                }
                Value::Gauge(views) => {
                    let mean = views.lifetime.mean.expect("it was set");
                    (views.lifetime.count, (mean * views.lifetime.count as f64).round() as u64)
                }
                other => panic!("{context}: {key} is {other:?}"),
            };
            assert_eq!(count + series.dropped, recorded.count, "{context}: count of {key}");
            if series.dropped == 0 {
                assert_eq!(sum, recorded.sum, "{context}: sum of {key}");
            }
        }
        let told = |name: &str| total(snapshot, name);
        let dropped = total(snapshot, "telemetry.dropped");
        assert_eq!(told("telemetry.recorded"), told("telemetry.aggregated") + dropped, "{context}");
        let recorded: u64 = self.recorded.values().map(|recorded| recorded.count).sum();
        assert_eq!(told("telemetry.recorded"), i128::from(recorded), "{context}");
        assert!(snapshot.series().is_sorted_by(|a, b| a.key <= b.key), "{context}: order");
    }
}

/// A counter, summed over its tags.
fn total(snapshot: &Snapshot, name: &str) -> i128 {
    let counters = snapshot.metric(name).filter_map(|series| series.value.as_counter());
    counters.map(|views| views.lifetime.value).sum()
}

fn level(snapshot: &Snapshot, name: &str) -> f64 {
    let series = snapshot.find(name, &[]).expect("the collector's own");
    series.value.as_gauge().and_then(|views| views.lifetime.current).expect("reported")
}

type Act = (&'static str, fn(&mut Load));

/// Operations that make a pass, and may therefore meet a fault.
const ACTS: [Act; 5] = [
    ("run_pass", Load::pass),
    ("get_all_metrics", |load| _ = load.metrics.get_all_metrics()),
    ("get_timing", |load| _ = load.metrics.get_timing("latency")),
    ("get_counter", |load| _ = load.metrics.get_counter("hits")),
    ("get_gauge", |load| _ = load.metrics.get_gauge("depth")),
];

/// Panics at the `nth` passage of a point during `act`, then continues. Returns whether the point
/// was passed that often.
fn panic_once(point: &'static str, nth: u64, (name, act): Act) -> bool {
    let context = format!("{point}, passage {nth}, in {name}");
    let (plan, mut load) = (Plan::default(), Load::new());
    load.record();
    load.pass();
    let before = load.metrics.snapshot();
    load.record();
    let installed = plan.install();
    plan.panic_at(point, nth);
    act(&mut load);
    plan.disarm();
    load.record();
    for _ in 0..8 {
        load.pass();
    }
    drop(installed);
    let snapshot = load.metrics.snapshot();
    assert!(snapshot.version() > before.version(), "{context}");
    load.check(&snapshot, &context);
    assert_eq!(total(&snapshot, "telemetry.panics"), i128::from(plan.panics()), "{context}");
    let panicked = snapshot.find("telemetry.dropped", &[("reason", "panicked")]);
    let panicked = panicked.and_then(|series| series.value.as_counter()).expect("own");
    let lost = plan.panics() > 0 && point == "fold: a sample";
    assert!(panicked.lifetime.value <= i128::from(plan.panics()), "{context}");
    assert!(!lost || panicked.lifetime.value == 1, "{context}: the sample is a counted drop");
    // Three are owned: one per recorder and this thread's; as many may be idle, plus two.
    assert_eq!(level(&snapshot, "telemetry.recorders"), 3.0, "{context}");
    assert_eq!(level(&snapshot, "telemetry.lanes"), 8.0, "{context}: surplus lanes go");
    let lanes = load.metrics.core().shared.lanes();
    assert!(lanes.iter().all(|lane| !lane.is_retired()), "{context}: wholly");
    plan.panics() > 0
}

#[test]
fn a_panic_at_any_place_of_a_pass_loses_nothing_and_counts_nothing_twice() {
    for point in POINTS {
        for act in ACTS {
            for nth in [1, 2, 3, 17] {
                let passed = panic_once(point, nth, act);
                assert!(passed || nth > 1 || act.0 != "run_pass", "a pass comes by {point}");
            }
        }
    }
}

#[test]
fn a_panic_at_a_traced_sample_takes_no_trace_but_that_samples() {
    let trace = |id: u8| crate::Trace::new([id; 16], [id; 8]).expect("not zero");
    for (nth, kept) in [(1, 2), (2, 1), (3, 1)] {
        let (plan, metrics) = (Plan::default(), MetricsCollector::builder().manual().build());
        let timing = metrics.register_timing("t");
        for id in 1..=2 {
            timing.record_traced(Duration::from_millis(5), trace(id));
        }
        timing.record(Duration::from_millis(5));
        let installed = plan.install();
        plan.panic_at("fold: a sample", nth);
        for _ in 0..2 {
            metrics.run_pass(Instant::now(), SystemTime::UNIX_EPOCH);
        }
        drop(installed);
        let snapshot = metrics.snapshot();
        let series = snapshot.find("t", &[]).expect("recorded");
        assert_eq!((plan.panics(), series.dropped), (1, 1), "at {nth}");
        let exemplar = series.exemplar.as_ref().map(|exemplar| exemplar.trace);
        assert_eq!(exemplar, Some(trace(kept)), "at {nth}");
    }
}

#[test]
fn what_is_recorded_between_the_drain_and_the_retirement_of_a_lane_is_kept() {
    let (plan, mut load) = (Plan::default(), Load::new());
    drop((0..8).map(|_| load.metrics.recorder()).collect::<Vec<_>>());
    load.record();
    let _installed = plan.install();
    let (metrics, hits, latency) = (load.metrics.clone(), load.hits.clone(), load.latency.clone());
    let lanes = load.metrics.core().shared.lanes();
    let closed = lanes.iter().filter(|lane| lane.is_closed()).count();
    plan.run_at("pass: folded", move || {
        // Each takes a lane that the pass has just drained, and closes it again.
        for recorder in (0..closed).map(|_| metrics.recorder()).collect::<Vec<_>>() {
            recorder.increment(&hits);
            recorder.record_ns(&latency, 3);
        }
    });
    load.pass();
    let left = load.metrics.core().shared.lanes().len();
    assert_eq!(left, lanes.len() - 1, "one was retired");
    for _ in 0..closed {
        load.note("hits", 1);
        load.note("latency", 3);
    }
    load.pass();
    load.check(&load.metrics.snapshot(), "retired");
}

#[test]
fn a_gauge_that_is_set_during_the_pass_after_a_reset_shows_nothing_from_before_it() {
    let (plan, load) = (Plan::default(), Load::new());
    load.depth.set(2.0);
    load.metrics.reset();
    let _installed = plan.install();
    let depth = load.depth.clone();
    // The pass has loaded 2, but still finds the sample of the 5.
    plan.run_at("pass: gauges loaded", move || depth.set(5.0));
    let snapshot = load.metrics.get_all_metrics();
    assert_eq!(level(&snapshot, "depth"), 5.0);
}

#[test]
fn a_read_that_panics_is_repeated_and_has_its_answer() {
    for point in ["drain: a block is read", "fold: a cell", "pass: settled", "build: a series"] {
        let (plan, mut load) = (Plan::default(), Load::new());
        load.record();
        let _installed = plan.install();
        plan.panic_at(point, 1);
        let snapshot = load.metrics.get_all_metrics();
        assert_eq!(plan.panics(), 1, "{point}");
        load.check(&snapshot, point);
    }
}

#[test]
fn a_read_that_panics_twice_answers_with_the_last_snapshot() {
    let (plan, mut load) = (Plan::default(), Load::new());
    load.record();
    load.pass();
    let published = load.metrics.snapshot();
    let _installed = plan.install();
    plan.panic_at("pass: settled", 1);
    plan.panic_at("pass: settled", 2);
    assert_eq!(load.metrics.get_all_metrics().version(), published.version());
    plan.panic_at("drain: between lanes", 1);
    plan.panic_at("drain: between lanes", 2);
    assert_eq!(load.metrics.get_timing("latency"), None);
    load.check(&load.metrics.get_all_metrics(), "afterwards");
}

#[test]
fn a_reset_that_panics_is_repeated_and_forgets_everything_once() {
    for point in POINTS {
        let (plan, mut load) = (Plan::default(), Load::new());
        load.record();
        load.pass();
        load.record();
        let installed = plan.install();
        plan.panic_at(point, 1);
        load.metrics.reset();
        plan.disarm();
        drop(installed);
        let latency = load.metrics.get_timing("latency").expect("registered");
        assert_eq!((latency.count, latency.sum, latency.max), (0, 0.0, None), "{point}");
        assert_eq!(load.metrics.get_counter("hits").map(|c| c.value), Some(0), "{point}");
        assert_eq!(load.metrics.get_counter("late"), None, "{point}");
        load.latency.record_ns(5);
        assert_eq!(load.metrics.get_timing("latency").map(|t| t.count), Some(1), "{point}");
    }
}

#[test]
fn a_shutdown_that_panics_still_reports_everything() {
    for point in POINTS {
        let (plan, mut load) = (Plan::default(), Load::new());
        load.record();
        load.pass();
        load.record();
        let installed = plan.install();
        plan.panic_at(point, 1);
        let report = load.metrics.shutdown(SECOND);
        drop(installed);
        assert_eq!(report.recorded, report.aggregated + report.dropped, "{point}");
        let recorded: u64 = load.recorded.values().map(|recorded| recorded.count).sum();
        assert_eq!(report.recorded, recorded, "{point}");
        assert_eq!(report.unfinished_lanes, 2, "{point}");
    }
}

#[test]
fn a_panic_while_the_last_clone_is_dropped_ends_in_there() {
    let plan = Plan::default();
    let installed = plan.install();
    let mut load = Load::new();
    load.record();
    plan.panic_at("fold: between lanes", 1);
    plan.panic_at("fold: between lanes", 2);
    drop(load);
    drop(installed);
    assert_eq!(plan.panics(), 2);
}
