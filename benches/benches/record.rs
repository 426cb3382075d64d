//! What does recording cost switched on, switched off and compiled out?
//!
//! Passes run between bursts. With one thread, they run on that thread or, like the background
//! aggregator's, on another core. With two threads, the first one runs them: the first is like a
//! single thread that runs its own passes, the second like a single thread that another core reads.
//! Each is compared with its counterpart.
//!
//! With `--no-default-features` recording is compiled out, and the same operations show the
//! remaining cost.

use std::time::{Instant, SystemTime};

use benches::{
    Bed, Budgets, Case, Figures, OtherThread, Plan, SharedClock, Table, calls, empty, measure,
    measure_threads, number, own_word, own_word_of_thread, two_instants, two_stamps,
};
use tachograph::MetricsCollector;

/// The minimum that an operation could cost, measured in the same rounds.
#[derive(Clone, Copy)]
enum Limit {
    OwnWord = 1,
    OwnWordOfThread,
    TwoStamps,
}

/// The cases before the operations: the loop alone, then the limits.
fn limits<'a>() -> Vec<Case<'a>> {
    vec![empty(), own_word(), own_word_of_thread(), two_stamps(), two_instants()]
}

/// The upper bound for an operation.
#[derive(Clone, Copy)]
enum Budget {
    /// A multiple of its limit.
    Times(f64),
    /// Nanoseconds over the loop alone.
    Nanos(f64),
    None,
}

/// An operation's row in the table.
struct Row {
    make: fn(&Bed) -> Case<'_>,
    limit: Limit,
    budget: Budget,
    /// The bound on each of two threads at once, as a multiple of its single-thread counterpart.
    two_threads: f64,
}

const fn row(make: fn(&Bed) -> Case<'_>, limit: Limit, budget: Budget) -> Row {
    Row { make, limit, budget, two_threads: SAME }
}

/// "The same", with room for the machine's variation from round to round.
const SAME: f64 = 1.15;

const ROWS: [Row; 17] = [
    row(calls::counter_by_recorder, Limit::OwnWord, Budget::Times(1.2)),
    row(calls::counter_by_handle, Limit::OwnWordOfThread, Budget::Times(1.5)),
    row(calls::counter_by_name, Limit::OwnWord, Budget::Nanos(6.0)),
    row(calls::counter_by_name_and_tag, Limit::OwnWord, Budget::Nanos(12.0)),
    row(calls::counter_by_handle_of_eighth, Limit::OwnWordOfThread, Budget::None),
    row(calls::counter_by_name_of_eighth, Limit::OwnWord, Budget::None),
    shared(row(calls::gauge_by_recorder, Limit::OwnWord, Budget::None)),
    shared(row(calls::gauge_by_handle, Limit::OwnWord, Budget::Nanos(3.5))),
    shared(row(calls::gauge_by_name, Limit::OwnWord, Budget::Nanos(6.0))),
    row(calls::timing_by_recorder, Limit::OwnWord, Budget::Nanos(2.5)),
    row(calls::timing_by_handle, Limit::OwnWord, Budget::Nanos(3.5)),
    row(calls::timing_by_name, Limit::OwnWord, Budget::Nanos(6.0)),
    row(calls::histogram_by_recorder, Limit::OwnWord, Budget::Nanos(2.5)),
    row(calls::histogram_by_handle, Limit::OwnWord, Budget::Nanos(3.5)),
    row(calls::timer_by_recorder, Limit::TwoStamps, Budget::Times(1.15)),
    row(calls::timer_by_handle, Limit::TwoStamps, Budget::Times(1.15)),
    row(calls::timer_by_name, Limit::TwoStamps, Budget::None),
];

/// A gauge's current value is one word that all threads store to.
const fn shared(row: Row) -> Row {
    Row { two_threads: 2.0, ..row }
}

/// Upper bound for any of a thread's first eight collectors, as a multiple of a single one.
const EIGHTH_TIMES: f64 = 1.2;
/// Upper bounds while recording is switched off: for a call by handle, and for a timer.
const OFF_NANOS: [(&str, f64); 2] = [("handle", 0.3), ("timer", 1.0)];
/// Upper bound for a macro, as a multiple of the handle.
const MACRO_TIMES: f64 = 1.3;
/// Upper bound for a sample that finds no free block.
const OVERLOAD_NANOS: f64 = 10.0;

/// A timing whose lane has had no free block since the warm-up.
fn overload(bed: &Bed) -> Case<'_> {
    calls::timing_by_handle(bed).named("timing, overload").check(|done| {
        // Samples that filled two lanes before each of the four checks were not coalesced.
        let least = done.operations.saturating_sub(8 * 1_024);
        assert!(bed.coalesced() >= least || !cfg!(feature = "record"));
        assert_eq!(bed.dropped(), 0);
    })
}

/// Each operation, with a pass between bursts.
fn with_passes(bed: &Bed) -> impl Iterator<Item = Case<'_>> {
    ROWS.iter().map(|row| (row.make)(bed).between(|| bed.pass()))
}

/// Each operation, on a thread that recorded before recording was switched off.
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

/// Each operation, on a thread that has never recorded.
fn never_on(bed: &Bed) -> impl Iterator<Item = Case<'_>> {
    bed.metrics.set_enabled(false);
    ROWS.iter().map(|row| (row.make)(bed).check(|_| bed.assert_warm_only()))
}

/// Each operation, with a pass on another core between bursts.
fn read_elsewhere<'a>(bed: &'a Bed, other: &'a OtherThread) -> impl Iterator<Item = Case<'a>> {
    ROWS.iter().map(|row| (row.make)(bed).between(|| other.run()))
}

/// The measured figures, in order: limits, then `ROWS` once each on, overloaded, by macro, read
/// elsewhere, off, never on. With two threads only up to the macro.
struct Taken<'a> {
    cases: Vec<Case<'a>>,
    one: Vec<Figures>,
    two: Vec<Vec<Figures>>,
}

/// The number of limits before the operations.
const LIMITS: usize = 5;
const OVERLOAD: usize = LIMITS + ROWS.len();
const MACRO: usize = OVERLOAD + 1;
const ELSEWHERE: usize = MACRO + 1;
const OFF: usize = ELSEWHERE + ROWS.len();
const NEVER_ON: usize = OFF + ROWS.len();

impl Taken<'_> {
    /// The figures over the loop alone.
    fn alone(&self, i: usize) -> Figures {
        self.one[i].over(self.one[0])
    }

    /// The figures of one of two threads over its own empty loop.
    fn of_two(&self, i: usize, thread: usize) -> Figures {
        self.two[i][thread].over(self.two[0][thread])
    }

    /// The figures of one of two threads as a multiple of its single-thread counterpart.
    fn times_its_like(&self, i: usize, thread: usize) -> f64 {
        let like = match i.checked_sub(LIMITS) {
            Some(row) if thread > 0 && i < OVERLOAD => ELSEWHERE + row,
            // No other core reads what these write.
            _ => i,
        };
        self.two[i][thread].times(self.one[like])
    }

    fn times(&self, i: usize, limit: Limit) -> f64 {
        self.one[i].times(self.one[limit as usize])
    }
}

fn print_on_and_off() {
    let shared = SharedClock::new();
    let bed = || Bed::of(MetricsCollector::builder().manual().clock(shared.clock()).build());
    let (on, elsewhere, off, never) = (bed(), bed(), bed(), bed());
    let stalled = Bed::of(MetricsCollector::builder().manual().lane_blocks(2, 2).build());
    let processes = bed();
    tachograph::set_global(processes.metrics.clone()).expect("the process has no collector yet");
    let metrics = elsewhere.metrics.clone();
    let other = OtherThread::new(move || {
        metrics.run_pass(Instant::now(), SystemTime::now());
    });

    let plan = Plan::of_bursts();
    let mut cases = limits();
    assert_eq!(cases.len(), LIMITS);
    cases.extend(with_passes(&on).chain([overload(&stalled)]));
    cases.push(calls::counter_by_macro(&processes).between(|| processes.pass()));
    let two = measure_threads(&cases, Plan { threads: 2, ..plan });
    // Single thread only: the passes take the second core.
    cases.extend(read_elsewhere(&elsewhere, &other));
    cases.extend(switched_off(&off).chain(never_on(&never)));
    let one = measure(&cases, plan);
    on.assert_never_full();
    elsewhere.assert_never_full();
    let taken = Taken { cases, one, two };
    print_table(&taken);
    print_two_threads(&taken);
    print_budgets(&taken);
}

fn title(what: &str, empty: Figures) -> String {
    let (empty, rounds) = (number(empty.median), Plan::of_bursts().rounds);
    format!("{what}: ns an operation, over {empty} for the loop alone; {rounds} rounds")
}

/// Ratios use whole figures, including the loop's share, so that they stay finite when an operation
/// costs next to nothing.
fn print_table(taken: &Taken<'_>) {
    let header = [
        "operation",
        "min",
        "median",
        "x limit",
        "other core reads",
        "off",
        "never on",
        "coalesced, %",
    ];
    let mut table = Table::new("record", title("Recording", taken.one[0]), &header);
    for i in 1..ELSEWHERE {
        let row = i.checked_sub(LIMITS).and_then(|at| Some((at, ROWS.get(at)?)));
        let median = |block: usize| row.map(|(at, _)| taken.alone(block + at).median).into();
        table.row([
            taken.cases[i].name().into(),
            taken.alone(i).min.into(),
            taken.alone(i).median.into(),
            row.map(|(_, row)| taken.times(i, row.limit)).into(),
            median(ELSEWHERE),
            median(OFF),
            median(NEVER_ON),
            taken.cases[i].coalesced().into(),
        ]);
    }
    table.print();
}

fn print_two_threads(taken: &Taken<'_>) {
    let loops = [0, 1].map(|thread| number(taken.two[0][thread].median));
    let title = format!(
        "Recording on two threads at once: ns, median over {} and {} for the loops alone. The \
         first thread runs the passes, beside one thread that runs its own; the second is read \
         by the first's core, beside one thread that another core reads",
        loops[0], loops[1]
    );
    let header = ["operation", "first", "x its like", "second", "x its like"];
    let mut table = Table::new("record-two-threads", title, &header);
    for i in 1..ELSEWHERE {
        let [first, second] = [0, 1].map(|thread| taken.of_two(i, thread).median.into());
        let [like_first, like_second] = [0, 1].map(|thread| taken.times_its_like(i, thread).into());
        table.row([taken.cases[i].name().into(), first, like_first, second, like_second]);
    }
    table.print();
}

fn print_budgets(taken: &Taken<'_>) {
    let mut budgets = Budgets::new("budget-record");
    for (at, row) in ROWS.iter().enumerate() {
        let (i, name) = (LIMITS + at, taken.cases[LIMITS + at].name());
        match row.budget {
            Budget::Times(most) => {
                let unit = format!("x {}", taken.cases[row.limit as usize].name());
                budgets.at_most(name, taken.times(i, row.limit), most, &unit);
            }
            Budget::Nanos(most) => {
                budgets.at_most(name, taken.alone(i).median, most, "ns");
                let what = format!("{name}, other core reads");
                budgets.at_most(&what, taken.alone(ELSEWHERE + at).median, most, "ns");
            }
            Budget::None => {}
        }
        for (thread, which) in ["first", "second"].into_iter().enumerate() {
            let what = format!("{name}, {which} of two threads");
            budgets.at_most(&what, taken.times_its_like(i, thread), row.two_threads, "x its like");
        }
        let only = name.strip_suffix(calls::EIGHTH);
        let is_only = |case: &Case<'_>| Some(case.name()) == only;
        if let Some(only) = taken.cases[..OVERLOAD].iter().position(is_only) {
            let times = taken.one[i].times(taken.one[only]);
            budgets.at_most(name, times, EIGHTH_TIMES, "x an only collector's");
        }
    }
    for (kind, most) in OFF_NANOS {
        let is_of =
            |name: &str| name.contains(kind) && (kind == "timer" || !name.contains("timer"));
        let calls =
            (OFF..taken.cases.len()).map(|i| (taken.cases[i].name(), taken.alone(i).median));
        let of_kind = calls.filter(|(name, _)| is_of(name));
        if let Some((name, slowest)) = of_kind.max_by(|(_, a), (_, b)| a.total_cmp(b)) {
            let what = format!("switched off, the slowest {kind} ({name})");
            budgets.at_most(&what, slowest, most, "ns");
        }
    }
    let by_handle = taken.one[LIMITS + 1];
    let times = taken.one[MACRO].times(by_handle);
    budgets.at_most(taken.cases[MACRO].name(), times, MACRO_TIMES, "x counter, handle");
    let (name, median) = (taken.cases[OVERLOAD].name(), taken.alone(OVERLOAD).median);
    budgets.at_most(name, median, OVERLOAD_NANOS, "ns");
    budgets.print();
}

/// Prints the remaining cost of each operation when recording is compiled out.
fn print_compiled_out() {
    let bed = Bed::manual();
    let mut cases = limits();
    cases.extend(with_passes(&bed));
    let figures = measure(&cases, Plan::of_bursts());
    let title = title("Recording, compiled out", figures[0]);
    let mut table = Table::new("record-compiled-out", title, &["operation", "min", "median"]);
    for (case, figures_of_case) in cases.iter().zip(&figures).skip(LIMITS) {
        let over = figures_of_case.over(figures[0]);
        table.row([case.name().into(), over.min.into(), over.median.into()]);
    }
    table.print();
}

fn main() {
    if cfg!(feature = "record") { print_on_and_off() } else { print_compiled_out() }
}
