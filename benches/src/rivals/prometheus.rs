//! `prometheus`, TiKV's client.

use prometheus::{Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, Opts};

use super::{Rival, TAG, bounds};
use crate::case::Case;

const NAME: &str = "prometheus";

pub(super) fn counter() -> Rival {
    let counter = IntCounter::new("counter", "help").expect("a valid name");
    let read = counter.clone();
    let case = Case::new(NAME, move || counter.clone(), |counter, _| counter.inc())
        .check(move |done| assert_eq!(read.get(), done.operations));
    Rival::new(case, "one shared word")
}

pub(super) fn tagged() -> Rival {
    let family = IntCounterVec::new(Opts::new("counter", "help"), &[TAG.0]).expect("valid");
    let read = family.clone();
    let subject = move || (family.clone(), TAG.1);
    let case =
        Case::new(NAME, subject, |(family, value), _| family.with_label_values(&[*value]).inc())
            .check(move |done| {
                assert_eq!(read.with_label_values(&[TAG.1]).get(), done.operations);
            });
    Rival::new(case, "no name to look up: the family is held")
}

pub(super) fn gauge() -> Rival {
    let gauge = Gauge::new("gauge", "help").expect("a valid name");
    let read = gauge.clone();
    let case = Case::new(NAME, move || gauge.clone(), |gauge, i| gauge.set(i as f64))
        .check(move |_| assert!(read.get() >= 0.0));
    Rival::new(case, super::PLAIN_GAUGE)
}

fn histogram() -> Histogram {
    let options = HistogramOpts::new("timing", "help").buckets(bounds());
    Histogram::with_opts(options).expect("valid bounds")
}

pub(super) fn timing() -> Rival {
    let timing = histogram();
    let read = timing.clone();
    let case = Case::new(NAME, move || timing.clone(), |timing, i| timing.observe(i as f64)).check(
        move |done| {
            let found = (read.get_sample_count(), read.get_sample_sum());
            assert_eq!(found, (done.operations, done.sum as f64));
        },
    );
    Rival::new(case, "20 buckets").within(super::DOUBLING)
}

pub(super) fn timer() -> Rival {
    let timing = histogram();
    let read = timing.clone();
    let case = Case::new(NAME, move || timing.clone(), |timing, _| drop(timing.start_timer()))
        .check(move |done| assert_eq!(read.get_sample_count(), done.operations));
    Rival::new(case, "two reads of the monotonic clock; 20 buckets").within(super::DOUBLING)
}
