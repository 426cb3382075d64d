//! What the models in `loom-tests` need beyond the public API: the parts of a lane, series that
//! no lane has a place for, a pass that panics; and for the fuzz targets, what keys are made of.
//! Exists for these only.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::lane::batch::Batch;
use crate::lane::lane::{Gate, Lane, LaneSize, mode};
use crate::lane::reader::LaneReader;
use crate::lane::sample::Sample;
use crate::lane::spill::{GaugeReading, SpillGain};
use crate::lane::trace::Trace;
use crate::lane::writer::LaneWriter;
use crate::record::handle::Handle;
use crate::record::handles::{Counter, Gauge, Timing};
use crate::run::collector::MetricsCollector;
use crate::run::driver::Driven;
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
    /// A closed lane with so many blocks, which may grow to so many.
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

    /// Makes a counter's cell exist.
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
    /// Publishes a sample; false where no block is free.
    pub fn push(&self, series: u32, value: u64) -> bool {
        self.0.push(Sample { series, value }).is_ok()
    }

    /// Publishes a sample with its trace, or where there is no room for that the sample alone, and
    /// says which; `None` where no block is free.
    pub fn push_traced(&self, series: u32, value: u64, trace: Trace) -> Option<bool> {
        self.0.push_traced(Sample { series, value }, trace).ok()
    }

    /// Adds to a counter's cell; false where there is none yet.
    pub fn count(&self, slot: u32, amount: u64) -> bool {
        self.0.lane().cells.get(slot).map(|cell| cell.add(amount)).is_some()
    }

    /// Coalesces a sample; false where no row is left.
    pub fn spill(&self, slot: u32, value: u64) -> bool {
        self.0.lane().rows.take(slot).map(|row| row.add(value)).is_some()
    }

    /// Coalesces a value of a gauge; false where no row is left.
    pub fn spill_gauge(&self, slot: u32, value: f64) -> bool {
        self.0.lane().gauges.take(slot).map(|row| row.add(value)).is_some()
    }
}

/// What was drained from a lane, in order.
#[derive(Debug, Default)]
pub struct ModelDrained {
    /// Series and values.
    pub samples: Vec<(u32, u64)>,
    /// Of them, the values that came with a trace.
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

    /// As `drain`, and beside it those that have a trace, with that.
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

    /// What a counter's cell has gained: value and calls.
    pub fn counted(&mut self, slot: u32) -> (u64, u64) {
        let mut gained = (0, 0);
        self.0.counter_delta(slot, |delta| gained = (delta.value, delta.calls));
        gained
    }

    /// What a spill row has gained: count, sum, and where there are any, the extremes.
    pub fn spilled(&mut self, slot: u32) -> (u64, u128, Option<(u64, u64)>) {
        let mut gained = (0, 0, None);
        let fold =
            |_, gain: &SpillGain| gained = (gain.count(), gain.sum, Some((gain.min, gain.max)));
        self.0.spill_gains(Some(slot), fold, |_| true);
        gained
    }

    /// What a gauge's row has gained: count, finite values, their sum, and where there are any,
    /// the extremes.
    pub fn gauged(&mut self, slot: u32) -> (u64, u64, f64, Option<(f64, f64)>) {
        let mut gained = (0, 0, 0.0, None);
        let fold = |_, gain: GaugeReading| {
            gained = (gain.count, gain.finite, gain.sum.high, Some((gain.min, gain.max)));
        };
        self.0.gauge_gains(Some(slot), fold, |_| true);
        gained
    }

    /// Appends blocks until there are so many.
    pub fn grow(&self, blocks: usize) {
        self.0.grow(blocks);
    }
}

/// A series without a place in any lane, as when a name was resolved on a thread whose own lane
/// is gone.
fn unplaced(metrics: &MetricsCollector, name: &str, kind: Kind) -> Handle {
    Handle::new(
        &metrics.core().inlet.shared,
        metrics.core().inlet.registry.resolve(name, &[], kind),
    )
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

/// What the driver does with a pass that panics, here between blocks and cells: it is caught and
/// counted.
pub fn panicking_pass(metrics: &MetricsCollector) {
    let core = metrics.core();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        core.locked(|aggregator| {
            aggregator.drain(&core.inlet.registry);
            // Not `panic!`: its message would be printed for every interleaving.
            resume_unwind(Box::new("a fault in the middle of a pass"))
        })
    }));
    if outcome.is_err() {
        core.note_panic();
    }
}

/// What a fork does to a collector in the child. Nobody else may be using it, as in a child.
#[cfg(tachograph_loom)]
pub fn fork(metrics: &MetricsCollector) {
    let core = metrics.core();
    drop(core.lock_all());
    core.inlet.shared.shut_by_fork(&core.inlet.shared.lanes());
}

/// Whether nobody has used the collector since the fork.
#[cfg(tachograph_loom)]
pub fn is_shut_by_fork(metrics: &MetricsCollector) -> bool {
    metrics.core().inlet.shared.is_forked()
}

/// How a thread is stopped; a number stands for what wakes one.
#[cfg(tachograph_loom)]
#[derive(Clone, Debug)]
pub struct ModelStop(Arc<Stop<u8>>);

#[cfg(tachograph_loom)]
impl ModelStop {
    /// Of a thread that has yet to begin.
    #[allow(clippy::new_without_default, reason = "made by models only")]
    pub fn new() -> Self {
        Self(Arc::new(Stop::new()))
    }

    /// The thread's first act; says whether it is asked to stop.
    pub fn arrive(&self, thread: u8) -> bool {
        self.0.arrive(thread)
    }

    /// Asks the thread to stop; gives it, to be woken.
    pub fn ask(&self, waiter: u8) -> Option<u8> {
        self.0.ask(Some(waiter)).copied()
    }

    /// The thread's last act; gives who waits, to be woken.
    pub fn leave(&self) -> Option<u8> {
        self.0.leave().copied()
    }

    /// Whether the thread has left.
    pub fn is_done(&self) -> bool {
        self.0.is_done()
    }
}
