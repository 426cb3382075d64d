//! What does recording cost: switched on, switched off, compiled out?
//!
//! Built with `--no-default-features`, recording is compiled out and the same operations show
//! what is left of them.

use std::time::{Instant, SystemTime};

use benches::{
    Bed, Budgets, Case, Figures, OtherThread, Plan, SharedClock, Table, calls, empty, measure,
    number, own_word, own_word_of_thread, two_instants, two_stamps,
};
use tachograph::MetricsCollector;

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

/// What an operation may cost at most.
#[derive(Clone, Copy)]
enum Budget {
    /// So many times its limit.
    Times(f64),
    /// Nanoseconds over the loop alone.
    Nanos(f64),
    None,
}

/// An operation's place in the table.
struct Row {
    make: fn(&Bed) -> Case<'_>,
    limit: Limit,
    budget: Budget,
    /// What it may cost on two threads at once, in times of what it costs on one.
    two_threads: f64,
}

const fn row(make: fn(&Bed) -> Case<'_>, limit: Limit, budget: Budget) -> Row {
    Row { make, limit, budget, two_threads: SAME }
}

/// "The same", with room for what the machine itself moves from round to round.
const SAME: f64 = 1.15;

const ROWS: [Row; 15] = [
    row(calls::counter_by_recorder, Limit::OwnWord, Budget::Times(1.2)),
    row(calls::counter_by_handle, Limit::OwnWordOfThread, Budget::Times(1.5)),
    row(calls::counter_by_name, Limit::OwnWord, Budget::Nanos(6.0)),
    row(calls::counter_by_name_and_tag, Limit::OwnWord, Budget::Nanos(12.0)),
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

/// Of a call while recording is switched off.
const OFF_NANOS: f64 = 0.3;
/// Of a sample that finds no free block.
const OVERLOAD_NANOS: f64 = 10.0;

/// A timing whose lane has no free block from the warm-up on.
fn overload(bed: &Bed) -> Case<'_> {
    calls::timing_by_handle(bed).named("timing, overload").check(|done| {
        // What filled two lanes before each of the four checks was not coalesced.
        let least = done.operations.saturating_sub(8 * 1_024);
        assert!(bed.coalesced() >= least || !cfg!(feature = "record"));
        assert_eq!(bed.dropped(), 0);
    })
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
    calls::timing_by_handle(bed).named("timing, other core reads").between(|| other.run())
}

/// Where the operations' figures stand.
struct Taken<'a> {
    cases: Vec<Case<'a>>,
    one: Vec<Figures>,
    two: Vec<Figures>,
}

impl Taken<'_> {
    /// Over the loop alone.
    fn alone(&self, i: usize) -> Figures {
        self.one[i].over(self.one[0])
    }

    /// On two threads: nanoseconds, and times one thread's.
    fn together(&self, i: usize) -> [Option<f64>; 2] {
        let two = self.two.get(i);
        [two.map(|two| two.over(self.two[0]).median), two.map(|two| two.times(self.one[i]))]
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
    let metrics = elsewhere.metrics.clone();
    let other = OtherThread::new(move || metrics.run_pass(Instant::now(), SystemTime::now()));

    let plan = Plan::of_bursts();
    let mut cases = limits();
    let first = cases.len();
    cases.extend(with_passes(&on).chain([overload(&stalled)]));
    let two = measure(&cases, Plan { threads: 2, ..plan });
    // Alone: its passes take the second core.
    cases.push(drained_elsewhere(&elsewhere, &other));
    let switched = cases.len();
    cases.extend(switched_off(&off).chain(never_on(&never)));
    let one = measure(&cases, plan);
    on.assert_never_full();
    let taken = Taken { cases, one, two };
    print_table(&taken, first, switched);
    print_budgets(&taken, first, switched);
}

/// Ratios are of whole figures, the loop's share included, so that they stay finite where an
/// operation costs next to nothing.
const HEADER: [&str; 8] =
    ["operation", "min", "median", "x limit", "2 threads", "x one", "off", "never on"];

fn title(what: &str, empty: Figures) -> String {
    let (empty, rounds) = (number(empty.median), Plan::of_bursts().rounds);
    format!("{what}: ns an operation, over {empty} for the loop alone; {rounds} rounds")
}

fn print_table(taken: &Taken<'_>, first: usize, switched: usize) {
    let mut table = Table::new("record", title("Recording", taken.one[0]), &HEADER);
    for i in 1..switched {
        let row = i.checked_sub(first).and_then(|at| Some((at, ROWS.get(at)?)));
        let off = |block: usize| {
            let (at, _) = row?;
            Some(taken.alone(switched + block * ROWS.len() + at).median)
        };
        let [together, times_one] = taken.together(i);
        table.row([
            taken.cases[i].name().into(),
            taken.alone(i).min.into(),
            taken.alone(i).median.into(),
            row.map(|(_, row)| taken.times(i, row.limit)).into(),
            together.into(),
            times_one.into(),
            off(0).into(),
            off(1).into(),
        ]);
    }
    table.print();
}

fn print_budgets(taken: &Taken<'_>, first: usize, switched: usize) {
    let mut budgets = Budgets::new("budget-record");
    for (at, row) in ROWS.iter().enumerate() {
        let (i, name) = (first + at, taken.cases[first + at].name());
        match row.budget {
            Budget::Times(most) => {
                let unit = format!("x {}", taken.cases[row.limit as usize].name());
                budgets.at_most(name, taken.times(i, row.limit), most, &unit);
            }
            Budget::Nanos(most) => budgets.at_most(name, taken.alone(i).median, most, "ns"),
            Budget::None => {}
        }
        if let [_, Some(times_one)] = taken.together(i) {
            let what = format!("{name}, two threads");
            budgets.at_most(&what, times_one, row.two_threads, "x one thread");
        }
    }
    let offs =
        (switched..taken.cases.len()).map(|i| (taken.cases[i].name(), taken.alone(i).median));
    if let Some((name, slowest)) = offs.max_by(|(_, a), (_, b)| a.total_cmp(b)) {
        let what = format!("switched off, the slowest call ({name})");
        budgets.at_most(&what, slowest, OFF_NANOS, "ns");
    }
    let overload = first + ROWS.len();
    let (name, median) = (taken.cases[overload].name(), taken.alone(overload).median);
    budgets.at_most(name, median, OVERLOAD_NANOS, "ns");
    budgets.print();
}

/// What is left of each operation where recording was compiled out.
fn print_compiled_out() {
    let bed = Bed::manual();
    let mut cases = limits();
    let first = cases.len();
    cases.extend(with_passes(&bed));
    let figures = measure(&cases, Plan::of_bursts());
    let title = title("Recording, compiled out", figures[0]);
    let mut table = Table::new("record-compiled-out", title, &["operation", "min", "median"]);
    for (case, figures_of_case) in cases.iter().zip(&figures).skip(first) {
        let over = figures_of_case.over(figures[0]);
        table.row([case.name().into(), over.min.into(), over.median.into()]);
    }
    table.print();
}

fn main() {
    if cfg!(feature = "record") { print_on_and_off() } else { print_compiled_out() }
}
