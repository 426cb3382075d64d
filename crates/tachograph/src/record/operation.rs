//! What a recording call does to a series once its lane is known.
//!
//! An operation and its value travel as two words, so that the branch to a cold path costs the hot
//! path nothing: no closure has to be kept in memory for it.

use crate::drops::drop_reason::DropReason;
use crate::drops::tallies::Tally;
use crate::lane::sample::Sample;
use crate::lane::trace::Trace;
use crate::lane::writer::LaneWriter;
use crate::record::handle::Handle;
use crate::series::metric::Kind;

/// A recording call; its value is passed separately.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    /// Adds 1 to a counter.
    Increment,
    /// Adds to a counter; the value is a wrapping amount.
    Add,
    /// Adds to a counter for a call that subtracts, which a monotonic counter reports; the value is
    /// a wrapping amount.
    Subtract,
    /// Records a value of a timing or histogram.
    Sample,
    /// Sets a gauge; the value is the bits of an `f64`.
    Set,
    /// Adds to a gauge; the value is the bits of an `f64`.
    AddToGauge,
}

/// Records a value of a timing or histogram with its trace, into the series of a handle that
/// belongs to the writer's collector.
pub(crate) fn perform_traced(writer: &LaneWriter, handle: &Handle, value: u64, trace: Trace) {
    let outcome = writer.push_traced(Sample { series: handle.id, value }, trace);
    if !matches!(outcome, Ok(true)) {
        handle.entry.tallies.add(Tally::ExemplarDropped, 1);
    }
    if outcome.is_err() {
        coalesce(writer, handle, value);
    }
}

impl Operation {
    /// Records `value` into the series of a handle that belongs to the writer's collector.
    #[inline]
    pub(crate) fn perform(self, writer: &LaneWriter, handle: &Handle, value: u64) {
        match self {
            Self::Increment => match writer.lane().cells.in_lane(handle.slot) {
                Some(cell) => cell.increment(),
                None => add_beyond(writer, handle, 1),
            },
            Self::Add => add(writer, handle, value),
            Self::Subtract => {
                if handle.kind == Kind::Counter {
                    handle.entry.tallies.add(Tally::MonotonicDecrement, 1);
                }
                add(writer, handle, value);
            }
            Self::Sample => {
                if !writer.publish(handle.id, value) {
                    sample_beyond(writer, handle, value);
                }
            }
            Self::Set => set(writer, handle, value),
            Self::AddToGauge => add_to_gauge(writer, handle, f64::from_bits(value)),
        }
    }
}

// The uncommon cases are separate functions, each called last by its caller, so that the common
// case saves no registers for them.

#[inline]
fn add(writer: &LaneWriter, handle: &Handle, amount: u64) {
    match writer.lane().cells.in_lane(handle.slot) {
        Some(cell) => cell.add(amount),
        None => add_beyond(writer, handle, amount),
    }
}

/// The cell is not among the first, or does not exist yet: the aggregator creates it when it sees
/// the amount as a sample.
#[inline(never)]
fn add_beyond(writer: &LaneWriter, handle: &Handle, amount: u64) {
    match writer.lane().cells.get(handle.slot) {
        Some(cell) => cell.add(amount),
        None if writer.push(Sample { series: handle.id, value: amount }).is_err() => {
            handle.overloaded();
        }
        None => {}
    }
}

/// The block is full: takes the next one, or coalesces the sample in place.
#[cold]
#[inline(never)]
fn sample_beyond(writer: &LaneWriter, handle: &Handle, value: u64) {
    if writer.push(Sample { series: handle.id, value }).is_err() {
        coalesce(writer, handle, value);
    }
}

/// Adds a sample to the row of its series.
#[inline]
fn coalesce(writer: &LaneWriter, handle: &Handle, value: u64) {
    match writer.lane().rows.take(handle.slot) {
        Some(row) => row.add(value),
        None => handle.overloaded(),
    }
}

#[inline]
fn set(writer: &LaneWriter, handle: &Handle, bits: u64) {
    let value = f64::from_bits(bits);
    if value.is_nan() {
        handle.entry.drop_sample(DropReason::NotANumber);
    } else if writer.publish(handle.id, bits) {
        store_current(handle, value);
    } else {
        set_beyond(writer, handle, value);
    }
}

#[inline]
fn store_current(handle: &Handle, value: f64) {
    handle.entry.store_current(value);
}

/// Like `sample_beyond`, for a gauge.
#[cold]
#[inline(never)]
fn set_beyond(writer: &LaneWriter, handle: &Handle, value: f64) {
    push_gauge(writer, handle, value);
    store_current(handle, value);
}

/// The only operation that is not wait-free; see `SeriesId::add_to_current`.
#[inline(never)]
fn add_to_gauge(writer: &LaneWriter, handle: &Handle, amount: f64) {
    let sum = handle.entry.add_to_current(amount);
    if sum.is_nan() {
        return handle.entry.drop_sample(DropReason::NotANumber);
    }
    push_gauge(writer, handle, sum);
}

/// Publishes a gauge's value, or coalesces it in place.
fn push_gauge(writer: &LaneWriter, handle: &Handle, value: f64) {
    if writer.push(Sample { series: handle.id, value: value.to_bits() }).is_ok() {
        return;
    }
    match writer.lane().gauges.take(handle.slot) {
        Some(row) => row.add(value),
        None => handle.overloaded(),
    }
}
