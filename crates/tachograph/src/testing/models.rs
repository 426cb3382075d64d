//! Exports for the models in `loom-tests` beyond the public API: the parts of a lane, series
//! without a place in any lane, a pass that panics; and for the fuzz targets, the parts of keys.
//! Only for these.

use std::panic::resume_unwind;

use crate::lane::batch::Batch;
use crate::lane::lane::{Gate, Lane, LaneSize, mode};
use crate::lane::reader::LaneReader;
use crate::lane::sample::Sample;
use crate::lane::spill::{Levels, SpillGain};
use crate::lane::trace::Trace;
use crate::lane::writer::LaneWriter;
use crate::record::handle::Handle;
use crate::record::handles::{Counter, Gauge, Timing};
use crate::run::collector::MetricsCollector;
#[cfg(tachograph_loom)]
use crate::run::stop::Stop;
use crate::series::key;
use crate::series::metric::Kind;
use crate::series::tags::Tags;
use crate::sync::Arc;

/// Samples in a block.
pub const BLOCK_SAMPLES: usize = crate::limits::BLOCK_SAMPLES;

/// The display key of a series.
pub fn display_key(name: &str, tags: &[(&str, &str)]) -> String {
    key::display(name, &Tags::new(tags))
}

/// The text up to the length limit.
pub fn cut(text: &str) -> &str {
    key::cut(text)
}

/// A lane, shared by its writers and its reader.
#[derive(Clone, Debug)]
pub struct ModelLane(Arc<Lane>);

impl ModelLane {
    /// A closed lane with this many blocks, which may grow to `blocks_max`.
    pub fn new(blocks: usize, blocks_max: usize) -> Self {
        let slots = if cfg!(fuzzing) { 8 } else { 4 };
        let size = LaneSize { blocks_initial: blocks, blocks_max, slots };
        Self(Arc::new(Lane::new(size, Gate::new(0, mode::ON))))
    }

    /// The writer, if the lane is closed.
    pub fn adopt(&self) -> Option<ModelWriter> {
        LaneWriter::adopt(&self.0).map(ModelWriter)
    }

    /// The reader; one for a lane.
    pub fn reader(&self) -> ModelReader {
        ModelReader(LaneReader::new(Arc::clone(&self.0)))
    }

    /// Creates a counter's cell.
    pub fn install_cell(&self, slot: u32) {
        self.0.install(Kind::Counter, slot);
    }

    /// Takes the lane out of use, if it is closed.
    pub fn retire(&self) -> bool {
        self.0.retire()
    }
}

/// The owner's side.
#[derive(Debug)]
pub struct ModelWriter(LaneWriter);

impl ModelWriter {
    /// Publishes a sample; false if no block is free.
    pub fn push(&self, series: u32, value: u64) -> bool {
        self.0.push(Sample { series, value }).is_ok()
    }

    /// Publishes a sample with its trace, or only the sample if there is no room for both, and
    /// returns which; `None` if no block is free.
    pub fn push_traced(&self, series: u32, value: u64, trace: Trace) -> Option<bool> {
        self.0.push_traced(Sample { series, value }, trace).ok()
    }

    /// Adds to a counter's cell; false if it does not exist yet.
    pub fn count(&self, slot: u32, amount: u64) -> bool {
        self.0.lane().cells.get(slot).map(|cell| cell.add(amount)).is_some()
    }

    /// Coalesces a sample; false if no row is left.
    pub fn spill(&self, slot: u32, value: u64) -> bool {
        self.0.lane().rows.take(slot).map(|row| row.add(value)).is_some()
    }

    /// Coalesces a gauge's value; false if no row is left.
    pub fn spill_gauge(&self, slot: u32, value: f64) -> bool {
        self.0.lane().gauges.take(slot).map(|row| row.add(value)).is_some()
    }
}

/// The samples drained from a lane, in order.
#[derive(Debug, Default)]
pub struct ModelDrained {
    /// Series and values.
    pub samples: Vec<(u32, u64)>,
    /// The values among them that came with a trace.
    pub traced: Vec<(u64, Trace)>,
}

/// The aggregator's side.
#[derive(Debug)]
pub struct ModelReader(LaneReader);

impl ModelReader {
    /// Every sample published before the call, as series and value.
    pub fn drain(&mut self) -> Vec<(u32, u64)> {
        self.drain_traced().samples
    }

    /// Like `drain`, plus the traced samples with their traces.
    pub fn drain_traced(&mut self) -> ModelDrained {
        let mut drained = ModelDrained::default();
        let mut batch = Batch::default();
        self.0.announce();
        loop {
            let more = self.0.read_block(&mut batch);
            let samples = batch.samples.iter();
            drained.samples.extend(samples.map(|sample| (sample.series, sample.value)));
            let traced = batch.traced.iter();
            drained.traced.extend(traced.map(|traced| (traced.sample.value, traced.trace)));
            if !more {
                return drained;
            }
        }
    }

    /// The gain of a counter's cell: value and calls.
    pub fn counted(&mut self, slot: u32) -> (u64, u64) {
        let mut gained = (0, 0);
        self.0.counter_gains(slot..slot + 1, |_, gain| gained = (gain.value, gain.calls));
        gained
    }

    /// The gain of a spill row: count, sum, and the extremes if there are any.
    pub fn spilled(&mut self, slot: u32) -> (u64, u128, Option<(u64, u64)>) {
        let mut gained = (0, 0, None);
        let fold =
            |_, gain: &SpillGain| gained = (gain.count(), gain.sum, Some((gain.min, gain.max)));
        self.0.spill_gains(slot..slot + 1, fold);
        gained
    }

    /// The gain of a gauge's row: count, finite values, their sum, and the extremes if there are
    /// any.
    pub fn gauged(&mut self, slot: u32) -> (u64, u64, f64, Option<(f64, f64)>) {
        let mut gained = (0, 0, 0.0, None);
        let fold = |_: u32, gain: &Levels| {
            gained = (gain.count, gain.finite, gain.sum.high, Some((gain.min, gain.max)));
        };
        self.0.gauge_gains(slot..slot + 1, fold);
        gained
    }

    /// Appends blocks until there are `blocks`.
    pub fn grow(&self, blocks: usize) {
        self.0.grow(blocks);
    }
}

/// A series without a place in any lane, as if its name had been resolved on a thread whose own
/// lane is gone.
fn unplaced(metrics: &MetricsCollector, name: &str, kind: Kind) -> Handle {
    Handle::new(&metrics.core().shared, metrics.core().shared.registry.resolve(name, &[], kind))
}

/// A counter without a cell in any lane.
pub fn unplaced_counter(metrics: &MetricsCollector, name: &str) -> Counter {
    Counter(unplaced(metrics, name, Kind::Counter))
}

/// A timing without a row in any lane.
pub fn unplaced_timing(metrics: &MetricsCollector, name: &str) -> Timing {
    Timing(unplaced(metrics, name, Kind::Timing))
}

/// A gauge without a row in any lane.
pub fn unplaced_gauge(metrics: &MetricsCollector, name: &str) -> Gauge {
    Gauge(unplaced(metrics, name, Kind::Gauge))
}

/// Makes a pass that panics, here between blocks and cells; like every pass, it catches and counts
/// that itself.
pub fn panicking_pass(metrics: &MetricsCollector) {
    metrics.core().attempt::<()>(|aggregator| {
        aggregator.drain();
        // Not `panic!`: its message would be printed for every interleaving.
        resume_unwind(Box::new("a fault in the middle of a pass"))
    });
}

/// The effect of a fork on a collector in the child. No other thread may use it, as in a real
/// child.
#[cfg(tachograph_loom)]
pub fn fork(metrics: &MetricsCollector) {
    let core = metrics.core();
    drop(core.lock_all());
    core.shared.shut_by_fork(&core.shared.lanes());
}

/// Whether the collector has not been used since the fork.
#[cfg(tachograph_loom)]
pub fn is_shut_by_fork(metrics: &MetricsCollector) -> bool {
    metrics.core().shared.is_forked()
}

/// Stopping a thread; a number stands for what wakes it.
#[cfg(tachograph_loom)]
#[derive(Clone, Debug)]
pub struct ModelStop(Arc<Stop<u8>>);

#[cfg(tachograph_loom)]
impl ModelStop {
    /// For a thread that has not started yet.
    #[allow(clippy::new_without_default, reason = "made by models only")]
    pub fn new() -> Self {
        Self(Arc::new(Stop::new()))
    }

    /// The thread's first action; returns whether it was asked to stop.
    pub fn arrive(&self, thread: u8) -> bool {
        self.0.arrive(thread)
    }

    /// Asks the thread to stop; returns it, to be woken.
    pub fn ask(&self, waiter: u8) -> Option<u8> {
        self.0.ask(Some(waiter)).copied()
    }

    /// The thread's last action; returns the waiter, to be woken.
    pub fn leave(&self) -> Option<u8> {
        self.0.leave().copied()
    }

    /// Whether the thread has left.
    pub fn is_done(&self) -> bool {
        self.0.is_done()
    }
}
