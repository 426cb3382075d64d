//! Every recording call, as an operation to measure.

use std::time::Duration;

use tachograph::MetricsCollector;

use crate::bed::Bed;
use crate::case::{Case, every_record};

/// The tag of calls with a name and a tag.
pub const TAG: (&str, &str) = ("event_type", "/live/scene/added");

/// [`tachograph::Recorder::increment`].
pub fn counter_by_recorder(bed: &Bed) -> Case<'_> {
    let counter = bed.metrics.register_counter("counter.recorder");
    Case::new(
        "counter, Recorder",
        move || bed.recorder(&counter),
        |(recorder, counter), _| recorder.increment(counter),
    )
    .check(|done| bed.counted("counter.recorder", done))
}

/// [`tachograph::Counter::increment`].
pub fn counter_by_handle(bed: &Bed) -> Case<'_> {
    Case::new("counter, handle", || bed.counter.clone(), |counter, _| counter.increment())
        .check(|done| bed.counted("counter.handle", done))
}

/// [`tachograph::increment!`], into the process's collector, which the bed must have.
pub fn counter_by_macro(bed: &Bed) -> Case<'_> {
    Case::new("counter, macro", || (), |(), _| tachograph::increment!("counter.macro"))
        .check(|done| bed.counted("counter.macro", done))
}

/// The suffix of cases whose thread has already recorded into seven other collectors.
pub const EIGHTH: &str = ", eighth collector";

/// Makes a case's collector the eighth of each measuring thread.
fn eighth<'a>(name: &'static str, case: Case<'a>) -> Case<'a> {
    let others = [(); 7].map(|()| MetricsCollector::builder().manual().build());
    case.named(name).before(move || others.iter().for_each(|other| other.increment("other")))
}

/// [`tachograph::Counter::increment`] on a thread with many collectors.
pub fn counter_by_handle_of_eighth(bed: &Bed) -> Case<'_> {
    let counter = bed.metrics.register_counter("counter.eighth");
    let case = Case::new("", move || counter.clone(), |counter, _| counter.increment());
    let case = case.check(|done| bed.counted("counter.eighth", done));
    eighth("counter, handle, eighth collector", case)
}

/// [`tachograph::MetricsCollector::increment`] on a thread with many collectors.
pub fn counter_by_name_of_eighth(bed: &Bed) -> Case<'_> {
    let increment = |metrics: &MetricsCollector, _| metrics.increment("counter.name.eighth");
    let case = Case::new("", || bed.metrics.clone(), increment);
    let case = case.check(|done| bed.counted("counter.name.eighth", done));
    eighth("counter, name, eighth collector", case)
}

/// [`tachograph::MetricsCollector::increment`].
pub fn counter_by_name(bed: &Bed) -> Case<'_> {
    Case::new(
        "counter, name",
        || bed.metrics.clone(),
        |metrics, _| metrics.increment("counter.name"),
    )
    .check(|done| bed.counted("counter.name", done))
}

/// [`tachograph::Tagged::increment`].
pub fn counter_by_name_and_tag(bed: &Bed) -> Case<'_> {
    let subject = || (bed.metrics.clone(), TAG.1);
    Case::new("counter, name and a tag", subject, |(metrics, value), _| {
        metrics.with_tags(&[(TAG.0, *value)]).increment("counter.tag");
    })
    .check(|done| {
        let found = bed.metrics.with_tags(&[TAG]).get_counter("counter.tag");
        every_record(found.map(|stats| stats.value), done.operations);
    })
}

/// [`tachograph::Recorder::set`].
pub fn gauge_by_recorder(bed: &Bed) -> Case<'_> {
    let gauge = bed.metrics.register_gauge("gauge.recorder");
    Case::new(
        "gauge, Recorder",
        move || (bed.recorder(&gauge), 0.5),
        |((recorder, gauge), value), _| recorder.set(gauge, *value),
    )
    .check(|done| bed.set("gauge.recorder", done))
}

/// [`tachograph::Gauge::set`].
pub fn gauge_by_handle(bed: &Bed) -> Case<'_> {
    let subject = || (bed.gauge.clone(), 0.5);
    Case::new("gauge, handle", subject, |(gauge, value), _| gauge.set(*value))
        .check(|done| bed.set("gauge.handle", done))
}

/// [`tachograph::MetricsCollector::gauge`].
pub fn gauge_by_name(bed: &Bed) -> Case<'_> {
    Case::new(
        "gauge, name",
        || (bed.metrics.clone(), 0.5),
        |(metrics, value), _| metrics.gauge("gauge.name", *value),
    )
    .check(|done| bed.set("gauge.name", done))
}

/// [`tachograph::Recorder::record_ns`].
pub fn timing_by_recorder(bed: &Bed) -> Case<'_> {
    let timing = bed.metrics.register_timing("timing.recorder");
    Case::new(
        "timing, Recorder",
        move || bed.recorder(&timing),
        |(recorder, timing), i| recorder.record_ns(timing, i),
    )
    .check(|done| bed.timed("timing.recorder", done))
    .coalesces(|| bed.coalesced_of("timing.recorder"))
}

/// [`tachograph::Timing::record_ns`].
pub fn timing_by_handle(bed: &Bed) -> Case<'_> {
    Case::new("timing, handle", || bed.timing.clone(), |timing, i| timing.record_ns(i))
        .check(|done| bed.timed("timing.handle", done))
        .coalesces(|| bed.coalesced_of("timing.handle"))
}

/// [`tachograph::MetricsCollector::timing`].
pub fn timing_by_name(bed: &Bed) -> Case<'_> {
    Case::new(
        "timing, name",
        || bed.metrics.clone(),
        |metrics, i| metrics.timing("timing.name", Duration::from_nanos(i)),
    )
    .check(|done| bed.timed("timing.name", done))
    .coalesces(|| bed.coalesced_of("timing.name"))
}

/// [`tachograph::Recorder::record`].
pub fn histogram_by_recorder(bed: &Bed) -> Case<'_> {
    let histogram = bed.metrics.register_histogram("histogram.recorder");
    Case::new(
        "histogram, Recorder",
        move || bed.recorder(&histogram),
        |(recorder, sizes), i| recorder.record(sizes, i),
    )
    .check(|done| bed.timed("histogram.recorder", done))
    .coalesces(|| bed.coalesced_of("histogram.recorder"))
}

/// [`tachograph::Histogram::record`].
pub fn histogram_by_handle(bed: &Bed) -> Case<'_> {
    Case::new("histogram, handle", || bed.histogram.clone(), |histogram, i| histogram.record(i))
        .check(|done| bed.timed("histogram.handle", done))
        .coalesces(|| bed.coalesced_of("histogram.handle"))
}

/// [`tachograph::Recorder::start`] and the drop that records.
pub fn timer_by_recorder(bed: &Bed) -> Case<'_> {
    let timing = bed.metrics.register_timing("timer.recorder");
    Case::new(
        "timer, Recorder",
        move || bed.recorder(&timing),
        |(recorder, timing), _| drop(recorder.start(timing)),
    )
    .check(|done| bed.ended("timer.recorder", done))
    .coalesces(|| bed.coalesced_of("timer.recorder"))
}

/// [`tachograph::Timing::start`] and the drop that records.
pub fn timer_by_handle(bed: &Bed) -> Case<'_> {
    Case::new("timer, handle", || bed.timer.clone(), |timing, _| drop(timing.start()))
        .check(|done| bed.ended("timer.handle", done))
        .coalesces(|| bed.coalesced_of("timer.handle"))
}

/// [`tachograph::MetricsCollector::timer`] and the drop that records.
pub fn timer_by_name(bed: &Bed) -> Case<'_> {
    Case::new("timer, name", || bed.metrics.clone(), |metrics, _| drop(metrics.timer("timer.name")))
        .check(|done| bed.ended("timer.name", done))
        .coalesces(|| bed.coalesced_of("timer.name"))
}
