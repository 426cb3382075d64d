//! What does recording cost: switched on, switched off, compiled out?
//!
//! Built with `--no-default-features`, recording is compiled out and the same operations show
//! what is left of them.

use std::time::{Instant, SystemTime};

use benches::{
    Case, Figures, OtherThread, Plan, SharedClock, Table, empty, every_record, measure, number,
    own_word, own_word_of_thread, two_instants, two_stamps,
};
use tachograph::{Counter, Gauge, Histogram, MetricsCollector, Recorder, Timing};

/// A quarter of the lane that a thread starts with: the ring is never full.
const BURST: u64 = 1_024;
const PLAN: Plan = Plan { threads: 1, rounds: 25, bursts: 40, burst: BURST };

const TAG: (&str, &str) = ("event_type", "/live/scene/added");

/// The least that an operation could cost, measured in the same rounds.
#[derive(Clone, Copy)]
enum Limit {
    OwnWord = 1,
    OwnWordOfThread,
    TwoStamps,
}

/// The cases in front of the operations: the loop alone, then the limits.
fn limits<'a>() -> Vec<Case<'a>> {
    vec![empty(), own_word(), own_word_of_thread(), two_stamps(), two_instants()]
}

/// An operation's place in the table.
struct Row {
    make: fn(&Bed) -> Case<'_>,
    limit: Limit,
    budget: &'static str,
}

const fn row(make: fn(&Bed) -> Case<'_>, limit: Limit, budget: &'static str) -> Row {
    Row { make, limit, budget }
}

const ROWS: [Row; 14] = [
    row(counter_by_recorder, Limit::OwnWord, "x 1.2"),
    row(counter_by_handle, Limit::OwnWordOfThread, "x 1.5"),
    row(counter_by_name, Limit::OwnWord, "6 ns"),
    row(counter_by_name_and_tag, Limit::OwnWord, "12 ns"),
    row(gauge_by_handle, Limit::OwnWord, "3.5 ns"),
    row(gauge_by_name, Limit::OwnWord, "6 ns"),
    row(timing_by_recorder, Limit::OwnWord, "2.5 ns"),
    row(timing_by_handle, Limit::OwnWord, "3.5 ns"),
    row(timing_by_name, Limit::OwnWord, "6 ns"),
    row(histogram_by_recorder, Limit::OwnWord, "2.5 ns"),
    row(histogram_by_handle, Limit::OwnWord, "3.5 ns"),
    row(timer_by_recorder, Limit::TwoStamps, "x 1.15"),
    row(timer_by_handle, Limit::TwoStamps, "x 1.15"),
    row(timer_by_name, Limit::TwoStamps, ""),
];

/// A collector that passes by hand, and a handle of each kind.
struct Bed {
    metrics: MetricsCollector,
    /// What is recorded while recording is on for a moment.
    warm: Counter,
    counter: Counter,
    gauge: Gauge,
    timing: Timing,
    histogram: Histogram,
    timer: Timing,
}

impl Bed {
    fn of(metrics: MetricsCollector) -> Self {
        Self {
            warm: metrics.register_counter("warm"),
            counter: metrics.register_counter("counter.handle"),
            gauge: metrics.register_gauge("gauge.handle"),
            timing: metrics.register_timing("timing.handle"),
            histogram: metrics.register_histogram("histogram.handle"),
            timer: metrics.register_timing("timer.handle"),
            metrics,
        }
    }

    fn pass(&self) {
        self.metrics.run_pass(Instant::now(), SystemTime::now());
    }

    /// A recorder, and a handle that is recorded nowhere else.
    fn recorder<H: Clone>(&self, handle: &H) -> (Recorder, H) {
        (self.metrics.recorder(), handle.clone())
    }

    fn counted(&self, name: &str, operations: u64) {
        every_record(self.metrics.get_counter(name).map(|stats| stats.value), operations);
    }

    /// Every value is its number in its burst, so the sum is known too.
    fn timed(&self, name: &str, operations: u64) {
        let stats = self.metrics.get_timing(name);
        every_record(stats.as_ref().map(|stats| stats.count), operations);
        let sum = stats.map(|stats| stats.buckets().sum());
        every_record(sum, operations / BURST * (BURST * (BURST - 1) / 2));
    }

    /// As `timed`, of durations that nobody knows beforehand.
    fn ended(&self, name: &str, operations: u64) {
        every_record(self.metrics.get_timing(name).map(|stats| stats.count), operations);
    }

    fn set(&self, name: &str, operations: u64) {
        let stats = self.metrics.get_gauge(name);
        let current = stats.and_then(|stats| stats.current);
        every_record(stats.map(|stats| stats.count), operations);
        assert_eq!(current, cfg!(feature = "record").then_some(0.5));
    }

    /// Asserts that recording did nothing while it was off.
    fn assert_warm_only(&self) {
        self.metrics.set_enabled(true);
        let of = |name| self.metrics.get_counter(name).map(|stats| stats.value);
        assert_eq!(of("telemetry.recorded"), of("warm"));
        self.metrics.set_enabled(false);
    }

    /// Asserts that nothing was coalesced or dropped: that the ring was never full.
    fn assert_never_full(&self) {
        let of = |name: &str, tags: &[_]| self.metrics.with_tags(tags).get_counter(name);
        assert_eq!(of("telemetry.coalesced", &[]).map(|stats| stats.value), Some(0));
        let dropped = of("telemetry.dropped", &[("reason", "overload")]);
        assert_eq!(dropped.map_or(0, |stats| stats.value), 0);
    }
}

fn counter_by_recorder(bed: &Bed) -> Case<'_> {
    let counter = bed.metrics.register_counter("counter.recorder");
    let subject = move || bed.recorder(&counter);
    Case::new("counter, Recorder", subject, |(recorder, counter), _| recorder.increment(counter))
        .check(|operations| bed.counted("counter.recorder", operations))
}

fn counter_by_handle(bed: &Bed) -> Case<'_> {
    Case::new("counter, handle", || bed.counter.clone(), |counter, _| counter.increment())
        .check(|operations| bed.counted("counter.handle", operations))
}

fn counter_by_name(bed: &Bed) -> Case<'_> {
    let subject = || bed.metrics.clone();
    Case::new("counter, name", subject, |metrics, _| metrics.increment("counter.name"))
        .check(|operations| bed.counted("counter.name", operations))
}

fn counter_by_name_and_tag(bed: &Bed) -> Case<'_> {
    let subject = || (bed.metrics.clone(), TAG.1);
    Case::new("counter, name and a tag", subject, |(metrics, value), _| {
        metrics.with_tags(&[(TAG.0, *value)]).increment("counter.tag");
    })
    .check(|operations| {
        let found = bed.metrics.with_tags(&[TAG]).get_counter("counter.tag");
        every_record(found.map(|stats| stats.value), operations);
    })
}

fn gauge_by_handle(bed: &Bed) -> Case<'_> {
    Case::new("gauge, handle", || (bed.gauge.clone(), 0.5), |(gauge, value), _| gauge.set(*value))
        .check(|operations| bed.set("gauge.handle", operations))
}

fn gauge_by_name(bed: &Bed) -> Case<'_> {
    Case::new(
        "gauge, name",
        || (bed.metrics.clone(), 0.5),
        |(metrics, value), _| {
            metrics.gauge("gauge.name", *value);
        },
    )
    .check(|operations| bed.set("gauge.name", operations))
}

fn timing_by_recorder(bed: &Bed) -> Case<'_> {
    let timing = bed.metrics.register_timing("timing.recorder");
    Case::new(
        "timing, Recorder",
        move || bed.recorder(&timing),
        |(recorder, timing), i| {
            recorder.record_ns(timing, i);
        },
    )
    .check(|operations| bed.timed("timing.recorder", operations))
}

fn timing_by_handle(bed: &Bed) -> Case<'_> {
    Case::new("timing, handle", || bed.timing.clone(), |timing, i| timing.record_ns(i))
        .check(|operations| bed.timed("timing.handle", operations))
}

fn timing_by_name(bed: &Bed) -> Case<'_> {
    Case::new(
        "timing, name",
        || bed.metrics.clone(),
        |metrics, i| {
            metrics.timing("timing.name", std::time::Duration::from_nanos(i));
        },
    )
    .check(|operations| bed.timed("timing.name", operations))
}

fn histogram_by_recorder(bed: &Bed) -> Case<'_> {
    let histogram = bed.metrics.register_histogram("histogram.recorder");
    Case::new(
        "histogram, Recorder",
        move || bed.recorder(&histogram),
        |(recorder, sizes), i| {
            recorder.record(sizes, i);
        },
    )
    .check(|operations| bed.timed("histogram.recorder", operations))
}

fn histogram_by_handle(bed: &Bed) -> Case<'_> {
    Case::new("histogram, handle", || bed.histogram.clone(), |histogram, i| histogram.record(i))
        .check(|operations| bed.timed("histogram.handle", operations))
}

fn timer_by_recorder(bed: &Bed) -> Case<'_> {
    let timing = bed.metrics.register_timing("timer.recorder");
    Case::new(
        "timer, Recorder",
        move || bed.recorder(&timing),
        |(recorder, timing), _| {
            drop(recorder.start(timing));
        },
    )
    .check(|operations| bed.ended("timer.recorder", operations))
}

fn timer_by_handle(bed: &Bed) -> Case<'_> {
    Case::new("timer, handle", || bed.timer.clone(), |timing, _| drop(timing.start()))
        .check(|operations| bed.ended("timer.handle", operations))
}

fn timer_by_name(bed: &Bed) -> Case<'_> {
    Case::new(
        "timer, name",
        || bed.metrics.clone(),
        |metrics, _| {
            drop(metrics.timer("timer.name"));
        },
    )
    .check(|operations| bed.ended("timer.name", operations))
}

/// A timing whose lane has no free block from the warm-up on.
fn overload(bed: &Bed) -> Case<'_> {
    Case::new("timing, overload", || bed.timing.clone(), |timing, i| timing.record_ns(i)).check(
        |operations| {
            bed.timed("timing.handle", operations);
            let coalesced = bed.metrics.get_counter("telemetry.coalesced");
            let coalesced = coalesced.expect("the collector's own").value;
            // What filled two lanes before each of the four checks was not coalesced.
            let least = i128::from(operations) - 8 * i128::from(BURST);
            assert!(coalesced >= least || !cfg!(feature = "record"));
        },
    )
}

/// Each operation with a pass between bursts.
fn with_passes(bed: &Bed) -> impl Iterator<Item = Case<'_>> {
    ROWS.iter().map(|row| (row.make)(bed).between(|| bed.pass()))
}

/// Each operation on a thread that has recorded before recording was switched off.
fn switched_off(bed: &Bed) -> impl Iterator<Item = Case<'_>> {
    ROWS.iter().map(|row| {
        (row.make)(bed)
            .before(|| {
                bed.metrics.set_enabled(true);
                bed.warm.increment();
                bed.metrics.set_enabled(false);
            })
            .check(|_| bed.assert_warm_only())
    })
}

/// Each operation on a thread that has never recorded.
fn never_on(bed: &Bed) -> impl Iterator<Item = Case<'_>> {
    bed.metrics.set_enabled(false);
    ROWS.iter().map(|row| (row.make)(bed).check(|_| bed.assert_warm_only()))
}

/// A timing whose blocks were read by another core since they were last written, as the
/// background aggregator does.
fn drained_elsewhere<'a>(bed: &'a Bed, other: &'a OtherThread) -> Case<'a> {
    timing_by_handle(bed).named("timing, other core reads").between(|| other.run())
}

fn print_on_and_off() {
    let shared = SharedClock::new();
    let bed = || Bed::of(MetricsCollector::builder().manual().clock(shared.clock()).build());
    let (on, elsewhere, off, never) = (bed(), bed(), bed(), bed());
    let stalled = Bed::of(MetricsCollector::builder().manual().lane_blocks(2, 2).build());
    let metrics = elsewhere.metrics.clone();
    let other = OtherThread::new(move || metrics.run_pass(Instant::now(), SystemTime::now()));

    let mut cases = limits();
    let first = cases.len();
    cases.extend(with_passes(&on).chain([overload(&stalled)]));
    let two = measure(&cases, Plan { threads: 2, ..PLAN });
    // Alone: its passes take the second core.
    cases.push(drained_elsewhere(&elsewhere, &other));
    let switched = cases.len();
    cases.extend(switched_off(&off).chain(never_on(&never)));
    let one = measure(&cases, PLAN);
    on.assert_never_full();

    let mut table = Table::new(title("Recording", one[0]), &HEADER);
    let mut add = |i: usize, limit: Option<Limit>, budget: &str, off: Option<[Figures; 2]>| {
        let alone = one[i].over(one[0]);
        let together = two
            .get(i)
            .map(|two_of_it| [two_of_it.over(two[0]).median, two_of_it.times(one[i])].map(number));
        let [together, times_one] = together.unwrap_or_default();
        let times = limit.map(|limit| number(one[i].times(one[limit as usize])));
        let [off, never] = off.map_or_else(Default::default, |off| {
            off.map(|figures| number(figures.over(one[0]).median))
        });
        table.row([
            cases[i].name().to_owned(),
            number(alone.min),
            number(alone.median),
            times.unwrap_or_default(),
            budget.to_owned(),
            together,
            times_one,
            off,
            never,
        ]);
    };
    (1..first).for_each(|i| add(i, None, "", None));
    for (i, row) in ROWS.iter().enumerate() {
        let off = [one[switched + i], one[switched + ROWS.len() + i]];
        add(first + i, Some(row.limit), row.budget, Some(off));
    }
    add(switched - 2, Some(Limit::OwnWord), "10 ns", None);
    add(switched - 1, Some(Limit::OwnWord), "3.5 ns", None);
    table.print();
}

/// Ratios are of whole figures, the loop's share included, so that they stay finite where an
/// operation costs next to nothing.
const HEADER: [&str; 9] =
    ["operation", "min", "median", "x limit", "budget", "2 threads", "x one", "off", "never on"];

fn title(what: &str, empty: Figures) -> String {
    let (empty, rounds) = (number(empty.median), PLAN.rounds);
    format!("{what}: ns an operation, over {empty} for the loop alone; {rounds} rounds")
}

/// What is left of each operation where recording was compiled out.
fn print_compiled_out() {
    let bed = Bed::of(MetricsCollector::builder().manual().build());
    let mut cases = limits();
    let first = cases.len();
    cases.extend(with_passes(&bed));
    let figures = measure(&cases, PLAN);
    let title = title("Recording, compiled out", figures[0]);
    let mut table = Table::new(title, &["operation", "min", "median"]);
    for (case, figures_of_case) in cases.iter().zip(&figures).skip(first) {
        let over = figures_of_case.over(figures[0]);
        table.row([case.name().to_owned(), number(over.min), number(over.median)]);
    }
    table.print();
}

fn main() {
    if cfg!(feature = "record") { print_on_and_off() } else { print_compiled_out() }
}
