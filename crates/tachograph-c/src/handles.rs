//! Recording through handles, from any thread.

use tachograph::Stamp;

use crate::border::record;
use crate::collector::Collector;

/// A handle of a monotonic counter: unsigned 64 bits, wrapping.
#[derive(Debug)]
pub struct Counter(pub(crate) tachograph::Counter);

/// A handle of an up-down counter: signed 64 bits, wrapping.
#[derive(Debug)]
pub struct UpDownCounter(pub(crate) tachograph::UpDownCounter);

/// A handle of a distribution of durations: recorded in nanoseconds, reported in seconds.
#[derive(Debug)]
pub struct Timing(pub(crate) tachograph::Timing);

/// A handle of a distribution of plain values, such as sizes.
#[derive(Debug)]
pub struct Histogram(pub(crate) tachograph::Histogram);

/// A handle of a value that is set, such as a queue's depth.
#[derive(Debug)]
pub struct Gauge(pub(crate) tachograph::Gauge);

/// Adds 1. Does nothing if `counter` is NULL, as every recording call.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_counter_increment(counter: Option<&Counter>) {
    record(counter, |counter| counter.0.increment());
}

/// Adds `amount`; the total wraps at 2^64.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_counter_add(counter: Option<&Counter>, amount: u64) {
    record(counter, |counter| counter.0.increment_by(amount));
}

/// Raises the counter to a total that another source has counted, such as the kernel. A lower one
/// than before changes nothing. Totals of different sources belong in different series.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_counter_advance_to(counter: Option<&Counter>, total: u64) {
    record(counter, |counter| counter.0.advance_to(total));
}

/// Adds 1 from a signal handler: async-signal-safe. The handle must already exist.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_counter_increment_from_signal(counter: Option<&Counter>) {
    record(counter, |counter| counter.0.increment_from_signal());
}

/// Adds `amount`, which may be negative.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_up_down_counter_add(counter: Option<&UpDownCounter>, amount: i64) {
    record(counter, |counter| counter.0.increment_by(amount.cast_unsigned()));
}

/// Records a duration in nanoseconds.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_timing_record_ns(timing: Option<&Timing>, nanoseconds: u64) {
    record(timing, |timing| timing.0.record_ns(nanoseconds));
}

/// This moment, as a start or an end of a timing; 0, which is no moment, while recording is off or
/// if `collector` is NULL. A timing with a start or end of 0 records nothing.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_now(collector: Option<&Collector>) -> u64 {
    record(collector, |collector| collector.0.now().to_bits())
}

/// Records the time since a moment, and returns this one, at which the next timing may start.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_timing_record_since(timing: Option<&Timing>, start: u64) -> u64 {
    record(timing, |timing| timing.0.record_since(Stamp::from_bits(start)).to_bits())
}

/// Records the time from one moment to another.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_timing_record_between(timing: Option<&Timing>, start: u64, end: u64) {
    let (start, end) = (Stamp::from_bits(start), Stamp::from_bits(end));
    record(timing, |timing| timing.0.record_between(start, end));
}

/// Records a value.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_histogram_record(histogram: Option<&Histogram>, value: u64) {
    record(histogram, |histogram| histogram.0.record(value));
}

/// Sets the value. NaN is refused and counted; an infinity is left out of the mean.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_gauge_set(gauge: Option<&Gauge>, value: f64) {
    record(gauge, |gauge| gauge.0.set(value));
}

/// Adds to the value that was set last, or to 0. Not wait-free, unlike nearly all recording
/// calls: it repeats while other threads change the gauge in between.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_gauge_add(gauge: Option<&Gauge>, amount: f64) {
    record(gauge, |gauge| gauge.0.add(amount));
}
