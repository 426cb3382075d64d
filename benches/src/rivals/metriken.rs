//! `metriken`: shared atomics, and its sharded kinds.

use std::sync::Arc;

use metriken::{
    AtomicCounterHistogram, Counter, Gauge, ShardedCounterGroup, ShardedCounterHistogram,
};

use super::Rival;
use crate::case::Case;

const NAME: &str = "metriken";
const SHARDED: &str = "metriken, sharded";

/// 2^7 buckets per octave: within 0.8 %.
const GROUPING_POWER: u8 = 7;

pub(super) fn counter() -> Rival {
    let counter = Arc::new(Counter::new());
    let read = Arc::clone(&counter);
    let case = Case::new(
        NAME,
        move || Arc::clone(&counter),
        |counter, _| {
            counter.increment();
        },
    )
    .check(move |done| assert_eq!(read.value(), done.operations));
    Rival::new(case, "one shared word")
}

pub(super) fn counter_sharded() -> Rival {
    let counters = Arc::new(ShardedCounterGroup::new(1));
    let read = Arc::clone(&counters);
    let case = Case::new(
        SHARDED,
        move || Arc::clone(&counters),
        |counters, _| {
            counters.increment(0);
        },
    )
    .check(move |done| assert_eq!(read.value(0), Some(done.operations)));
    Rival::new(case, "a group's counter, by its number; 256 shards")
}

pub(super) fn gauge() -> Rival {
    let gauge = Arc::new(Gauge::new());
    let read = Arc::clone(&gauge);
    let case = Case::new(
        NAME,
        move || Arc::clone(&gauge),
        |gauge, i| {
            gauge.set(i as i64);
        },
    )
    .check(move |_| assert!(read.value() >= 0));
    Rival::new(case, "whole numbers only; no min, max, mean or count")
}

/// The number of samples in a histogram.
fn count(histogram: Option<metriken::histogram::Histogram>) -> u64 {
    histogram.map_or(0, |histogram| histogram.as_slice().iter().sum())
}

pub(super) fn timing() -> Rival {
    let timing = Arc::new(AtomicCounterHistogram::new(GROUPING_POWER, 42));
    let read = Arc::clone(&timing);
    let case = Case::new(
        NAME,
        move || Arc::clone(&timing),
        |timing, i| {
            timing.increment(i).expect("within its range");
        },
    )
    .check(move |done| assert_eq!(count(read.load()), done.operations));
    Rival::new(case, "one locked addition; no sum, min or max; 36 KB a series").within("0.8 %")
}

pub(super) fn timing_sharded() -> Rival {
    let timing = Arc::new(ShardedCounterHistogram::new(GROUPING_POWER, 42));
    let read = Arc::clone(&timing);
    let case = Case::new(
        SHARDED,
        move || Arc::clone(&timing),
        |timing, i| {
            timing.increment(i).expect("within its range");
        },
    )
    .check(move |done| assert_eq!(count(read.load()), done.operations));
    Rival::new(case, "no sum, min or max; 36 KB a series and thread").within("0.8 %")
}
