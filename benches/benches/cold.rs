//! What does a record cost in a real loop, whose own work has evicted everything from the caches?

use benches::{
    Bed, Budgets, COLD_CALLS, COLD_KEPT, Case, Options, Table, calls, cold, own_word,
    own_word_of_thread,
};

/// Upper bound, as a multiple of an equally cold load and store of a private word.
const COUNTER_TIMES: f64 = 2.2;
const TIMING_TIMES: f64 = 2.0;

type Make = fn(&Bed) -> Case<'_>;

const ROWS: [(Make, Option<f64>); 7] = [
    (calls::counter_by_recorder, None),
    (calls::counter_by_handle, Some(COUNTER_TIMES)),
    (calls::counter_by_name, None),
    (calls::gauge_by_handle, None),
    (calls::timing_by_recorder, None),
    (calls::timing_by_handle, Some(TIMING_TIMES)),
    (calls::timing_by_name, None),
];

fn main() {
    let rounds = Options::get().rounds(25);
    let bed = Bed::manual();
    let mut cases = vec![own_word(), own_word_of_thread()];
    let limits = cases.len();
    cases.extend(ROWS.iter().map(|(make, _)| make(&bed).between(|| bed.pass())));
    let figures = cold(&cases, rounds);
    bed.assert_never_full();

    let title = format!(
        "One call after 4 MiB of other work: ns, mean of the fastest {COLD_KEPT} of {COLD_CALLS}, \
         over none; {rounds} rounds"
    );
    let mut table =
        Table::new("cold", title, &["operation", "min", "median", "x own load + store"]);
    for (case, figures_of_case) in cases.iter().zip(&figures) {
        let times = figures_of_case.times(figures[0]);
        let (min, median) = (figures_of_case.min, figures_of_case.median);
        table.row([case.name().into(), min.into(), median.into(), times.into()]);
    }
    table.print();

    let mut budgets = Budgets::new("budget-cold");
    for (i, (_, most)) in (limits..).zip(&ROWS) {
        if let Some(most) = *most {
            let what = format!("{}, cold", cases[i].name());
            budgets.at_most(&what, figures[i].times(figures[0]), most, "x own load + store, cold");
        }
    }
    budgets.print();
}
