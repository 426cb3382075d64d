//! How many instructions does recording take?
//!
//! `cargo xtask instructions` runs this under callgrind, which counts only what happens inside
//! [`counted`]. Each operation is counted twice with different numbers of repeats: the difference
//! is exactly the operation and its loop, and the empty loop is counted too. Run directly, the
//! program only checks that every operation does what it should. An argument selects the operations
//! whose names contain it; `--counted` prints a line for every call of [`counted`].
#![allow(clippy::print_stdout, reason = "a command-line program")]

use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime};

use benches::{SharedClock, every_record};
use tachograph::{Clock, MetricsCollector, global, increment, set_global, tag_set, timing};

/// The series that is recorded, and its tag if it has one.
const NAME: &str = "event.processing";
const TAG: (&str, &str) = ("event_type", "/live/scene/added");

/// The series that the macro for timings records into: the process's collector has both, and a name
/// has one kind.
const TIMED: &str = "event.duration";

/// Operations that record into the process's collector.
const COUNTER_MACRO: &str = "counter, macro";
const TIMING_MACRO: &str = "timing, macro";

tag_set! {
    enum Event: "event_type" {
        Scene = "/live/scene/added",
        Track = "/live/track/added",
    }
}

/// Repeats an operation the given number of times.
type Repeat = Box<dyn FnMut(u64)>;

struct Operation {
    name: &'static str,
    start: fn(&MetricsCollector) -> Repeat,
    /// The number of repeats in the first and in the second count.
    times: [u64; 2],
}

/// An operation whose samples all go into a block with room for them.
const fn operation(name: &'static str, start: fn(&MetricsCollector) -> Repeat) -> Operation {
    Operation { name, start, times: [64, 320] }
}

/// Like [`operation`], over enough samples that whole blocks share out exactly.
const fn over_blocks(name: &'static str, start: fn(&MetricsCollector) -> Repeat) -> Operation {
    Operation { name, start, times: [512, 1_536] }
}

const LOOP_ALONE: Operation = operation("the loop alone", |_| repeat((), |(), _| ()));

const OPERATIONS: [Operation; 31] = [
    operation("counter, Recorder", |metrics| {
        let subject = (metrics.recorder(), metrics.register_counter(NAME));
        repeat(subject, |(recorder, counter), _| recorder.increment(counter))
    }),
    operation("counter, handle", |metrics| {
        repeat(metrics.register_counter(NAME), |counter, _| counter.increment())
    }),
    operation(COUNTER_MACRO, |_| repeat((), |(), _| increment!(NAME))),
    operation("counter, family", |metrics| {
        let subject = (metrics.register_counter_family::<Event>(NAME), Event::Scene);
        repeat(subject, |(family, event), _| family.get(event).increment())
    }),
    operation("counter, name", |metrics| {
        repeat(metrics.clone(), |metrics, _| metrics.increment(NAME))
    }),
    operation("counter, name and a tag", |metrics| {
        repeat((metrics.clone(), TAG.1), |(metrics, value), _| {
            metrics.with_tags(&[(TAG.0, *value)]).increment(NAME);
        })
    }),
    operation("counter, handle, eighth collector", |metrics| {
        let subject = (metrics.register_counter(NAME), seven_others());
        repeat(subject, |(counter, _), _| counter.increment())
    }),
    operation("counter, name, eighth collector", |metrics| {
        repeat((metrics.clone(), seven_others()), |(metrics, _), _| metrics.increment(NAME))
    }),
    operation("up-down counter, Recorder", |metrics| {
        let subject = (metrics.recorder(), metrics.register_up_down_counter(NAME));
        repeat(subject, |(recorder, counter), _| recorder.increment_by(counter, 1))
    }),
    operation("up-down counter, handle", |metrics| {
        repeat(metrics.register_up_down_counter(NAME), |counter, _| counter.increment())
    }),
    operation("gauge, Recorder", |metrics| {
        let subject = (metrics.recorder(), metrics.register_gauge(NAME), 0.5);
        repeat(subject, |(recorder, gauge, value), _| recorder.set(gauge, *value))
    }),
    operation("gauge, handle", |metrics| {
        repeat((metrics.register_gauge(NAME), 0.5), |(gauge, value), _| gauge.set(*value))
    }),
    operation("gauge, handle, add", |metrics| {
        repeat((metrics.register_gauge(NAME), 0.5), |(gauge, amount), _| gauge.add(*amount))
    }),
    operation("gauge, name", |metrics| {
        repeat((metrics.clone(), 0.5), |(metrics, value), _| metrics.gauge(NAME, *value))
    }),
    operation("timing, Recorder", timing_by_recorder),
    operation("timing, handle", timing_by_handle),
    operation(TIMING_MACRO, |_| repeat((), |(), i| timing!(TIMED, Duration::from_nanos(i)))),
    operation("timing, family", |metrics| {
        let subject = (metrics.register_timing_family::<Event>(NAME), Event::Scene);
        repeat(subject, |(family, event), i| family.get(event).record_ns(i))
    }),
    operation("timing, name", |metrics| {
        repeat(metrics.clone(), |metrics, i| metrics.timing(NAME, Duration::from_nanos(i)))
    }),
    operation("timing, name and a tag", |metrics| {
        repeat((metrics.clone(), TAG.1), |(metrics, value), i| {
            metrics.with_tags(&[(TAG.0, *value)]).timing(NAME, Duration::from_nanos(i));
        })
    }),
    over_blocks("timing, Recorder, over blocks", timing_by_recorder),
    over_blocks("timing, handle, over blocks", timing_by_handle),
    operation("histogram, Recorder", |metrics| {
        let subject = (metrics.recorder(), metrics.register_histogram(NAME));
        repeat(subject, |(recorder, sizes), i| recorder.record(sizes, i))
    }),
    operation("histogram, handle", |metrics| {
        repeat(metrics.register_histogram(NAME), |sizes, i| sizes.record(i))
    }),
    operation("histogram, name", |metrics| {
        repeat(metrics.clone(), |metrics, i| metrics.histogram(NAME, i))
    }),
    operation("timer, Recorder", |metrics| {
        let subject = (metrics.recorder(), metrics.register_timing(NAME));
        repeat(subject, |(recorder, timing), _| drop(recorder.start(timing)))
    }),
    operation("timer, handle", |metrics| {
        repeat(metrics.register_timing(NAME), |timing, _| drop(timing.start()))
    }),
    operation("stamps, Recorder", |metrics| {
        let subject = (metrics.recorder(), metrics.register_timing(NAME));
        repeat(subject, |(recorder, timing), _| {
            recorder.record_since(timing, recorder.now());
        })
    }),
    operation("stamps, handle", |metrics| {
        repeat((metrics.clone(), metrics.register_timing(NAME)), |(metrics, timing), _| {
            timing.record_since(metrics.now());
        })
    }),
    operation("timer, name", |metrics| {
        repeat(metrics.clone(), |metrics, _| drop(metrics.timer(NAME)))
    }),
    operation("timer, name and a tag", |metrics| {
        repeat((metrics.clone(), TAG.1), |(metrics, value), _| {
            drop(metrics.with_tags(&[(TAG.0, *value)]).timer(NAME));
        })
    }),
];

/// Operations that find no free block.
const OVERLOADED: [Operation; 2] = [
    operation("timing, Recorder, overload", timing_by_recorder),
    operation("timing, handle, overload", timing_by_handle),
];

/// Other collectors that this thread records into; one more is already gone.
fn seven_others() -> Vec<MetricsCollector> {
    let others = (0..8).map(|_| MetricsCollector::builder().manual().build());
    let mut others: Vec<_> = others.inspect(|metrics| metrics.increment(NAME)).collect();
    others.remove(0);
    others
}

fn timing_by_recorder(metrics: &MetricsCollector) -> Repeat {
    let subject = (metrics.recorder(), metrics.register_timing(NAME));
    repeat(subject, |(recorder, timing), i| recorder.record_ns(timing, i))
}

fn timing_by_handle(metrics: &MetricsCollector) -> Repeat {
    repeat(metrics.register_timing(NAME), |timing, i| timing.record_ns(i))
}

/// Repeats `act`, which gets its subject and its number in the round.
fn repeat<S: 'static>(subject: S, act: impl Fn(&S, u64) + 'static) -> Repeat {
    // `black_box` hides the subject's address on every call, so nothing that the operation reads
    // from it can stay in a register.
    Box::new(move |times| (0..times).for_each(|i| act(black_box(&subject), i)))
}

/// The function that callgrind counts.
#[inline(never)]
fn counted(repeat: &mut Repeat, times: u64) {
    repeat(times);
    // Prevents a tail call, which would leave this function before the call happens.
    black_box(());
}

/// Whether to print the calls of [`counted`].
fn tells() -> bool {
    std::env::args().any(|argument| argument == "--counted")
}

/// What an operation works with, and what must have been recorded.
struct Bed {
    metrics: MetricsCollector,
    /// The number of operations recorded.
    recorded: u64,
}

impl Bed {
    fn new(clock: Clock) -> Self {
        let metrics = MetricsCollector::builder().manual().clock(clock).build();
        Self { metrics, recorded: 0 }
    }

    /// The collector that an operation records into: one of its own, or the process's.
    fn of(operation: &Operation, clock: &Clock) -> Self {
        let bed = Self::new(clock.clone());
        if ![COUNTER_MACRO, TIMING_MACRO].contains(&operation.name) {
            return bed;
        }
        // Err: it is set already.
        let _ = set_global(bed.metrics);
        let metrics = global().clone();
        metrics.reset();
        Self { metrics, recorded: 0 }
    }

    fn pass(&self) {
        self.metrics.run_pass(Instant::now(), SystemTime::now());
    }

    /// Repeats an operation without counting it.
    fn warm(&mut self, repeat: &mut Repeat, times: u64) {
        repeat(times);
        self.recorded += times;
    }

    /// Has an operation counted twice and prints the calls.
    fn count(&mut self, mode: &str, operation: &Operation, repeat: &mut Repeat, pass: bool) {
        for times in operation.times {
            counted(repeat, times);
            if tells() {
                println!("{mode}\t{}\t{times}", operation.name);
            }
            if self.metrics.enabled() {
                self.recorded += times;
            }
            if pass {
                self.pass();
            }
        }
    }

    /// Asserts that everything was recorded while recording was on, and nothing else.
    fn check(&self) {
        let series = [(NAME, &[][..]), (NAME, &[TAG]), (TIMED, &[])];
        let found = series.map(|(name, tags)| {
            let metrics = self.metrics.with_tags(tags);
            let counter = metrics.get_counter(name).map(|stats| stats.value);
            let gauge = || metrics.get_gauge(name).map(|stats| i128::from(stats.count));
            let timing = || metrics.get_timing(name).map(|stats| i128::from(stats.count));
            counter.or_else(gauge).or_else(timing)
        });
        every_record(found.into_iter().flatten().max(), self.recorded);
    }
}

/// More samples than a lane of two blocks holds.
const TOO_MANY: u64 = 2_000;

fn loop_alone() {
    let mut bed = Bed::new(Clock::system());
    bed.count("on", &LOOP_ALONE, &mut (LOOP_ALONE.start)(&bed.metrics), true);
}

fn on(operation: &Operation, clock: &Clock) {
    let mut bed = Bed::of(operation, clock);
    let mut repeat = (operation.start)(&bed.metrics);
    // Cells and rows exist after the first pass.
    for _ in 0..2 {
        bed.warm(&mut repeat, 8);
        bed.pass();
    }
    bed.count("on", operation, &mut repeat, true);
    bed.check();
}

fn overloaded(operation: &Operation) {
    let metrics = MetricsCollector::builder().manual().lane_blocks(2, 2).build();
    let mut bed = Bed { metrics, recorded: 0 };
    let mut repeat = (operation.start)(&bed.metrics);
    bed.warm(&mut repeat, TOO_MANY);
    bed.count("on", operation, &mut repeat, false);
    bed.check();
    let coalesced = bed.metrics.get_counter("telemetry.coalesced").map(|stats| stats.value);
    let counted: u64 = operation.times.iter().sum();
    assert!(!cfg!(feature = "record") || coalesced >= Some(i128::from(counted)));
}

fn off(operation: &Operation, clock: &Clock) {
    let mut bed = Bed::of(operation, clock);
    let mut repeat = (operation.start)(&bed.metrics);
    bed.warm(&mut repeat, 8);
    bed.pass();
    bed.metrics.set_enabled(false);
    bed.count("off", operation, &mut repeat, false);
    // A collector that is switched off reports nothing.
    bed.metrics.set_enabled(true);
    bed.check();
}

fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let is_wanted = |operation: &&Operation| {
        wanted.as_ref().is_none_or(|wanted| operation.name.contains(wanted.as_str()))
    };
    let shared = SharedClock::new();
    let clock = shared.clock();
    loop_alone();
    for operation in OPERATIONS.iter().filter(is_wanted) {
        on(operation, &clock);
    }
    for operation in OVERLOADED.iter().filter(is_wanted) {
        overloaded(operation);
    }
    for operation in OPERATIONS.iter().filter(is_wanted) {
        off(operation, &clock);
    }
    if !tells() {
        println!("Every operation does what it should; `cargo xtask instructions` counts them.");
    }
}
