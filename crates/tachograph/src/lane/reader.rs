//! The aggregator's side of a lane.

use std::collections::VecDeque;
use std::ops::Range;

use crate::lane::batch::Batch;
use crate::lane::block::Block;
use crate::lane::cell::CounterReading;
use crate::lane::lane::Lane;
use crate::lane::spill::{Levels, SpillGain, SpillReading};
use crate::limits::{BLOCK_SAMPLES, CELLS_PER_CHUNK};
use crate::sync::{Arc, fault};

/// The reading state of a lane. Each lane has one, under the aggregator's mutex.
#[derive(Debug)]
pub(crate) struct LaneReader {
    lane: Arc<Lane>,
    /// Blocks popped so far, wrapping.
    popped: usize,
    /// Popped blocks that are not completely read, oldest first. Only the last one may still be
    /// filling.
    held: VecDeque<u8>,
    /// Slots read so far in the first held block.
    read: usize,
    /// Samples read since the rate was last measured.
    gained: usize,
    /// Blocks that were ever taken: the memory of the others is untouched.
    touched: usize,
    cells: Vec<Option<Box<[CounterReading; CELLS_PER_CHUNK]>>>,
    /// By row.
    rows: Vec<SpillReading>,
    /// By row.
    gauges: Vec<Levels>,
}

impl LaneReader {
    pub(crate) fn new(lane: Arc<Lane>) -> Self {
        Self {
            lane,
            popped: 0,
            held: VecDeque::new(),
            read: 0,
            gained: 0,
            touched: 0,
            cells: Vec::new(),
            rows: Vec::new(),
            gauges: Vec::new(),
        }
    }

    pub(crate) fn lane(&self) -> &Arc<Lane> {
        &self.lane
    }

    /// Notes the blocks that were taken before this call. [`LaneReader::read_block`] reads up to
    /// them, whatever the load.
    pub(crate) fn announce(&mut self) {
        fault::point("reader: before announcing");
        let pushed = self.lane.pushed();
        while self.popped != pushed {
            let Some(index) = self.lane.pop() else { break };
            self.touched = self.touched.max(usize::from(index) + 1);
            self.held.push_back(index);
            self.popped = self.popped.wrapping_add(1);
        }
    }

    /// The number of samples ever recorded into the lane, computed from its own words and not from
    /// what was read: exact while nothing is being recorded, otherwise possibly too low.
    pub(crate) fn recorded(&self) -> u64 {
        let lane = &self.lane;
        let pushed = lane.pushed();
        // All blocks except the last are full, and so is the last if it was returned. A block
        // pushed since the last announcement is not known yet.
        let last = match self.held.back().and_then(|&index| lane.block(index)) {
            _ if pushed == 0 || pushed != self.popped => 0,
            Some(block) => block.published(),
            None => BLOCK_SAMPLES,
        };
        let slots = (pushed.saturating_sub(1) * BLOCK_SAMPLES + last) as u64;
        let chunks = lane.cells.chunks().flat_map(|(_, cells)| cells);
        let calls = chunks.map(|cell| cell.read().calls);
        let coalesced = lane.rows.rows().map(|(_, row)| row.count());
        let levels = lane.gauges.rows().map(|(_, row)| row.count());
        let in_place = calls.chain(coalesced).chain(levels).fold(0, u64::wrapping_add);
        slots.saturating_sub(lane.unsampled()).wrapping_add(in_place)
    }

    /// Reads the published part of the oldest held block, and returns the block if it is completely
    /// read. Returns whether there may be more.
    pub(crate) fn read_block(&mut self, batch: &mut Batch) -> bool {
        batch.clear();
        let Some(&index) = self.held.front() else { return false };
        let Some(block) = self.lane.block(index) else { return false };
        self.read += block.read(self.read, batch);
        if self.read < BLOCK_SAMPLES {
            return false;
        }
        block.clear();
        self.lane.give_back(index);
        self.held.pop_front();
        self.read = 0;
        true
    }

    /// Calls `fold` with the slot and gain of each cell among `slots` that has changed since it was
    /// last folded. The others keep their gain: a series can be registered and counted while a pass
    /// is running. If `fold` panics, the gain counts as not folded; the same holds for the methods
    /// below.
    pub(crate) fn counter_gains(
        &mut self,
        slots: Range<u32>,
        mut fold: impl FnMut(u32, CounterReading),
    ) {
        let before = |first: u32| first as usize + CELLS_PER_CHUNK <= slots.start as usize;
        for (first, chunk) in self.lane.cells.chunks().skip_while(|(first, _)| before(*first)) {
            let bases = chunk_of(&mut self.cells, first as usize / CELLS_PER_CHUNK);
            for ((slot, cell), base) in (first..slots.end).zip(chunk).zip(bases.iter_mut()) {
                let now = cell.read();
                if now != *base && slot >= slots.start {
                    fold(slot, now.since(*base));
                    *base = now;
                }
            }
        }
    }

    /// Like `counter_gains`, for the spill rows of timings and histograms.
    pub(crate) fn spill_gains(&mut self, slots: Range<u32>, mut fold: impl FnMut(u32, &SpillGain)) {
        for number in 0..self.lane.rows.taken() {
            let Some((slot, row)) = self.lane.rows.nth(number) else { continue };
            if slots.contains(&slot) {
                row.fold_gain(place_of(&mut self.rows, number as u32), |gain| fold(slot, gain));
            }
        }
        self.lane.rows.refill();
    }

    /// Like `counter_gains`, for the rows of gauges.
    pub(crate) fn gauge_gains(&mut self, slots: Range<u32>, mut fold: impl FnMut(u32, &Levels)) {
        for number in 0..self.lane.gauges.taken() {
            let Some((slot, row)) = self.lane.gauges.nth(number) else { continue };
            if slots.contains(&slot) {
                row.fold_gain(place_of(&mut self.gauges, number as u32), |gain| fold(slot, gain));
            }
        }
        self.lane.gauges.refill();
    }

    /// Samples that were announced and not read yet; one with a trace counts as three.
    pub(crate) fn left(&self) -> usize {
        let held = self.held.iter().filter_map(|&index| self.lane.block(index));
        held.map(Block::published).sum::<usize>().saturating_sub(self.read)
    }

    /// Notes samples that were read; returns the share of the lane's capacity that they took
    /// together with those `left`.
    pub(crate) fn note_gain(&mut self, samples: usize, left: usize) -> f64 {
        self.gained += samples;
        self.share(samples + left)
    }

    /// The share of the lane's capacity that was read since the last call.
    pub(crate) fn take_gain(&mut self) -> f64 {
        let gained = std::mem::take(&mut self.gained);
        self.share(gained)
    }

    fn share(&self, samples: usize) -> f64 {
        samples as f64 / (self.lane.len() * BLOCK_SAMPLES).max(1) as f64
    }

    /// Bytes of the lane and everything in it, counting only memory that was used.
    pub(crate) fn bytes(&self) -> usize {
        let cells = self.cells.iter().flatten().map(|chunk| size_of_val(&**chunk));
        let rows = self.rows.iter().map(SpillReading::heap_bytes);
        let places =
            size_of_val(&*self.cells) + size_of_val(&*self.rows) + size_of_val(&*self.gauges);
        let bases = places + cells.chain(rows).sum::<usize>();
        self.lane.bytes() + self.touched * size_of::<Block>() + bases
    }

    /// Appends blocks until there are `blocks`.
    pub(crate) fn grow(&self, blocks: usize) {
        while self.lane.len() < blocks && self.lane.add_block() {}
    }
}

/// The element `slot`, created with its default if missing.
fn place_of<T: Default>(places: &mut Vec<T>, slot: u32) -> &mut T {
    let slot = slot as usize;
    if places.len() <= slot {
        places.resize_with(slot + 1, T::default);
    }
    &mut places[slot]
}

fn chunk_of(
    chunks: &mut Vec<Option<Box<[CounterReading; CELLS_PER_CHUNK]>>>,
    chunk: usize,
) -> &mut [CounterReading; CELLS_PER_CHUNK] {
    let place = place_of(chunks, chunk as u32);
    place.get_or_insert_with(|| Box::new([CounterReading::default(); CELLS_PER_CHUNK]))
}
