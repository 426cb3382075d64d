//! Recording through a recorder, for a loop that owns its thread.

use std::mem::MaybeUninit;

use tachograph::Stamp;

use crate::border::{free, given, guard, record};
use crate::collector::Collector;
use crate::handles::{Counter, Gauge, Histogram, Timing, UpDownCounter};
use crate::status::Status;

/// A recorder for a loop that owns its thread: records without looking up a thread-local, which is
/// slower from a shared library.
///
/// One thread may use it at a time; it may move to another one if the two are synchronised.
#[derive(Debug)]
pub struct Recorder(tachograph::Recorder);

/// Records with both pointers, or not at all.
#[inline]
fn with<H, R: Default>(
    recorder: Option<&Recorder>,
    handle: Option<&H>,
    act: impl FnOnce(&tachograph::Recorder, &H) -> R,
) -> R {
    record(recorder, |recorder| handle.map(|handle| act(&recorder.0, handle)).unwrap_or_default())
}

/// Creates a recorder, which you free with `tachograph_recorder_free`; sets `*out` to NULL on an
/// error. A handle of another collector is refused by it: counted, not recorded.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_recorder_new(
    collector: Option<&Collector>,
    out: Option<&mut MaybeUninit<Option<Box<Recorder>>>>,
) -> Status {
    guard(|| {
        let out = given(out.map(|out| out.write(None)))?;
        *out = Some(Box::new(Recorder(given(collector)?.0.recorder())));
        Ok(())
    })
}

/// Frees a recorder and sets the pointer to NULL. What it recorded stays.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_recorder_free(recorder: Option<&mut Option<Box<Recorder>>>) {
    free(recorder);
}

/// Adds 1. Does nothing if `recorder` or `counter` is NULL, as every recording call.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_recorder_increment(
    recorder: Option<&Recorder>,
    counter: Option<&Counter>,
) {
    with(recorder, counter, |recorder, counter| recorder.increment(&counter.0));
}

/// Adds `amount` to a counter; the total wraps at 2^64.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_recorder_counter_add(
    recorder: Option<&Recorder>,
    counter: Option<&Counter>,
    amount: u64,
) {
    with(recorder, counter, |recorder, counter| recorder.increment_by(&counter.0, amount));
}

/// Adds `amount` to an up-down counter; it may be negative.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_recorder_up_down_counter_add(
    recorder: Option<&Recorder>,
    counter: Option<&UpDownCounter>,
    amount: i64,
) {
    with(recorder, counter, |recorder, counter| {
        recorder.increment_by(&counter.0, amount.cast_unsigned());
    });
}

/// Records a duration in nanoseconds.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_recorder_record_ns(
    recorder: Option<&Recorder>,
    timing: Option<&Timing>,
    nanoseconds: u64,
) {
    with(recorder, timing, |recorder, timing| recorder.record_ns(&timing.0, nanoseconds));
}

/// Records the time since a moment, and returns this one, at which the next timing may start.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_recorder_record_since(
    recorder: Option<&Recorder>,
    timing: Option<&Timing>,
    start: u64,
) -> u64 {
    let start = Stamp::from_bits(start);
    with(recorder, timing, |recorder, timing| recorder.record_since(&timing.0, start).to_bits())
}

/// Records the time from one moment to another.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_recorder_record_between(
    recorder: Option<&Recorder>,
    timing: Option<&Timing>,
    start: u64,
    end: u64,
) {
    let (start, end) = (Stamp::from_bits(start), Stamp::from_bits(end));
    with(recorder, timing, |recorder, timing| recorder.record_between(&timing.0, start, end));
}

/// Records a value.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_recorder_record(
    recorder: Option<&Recorder>,
    histogram: Option<&Histogram>,
    value: u64,
) {
    with(recorder, histogram, |recorder, histogram| recorder.record(&histogram.0, value));
}

/// Sets a gauge.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_recorder_set(
    recorder: Option<&Recorder>,
    gauge: Option<&Gauge>,
    value: f64,
) {
    with(recorder, gauge, |recorder, gauge| recorder.set(&gauge.0, value));
}

/// Adds to a gauge; see `tachograph_gauge_add`.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_recorder_gauge_add(
    recorder: Option<&Recorder>,
    gauge: Option<&Gauge>,
    amount: f64,
) {
    with(recorder, gauge, |recorder, gauge| recorder.add(&gauge.0, amount));
}
