//! `prometheus-client`, the official client.

use std::sync::atomic::AtomicU64;
use std::time::Instant;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::{Rival, TAG, bounds};
use crate::case::Case;

const NAME: &str = "prometheus-client";

pub(super) fn counter() -> Rival {
    let counter = Counter::<u64>::default();
    let read = counter.clone();
    let case = Case::new(
        NAME,
        move || counter.clone(),
        |counter, _| {
            counter.inc();
        },
    )
    .check(move |done| assert_eq!(read.get(), done.operations));
    Rival::new(case, "one shared word")
}

/// A label set whose value is only known at the call.
pub(super) type Labels = [(&'static str, String); 1];

pub(super) fn tagged() -> Rival {
    let family = Family::<Labels, Counter>::default();
    let read = family.clone();
    let subject = move || (family.clone(), TAG.1);
    let case = Case::new(NAME, subject, |(family, value), _| {
        family.get_or_create(&[(TAG.0, (*value).to_owned())]).inc();
    })
    .check(move |done| {
        let count = read.get_or_create(&[(TAG.0, TAG.1.to_owned())]).get();
        assert_eq!(count, done.operations);
    });
    Rival::new(case, "no name to look up: the family is held")
}

pub(super) fn gauge() -> Rival {
    let gauge = Gauge::<f64, AtomicU64>::default();
    let read = gauge.clone();
    let case = Case::new(
        NAME,
        move || gauge.clone(),
        |gauge, i| {
            gauge.set(i as f64);
        },
    )
    .check(move |_| assert!(read.get() >= 0.0));
    Rival::new(case, super::PLAIN_GAUGE)
}

pub(super) fn timing() -> Rival {
    let timing = Histogram::new(bounds());
    let read = timing.clone();
    let case = Case::new(NAME, move || timing.clone(), |timing, i| timing.observe(i as f64)).check(
        move |done| {
            assert_eq!((read.count(), read.sum()), (done.operations, done.sum as f64));
        },
    );
    Rival::new(case, "20 buckets; a mutex a sample").within(super::DOUBLING)
}

pub(super) fn timer() -> Rival {
    let timing = Histogram::new(bounds());
    let read = timing.clone();
    let case = Case::new(
        NAME,
        move || timing.clone(),
        |timing, _| {
            let start = Instant::now();
            timing.observe(start.elapsed().as_secs_f64());
        },
    )
    .check(move |done| assert_eq!(read.count(), done.operations));
    Rival::new(case, "two reads of the monotonic clock; 20 buckets; a mutex a sample")
        .within(super::DOUBLING)
}
