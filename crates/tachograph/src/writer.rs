//! The owner's side of a lane.
//!
//! Only a [`LaneWriter`] can push into a lane or write its cells, there is one for a lane at a
//! time, and it cannot be shared between threads: the single-writer rule is the type's.

use std::cell::Cell;

use crate::block::Block;
use crate::lane::{Lane, Position};
use crate::limits::BLOCK_SAMPLES;
use crate::sample::Sample;
use crate::sync::Arc;

/// The lane has no free block: the aggregator has not kept up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoFreeBlock;

#[derive(Debug)]
pub(crate) struct LaneWriter {
    lane: Arc<Lane>,
    block: Cell<usize>,
    filled: Cell<usize>,
    taken: Cell<usize>,
}

impl LaneWriter {
    /// Takes over a closed lane, unless another thread was faster.
    pub(crate) fn adopt(lane: &Arc<Lane>) -> Option<Self> {
        let Position { block, filled, taken } = lane.adopt()?;
        Some(Self {
            lane: Arc::clone(lane),
            block: Cell::new(block),
            filled: Cell::new(filled),
            taken: Cell::new(taken),
        })
    }

    #[inline]
    pub(crate) fn lane(&self) -> &Lane {
        &self.lane
    }

    /// Publishes a sample: three stores, and once in a block's worth of samples a new block.
    #[inline]
    pub(crate) fn push(&self, sample: Sample) -> Result<(), NoFreeBlock> {
        let filled = self.filled.get();
        if filled < BLOCK_SAMPLES
            && let Some(block) = self.lane.block(self.block.get())
        {
            block.publish(filled, sample);
            self.filled.set(filled + 1);
            return Ok(());
        }
        self.push_into_next(sample)
    }

    #[cold]
    fn push_into_next(&self, sample: Sample) -> Result<(), NoFreeBlock> {
        let block = self.take_next().ok_or(NoFreeBlock)?;
        block.publish(0, sample);
        self.filled.set(1);
        Ok(())
    }

    /// Takes the oldest free block.
    fn take_next(&self) -> Option<&Block> {
        let taken = self.taken.get();
        let index = self.lane.free_block(taken)?;
        let block = self.lane.block(index)?;
        self.taken.set(taken.wrapping_add(1));
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
