//! The owner's side of a lane.
//!
//! Only a [`LaneWriter`] can push into a lane or write its cells. Each lane has at most one at a
//! time, and it cannot be shared between threads: the type enforces the single-writer rule.

use std::cell::Cell;

use crate::lane::block::Block;
use crate::lane::lane::{BlockFlags, Gate, Lane, LaneSize, Position, turn};
use crate::lane::sample::Sample;
use crate::lane::trace::Trace;
use crate::limits::{BLOCK_SAMPLES, TRACED_SLOTS};
use crate::sync::Arc;

/// The lane has no free block because the aggregator has not kept up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoFreeBlock;

#[derive(Debug)]
pub(crate) struct LaneWriter {
    lane: Arc<Lane>,
    block: Cell<u8>,
    filled: Cell<usize>,
    taken: Cell<BlockFlags>,
}

impl LaneWriter {
    /// The writer of a lane that no handle matches, for a thread that gets no other one.
    pub(crate) fn detached() -> Self {
        let size = LaneSize { blocks_initial: 0, blocks_max: 0, slots: 0 };
        Self::at(Position::START, Arc::new(Lane::new(size, Gate::DETACHED)))
    }

    /// Takes over a closed lane, unless another thread was faster.
    pub(crate) fn adopt(lane: &Arc<Lane>) -> Option<Self> {
        Some(Self::at(lane.adopt()?, Arc::clone(lane)))
    }

    fn at(position: Position, lane: Arc<Lane>) -> Self {
        let Position { block, filled, taken } = position;
        let (block, filled, taken) = (Cell::new(block), Cell::new(filled), Cell::new(taken));
        Self { lane, block, filled, taken }
    }

    #[inline]
    pub(crate) fn lane(&self) -> &Lane {
        &self.lane
    }

    /// Publishes a sample in the current block, with three stores; false if the block is full.
    #[inline]
    pub(crate) fn publish(&self, series: u32, value: u64) -> bool {
        let filled = self.filled.get();
        if filled < BLOCK_SAMPLES
            && let Some(block) = self.lane.block(self.block.get())
        {
            block.publish(filled, Sample { series, value });
            self.filled.set(filled + 1);
            return true;
        }
        false
    }

    /// Publishes a sample, in the next free block if necessary.
    pub(crate) fn push(&self, sample: Sample) -> Result<(), NoFreeBlock> {
        if self.publish(sample.series, sample.value) {
            return Ok(());
        }
        let block = self.take_next().ok_or(NoFreeBlock)?;
        block.publish(0, sample);
        self.filled.set(1);
        Ok(())
    }

    /// Publishes a sample with its trace; false if there was only room for the sample, which is
    /// then published alone. Its slots must lie in one block: if the current one has too little
    /// room, they go to the next.
    pub(crate) fn push_traced(&self, sample: Sample, trace: Trace) -> Result<bool, NoFreeBlock> {
        let filled = self.filled.get();
        if filled + TRACED_SLOTS <= BLOCK_SAMPLES
            && let Some(block) = self.lane.block(self.block.get())
        {
            self.lane.add_unsampled(TRACED_SLOTS - 1);
            block.publish_traced(filled, sample, trace);
            self.filled.set(filled + TRACED_SLOTS);
            return Ok(true);
        }
        if self.lane.free_block(&self.taken.get()).is_none() {
            return self.push(sample).map(|()| false);
        }
        if filled < BLOCK_SAMPLES
            && let Some(block) = self.lane.block(self.block.get())
        {
            self.lane.add_unsampled(BLOCK_SAMPLES - filled);
            block.pad(filled);
            self.filled.set(BLOCK_SAMPLES);
        }
        let block = self.take_next().ok_or(NoFreeBlock)?;
        self.lane.add_unsampled(TRACED_SLOTS - 1);
        block.publish_traced(0, sample, trace);
        self.filled.set(TRACED_SLOTS);
        Ok(true)
    }

    /// Takes the free block with the lowest index.
    fn take_next(&self) -> Option<&Block> {
        let mut taken = self.taken.get();
        let index = self.lane.free_block(&taken)?;
        let block = self.lane.block(index)?;
        turn(&mut taken, index);
        self.taken.set(taken);
        self.block.set(index);
        self.lane.push(index);
        Some(block)
    }
}

impl Drop for LaneWriter {
    fn drop(&mut self) {
        self.lane.close(Position {
            block: self.block.get(),
            filled: self.filled.get(),
            taken: self.taken.get(),
        });
    }
}
