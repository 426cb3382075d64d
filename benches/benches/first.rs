//! What does the first record on a new thread cost? The thread adopts the lane of one that has
//! ended.

use benches::{
    Bed, Budgets, Case, Options, Table, calls, first_on_new_threads, own_word_of_thread,
    word_of_thread_with_exit,
};

const FIRST_NANOS: f64 = 1_000.0;

/// A loop that creates its recorder, records once and ends.
fn recorder_of_its_own(bed: &Bed) -> Case<'_> {
    let counter = bed.metrics.register_counter("counter.own");
    Case::new(
        "recorder(), a counter, drop",
        move || (bed.metrics.clone(), counter.clone()),
        |(metrics, counter), _| metrics.recorder().increment(counter),
    )
}

type Make = fn(&Bed) -> Case<'_>;

const ROWS: [(Make, Option<f64>); 6] = [
    (recorder_of_its_own, None),
    (calls::counter_by_handle, Some(FIRST_NANOS)),
    (calls::gauge_by_handle, Some(FIRST_NANOS)),
    (calls::timing_by_handle, Some(FIRST_NANOS)),
    (calls::counter_by_name, None),
    (calls::counter_by_name_and_tag, None),
];

fn main() {
    let rounds = if Options::get().quick { 101 } else { 501 };
    let bed = Bed::manual();
    let mut cases = vec![own_word_of_thread(), word_of_thread_with_exit()];
    let limits = cases.len();
    cases.extend(ROWS.iter().map(|(make, _)| make(&bed).between(|| bed.pass())));
    let figures = first_on_new_threads(&cases, rounds);
    bed.assert_never_full();

    let title = format!("First record on a new thread: ns over none, of {rounds} threads");
    let mut table = Table::new("first", title, &["operation", "min", "p50"]);
    for (case, figures) in cases.iter().zip(&figures) {
        table.row([case.name().into(), figures.min.into(), figures.median.into()]);
    }
    table.print();
    let mut budgets = Budgets::new("budget-first");
    for (i, (_, most)) in (limits..).zip(&ROWS) {
        if let Some(most) = *most {
            let what = format!("{}, first on a new thread, p50", cases[i].name());
            budgets.at_most(&what, figures[i].median, most, "ns");
        }
    }
    budgets.print();
}
