//! What does a new thread's first record cost in other libraries?

use benches::rivals::{self, Rival};
use benches::{Bed, Case, Options, Table, calls, first_on_new_threads, word_of_thread_with_exit};

const HEADER: [&str; 6] = ["library", "min", "p50", "x ours", "verdict", "what differs"];

/// The limit and ours.
const OURS: usize = 2;

fn run(name: &'static str, what: &str, ours: Case<'static>, rivals: Vec<Rival>) {
    let rounds = if Options::get().quick { 101 } else { 301 };
    let mut cases = vec![word_of_thread_with_exit(), ours];
    let (theirs, differs): (Vec<_>, Vec<_>) =
        rivals.into_iter().map(|rival| (rival.case, rival.differs)).unzip();
    cases.extend(theirs);
    let figures = first_on_new_threads(&cases, rounds);
    let title = format!(
        "Against other libraries, first record of {what} on a new thread: ns over none, of \
         {rounds} threads"
    );
    let mut table = Table::new(name, title, &HEADER);
    for (i, (case, figure)) in cases.iter().zip(&figures).enumerate() {
        let ours = if i == 1 { "ours: " } else { "" };
        let label = format!("{ours}{}", case.name());
        let times = figure.times(figures[1]);
        let rival = i.checked_sub(OURS);
        table.row([
            label.into(),
            figure.min.into(),
            figure.median.into(),
            times.into(),
            rival.map_or("", |_| rivals::verdict(&[times])).into(),
            rival.map_or("", |rival| differs[rival]).into(),
        ]);
    }
    table.print();
}

fn main() {
    // Leaked, because the rivals' cases live that long.
    let bed: &'static Bed = Box::leak(Box::new(Bed::manual()));
    let ours = |make: fn(&Bed) -> Case<'_>| make(bed).between(|| bed.pass());
    run("versus-first-counter", "a counter", ours(calls::counter_by_handle), rivals::counters());
    let tagged = ours(calls::counter_by_name_and_tag);
    run("versus-first-tagged", "a counter by name and tag", tagged, rivals::tagged_counters());
    run("versus-first-timing", "a timing", ours(calls::timing_by_handle), rivals::timings());
    bed.assert_never_full();
}
