//! `fast-telemetry`: metrics in padded shards, one per thread.

use std::cell::RefCell;
use std::sync::Arc;

use fast_telemetry::{
    Counter, CounterSet, CounterSetBuffer, Distribution, DynamicCounter, GaugeF64, SampledTimer,
};

use super::{Rival, TAG, shards};
use crate::case::Case;

const NAME: &str = "fast-telemetry";

pub(super) fn counter() -> Rival {
    let counter = Arc::new(Counter::new(shards()));
    let read = Arc::clone(&counter);
    let case = Case::new(NAME, move || Arc::clone(&counter), |counter, _| counter.inc())
        .check(move |done| assert_eq!(read.sum() as u64, done.operations));
    Rival::new(case, "threads beyond the shards share them")
}

/// Operations until a buffer is flushed, as in the library's own example.
const FLUSH_EVERY: usize = 64;

pub(super) fn counter_buffered() -> Rival {
    let counters: &'static CounterSet = Box::leak(Box::new(CounterSet::new(shards(), 1)));
    let subject = || RefCell::new(CounterSetBuffer::new(counters, FLUSH_EVERY));
    let case = Case::new("fast-telemetry, buffer", subject, |buffer, _| {
        let mut buffer = buffer.borrow_mut();
        buffer.inc(0);
        buffer.finish_op();
    })
    .check(|done| assert_eq!(counters.sum(0) as u64, done.operations));
    Rival::new(case, "a thread that crashes takes up to 64 with it; by number, not by name")
        .seen("after 64 calls, or when the thread flushes")
}

pub(super) fn tagged() -> Rival {
    let counter = Arc::new(DynamicCounter::new(shards()));
    let read = Arc::clone(&counter);
    let subject = move || (Arc::clone(&counter), TAG.1);
    let case = Case::new(NAME, subject, |(counter, value), _| counter.inc(&[(TAG.0, *value)]))
        .check(move |done| assert_eq!(read.get(&[TAG]) as u64, done.operations));
    Rival::new(case, "no name to look up: the family is held")
}

pub(super) fn gauge() -> Rival {
    let gauge = Arc::new(GaugeF64::new());
    let read = Arc::clone(&gauge);
    let case = Case::new(NAME, move || Arc::clone(&gauge), |gauge, i| gauge.set(i as f64))
        .check(move |_| assert!(read.get() >= 0.0));
    Rival::new(case, super::PLAIN_GAUGE)
}

pub(super) fn timing() -> Rival {
    let timing = Arc::new(Distribution::new(shards()));
    let read = Arc::clone(&timing);
    let case = Case::new(NAME, move || Arc::clone(&timing), |timing, i| timing.record(i))
        .check(move |done| assert_eq!(read.sum_and_count(), (done.sum, done.operations)));
    Rival::new(case, "exact sum").within(super::DOUBLING)
}

pub(super) fn timer() -> Rival {
    let timer = Arc::new(SampledTimer::with_latency_buckets(shards(), 1));
    let read = Arc::clone(&timer);
    let case = Case::new(NAME, move || Arc::clone(&timer), |timer, _| drop(timer.start()))
        .check(move |done| assert_eq!(read.calls(), done.operations));
    Rival::new(case, "two reads of the monotonic clock; 13 buckets")
        .within("a factor of 2 to 5, from 10 µs on")
}
