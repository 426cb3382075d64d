//! `metrics-lib`: plain shared atomics.

use std::sync::Arc;

use metrics_lib::{Counter, Gauge, Timer};

use super::Rival;
use crate::case::Case;

const NAME: &str = "metrics-lib";

pub(super) fn counter() -> Rival {
    let counter = Arc::new(Counter::new());
    let read = Arc::clone(&counter);
    let case = Case::new(NAME, move || Arc::clone(&counter), |counter, _| counter.inc())
        .check(move |done| assert_eq!(read.get(), done.operations));
    Rival::new(case, "one shared word")
}

pub(super) fn gauge() -> Rival {
    let gauge = Arc::new(Gauge::new());
    let read = Arc::clone(&gauge);
    let case = Case::new(NAME, move || Arc::clone(&gauge), |gauge, i| gauge.set(i as f64))
        .check(move |_| assert!(read.get() >= 0.0));
    Rival::new(case, super::PLAIN_GAUGE)
}

pub(super) fn timing() -> Rival {
    let timer = Arc::new(Timer::new());
    let read = Arc::clone(&timer);
    let case = Case::new(NAME, move || Arc::clone(&timer), |timer, i| timer.record_ns(i)).check(
        move |done| {
            assert_eq!(read.count(), done.operations);
            assert_eq!(read.total_nanos(), u128::from(done.sum));
        },
    );
    Rival::new(case, "count, sum, min and max only").within("no quantiles")
}

pub(super) fn timer() -> Rival {
    let timer = Arc::new(Timer::new());
    let read = Arc::clone(&timer);
    let case = Case::new(NAME, move || Arc::clone(&timer), |timer, _| drop(timer.start()))
        .check(move |done| assert_eq!(read.count(), done.operations));
    Rival::new(case, "two reads of the monotonic clock").within("no quantiles")
}
