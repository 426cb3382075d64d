//! What do other libraries' calls cost in a real loop, whose own work has evicted everything from
//! the caches?

use benches::rivals::{self, Rival};
use benches::{Bed, COLD_CALLS, COLD_KEPT, Case, Options, Table, calls, cold, own_word};

fn run(name: &'static str, what: &str, ours: [Case<'static>; 2], rivals: Vec<Rival>) {
    let rounds = Options::get().rounds(15);
    let mut cases = vec![own_word()];
    cases.extend(ours);
    let first = cases.len();
    let (theirs, differs): (Vec<_>, Vec<_>) =
        rivals.into_iter().map(|rival| (rival.case, rival.differs)).unzip();
    cases.extend(theirs);
    let figures = cold(&cases, rounds);
    let title = format!(
        "Against other libraries, {what} after 4 MiB of other work: ns, mean of the fastest \
         {COLD_KEPT} of {COLD_CALLS}, over none; {rounds} rounds"
    );
    let header =
        ["library", "min", "median", "x own load + store", "x ours", "verdict", "what differs"];
    let mut table = Table::new(name, title, &header);
    for (i, (case, figure)) in cases.iter().zip(&figures).enumerate() {
        let ours = if (1..first).contains(&i) { "ours: " } else { "" };
        let label = format!("{ours}{}", case.name());
        let [times, times_ours] = [0, 1].map(|of| figure.times(figures[of]));
        let rival = i.checked_sub(first);
        table.row([
            label.into(),
            figure.min.into(),
            figure.median.into(),
            times.into(),
            times_ours.into(),
            rival.map_or("", |_| rivals::verdict(&[times_ours])).into(),
            rival.map_or("", |rival| differs[rival]).into(),
        ]);
    }
    table.print();
}

fn main() {
    // Leaked, because the rivals' cases live that long.
    let bed: &'static Bed = Box::leak(Box::new(Bed::manual()));
    let ours = |make: fn(&Bed) -> Case<'_>| make(bed).between(|| bed.pass());
    let counters = [calls::counter_by_handle, calls::counter_by_recorder].map(ours);
    run("versus-cold-counter", "a counter", counters, rivals::counters());
    let timings = [calls::timing_by_handle, calls::timing_by_recorder].map(ours);
    run("versus-cold-timing", "a timing", timings, rivals::timings_without_waiting());
    bed.assert_never_full();
}
