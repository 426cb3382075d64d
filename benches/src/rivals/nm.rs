//! `nm`: events of a thread, each with its count and sum.

use nm::{Event, Magnitude, Report};

use super::Rival;
use crate::case::Case;

const NAME: &str = "nm";
const COUNTER: &str = "counter";
const TIMING: &str = "timing";

/// As many as the others have, doubling.
const BUCKETS: &[Magnitude] = &[
    1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131_072,
    262_144, 524_288,
];

thread_local! {
    static OF_COUNTER: Event = Event::builder().name(COUNTER).build();
    static OF_TIMING: Event = Event::builder().name(TIMING).histogram(BUCKETS).build();
}

/// Count and sum of an event, over all threads.
fn reported(name: &str) -> (u64, i64) {
    let report = Report::collect();
    let event = report.events().find(|event| event.name() == name);
    event.map_or((0, 0), |event| (event.count(), event.sum()))
}

pub(super) fn counter() -> Rival {
    let case = Case::new(NAME, || (), |(), _| OF_COUNTER.with(Event::observe_once))
        .check(|done| assert_eq!(reported(COUNTER).0, done.operations));
    Rival::new(case, "a thread-local event, count and sum; no tags")
}

pub(super) fn timing() -> Rival {
    let observe = |(): &(), i: u64| OF_TIMING.with(|event| event.observe(i));
    let case = Case::new(NAME, || (), observe)
        .check(|done| assert_eq!(reported(TIMING), (done.operations, done.sum as i64)));
    Rival::new(case, "a thread-local event; 20 buckets; no min or max; no tags")
        .within(super::DOUBLING)
}
