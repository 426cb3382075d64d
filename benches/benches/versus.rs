//! What do other libraries' recording calls cost in the same process and the same loop?
//!
//! Ratios use whole figures, including the loop's share: above 1, ours costs less. Our aggregator's
//! work per sample runs on its own thread and is measured by `aggregate`.

use benches::rivals::{self, Rival};
use benches::{Bed, Case, Cell, Figures, Plan, SharedClock, Table, calls, empty, measure, number};
use tachograph::MetricsCollector;

const HEADER: [&str; 11] = [
    "library",
    "1 thread",
    "min",
    "x ours",
    "2 threads",
    "x ours, 2",
    "verdict",
    "a reader sees it",
    "with an error of",
    "coalesced, %",
    "what differs",
];

/// When a reader sees our calls.
const SEEN: &str = "at the next pass, at most 100 ms; get_* at once";

/// A row's operations: ours, with the handle's call first, and theirs.
struct Contest {
    name: &'static str,
    title: &'static str,
    ours: Vec<Case<'static>>,
    /// The error of what a reader sees of ours.
    error: &'static str,
    rivals: Vec<Rival>,
}

fn ours(makes: &[fn(&Bed) -> Case<'_>], bed: &'static Bed) -> Vec<Case<'static>> {
    makes.iter().map(|make| make(bed).between(|| bed.pass())).collect()
}

fn contests(bed: &'static Bed) -> Vec<Contest> {
    vec![
        Contest {
            name: "versus-counter",
            title: "a counter by its handle",
            ours: ours(&[calls::counter_by_handle, calls::counter_by_recorder], bed),
            error: "none",
            rivals: rivals::counters(),
        },
        Contest {
            name: "versus-tagged",
            title: "a counter by name and a tag known at the call",
            ours: ours(&[calls::counter_by_name_and_tag], bed),
            error: "none",
            rivals: rivals::tagged_counters(),
        },
        Contest {
            name: "versus-gauge",
            title: "a gauge by its handle",
            ours: ours(&[calls::gauge_by_handle, calls::gauge_by_recorder], bed),
            error: "none",
            rivals: rivals::gauges(),
        },
        Contest {
            name: "versus-timing",
            title: "a timing or histogram by its handle",
            ours: ours(&[calls::timing_by_handle, calls::timing_by_recorder], bed),
            error: "0.1 %",
            rivals: rivals::timings(),
        },
        Contest {
            name: "versus-timer",
            title: "a timer: start, stop, record",
            ours: ours(&[calls::timer_by_handle, calls::timer_by_recorder], bed),
            error: "0.1 %",
            rivals: rivals::timers(),
        },
    ]
}

fn run(contest: Contest) {
    let Contest { name, title, ours, error, rivals } = contest;
    let count = ours.len();
    let mut cases = vec![empty()];
    cases.extend(ours);
    let (theirs, texts): (Vec<_>, Vec<_>) = rivals
        .into_iter()
        .map(|rival| (rival.case, [rival.seen, rival.error, rival.differs]))
        .unzip();
    cases.extend(theirs);
    let plan = Plan::of_bursts();
    let one = measure(&cases, plan);
    let two = measure(&cases, Plan { threads: 2, ..plan });

    let loops = [one[0].median, two[0].median].map(number);
    let title = format!(
        "Against other libraries, {title}: ns over the loop's {} and {}",
        loops[0], loops[1]
    );
    let mut table = Table::new(name, title, &HEADER);
    for i in 1..cases.len() {
        let [alone, together] = [(&one, i), (&two, i)].map(|(figures, i)| over(figures, i));
        let rival = i.checked_sub(count + 1);
        let ratios = [one[i].times(one[1]), two[i].times(two[1])];
        let judged = rival.map_or("", |_| rivals::verdict(&ratios));
        let [seen, error, differs] = rival.map_or([SEEN, error, ""], |rival| texts[rival]);
        let coalesced = cases[i].coalesced();
        let label = if rival.is_some() { String::new() } else { "ours: ".to_owned() };
        table.row([
            format!("{label}{}", cases[i].name()).into(),
            alone.median.into(),
            alone.min.into(),
            ratios[0].into(),
            together.median.into(),
            ratios[1].into(),
            judged.into(),
            seen.into(),
            error.into(),
            coalesced.map_or_else(|| "—".into(), Cell::from),
            differs.into(),
        ]);
    }
    table.print();
}

fn over(figures: &[Figures], i: usize) -> Figures {
    figures[i].over(figures[0])
}

fn main() {
    let shared = SharedClock::new();
    let metrics = MetricsCollector::builder().manual().clock(shared.clock()).build();
    // Lives as long as the process, as the rivals' metrics do.
    let bed: &'static Bed = Box::leak(Box::new(Bed::of(metrics)));
    contests(bed).into_iter().for_each(run);
    bed.assert_never_full();
}
