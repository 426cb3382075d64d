//! Draining: reading the blocks of lanes.

use std::time::Duration;

use crate::aggregate::aggregator::Aggregator;
use crate::aggregate::window::Step;
use crate::lane::block::Block;
use crate::lane::reader::LaneReader;
use crate::limits::ADDED_BLOCK_BYTES_MAX;
use crate::sync::fault;

/// What a drain has done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Drain {
    pub(crate) samples: usize,
    /// Samples that were there and are not drained yet.
    pub(crate) left: usize,
    /// How full the fullest lane was, from 0 to 1.
    fullest: f64,
}

impl Aggregator {
    /// Drains every lane up to its length on entry. Cells and rows are left for later. Returns how
    /// full the fullest lane was, from 0 to 1.
    pub(crate) fn drain(&mut self) -> f64 {
        self.drain_while(|_| true).fullest
    }

    /// Drains lanes as long as `goes_on`, which is asked before each block and given the number of
    /// samples drained so far. The next call begins with another lane, so that no thread's samples
    /// keep others waiting.
    pub(crate) fn drain_while(&mut self, mut goes_on: impl FnMut(usize) -> bool) -> Drain {
        let step = self.step();
        self.on_drains.fold(self.shared.on_time(self.now.monotonic), step);
        self.match_readers();
        let mut drain = Drain::default();
        let first = self.first_lane;
        for place in 0..self.readers.len() {
            let i = (first + place) % self.readers.len();
            let (samples, left) = self.drain_lane(i, step, |here| goes_on(drain.samples + here));
            fault::point("drain: between lanes");
            let occupancy = self.readers[i].note_gain(samples, left);
            if left > 0 && drain.left == 0 {
                // This lane has had its turn, or the budget ended right before it.
                self.first_lane = if samples > 0 { i + 1 } else { i };
            }
            drain.samples += samples;
            drain.left += left;
            drain.fullest = drain.fullest.max(occupancy);
            // Draining more often was not enough to keep it below a quarter.
            if occupancy > 0.5 && self.added_block_bytes() < ADDED_BLOCK_BYTES_MAX {
                let reader = &self.readers[i];
                reader.grow((2 * reader.lane().len()).min(self.settings.blocks_max));
            }
        }
        self.pace.measure(self.now.monotonic, &mut self.readers);
        drain
    }

    /// How long the next drain may wait.
    pub(crate) fn wait(&self) -> Duration {
        self.pace.wait()
    }

    /// Bytes of blocks that lanes have in addition to their initial ones.
    fn added_block_bytes(&self) -> usize {
        let initial = self.settings.blocks_initial;
        let added = |reader: &LaneReader| reader.lane().len().saturating_sub(initial);
        self.readers.iter().map(added).sum::<usize>() * size_of::<Block>()
    }

    /// Drains one lane and asks `goes_on` before each block. Returns the number of samples drained,
    /// and of those left because it said no.
    pub(super) fn drain_lane(
        &mut self,
        lane: usize,
        step: Step,
        mut goes_on: impl FnMut(usize) -> bool,
    ) -> (usize, usize) {
        if !self.batch.is_empty() {
            self.finish_batch(step);
        }
        let reader = &mut self.readers[lane];
        reader.announce();
        let mut samples = 0;
        while goes_on(samples) {
            fault::point("reader: before reading");
            let more = reader.read_block(self.batch.refill());
            fault::point("drain: a block is read");
            samples += self.batch.len();
            self.table.fold(&mut self.batch, step, |entry| {
                reader.lane().install(entry.kind, entry.slot);
            });
            fault::point("drain: a block is folded");
            if !more {
                return (samples, 0);
            }
        }
        (samples, self.readers[lane].left())
    }

    /// Folds the rest of a batch after a panic. The sample at which it happened is a counted drop,
    /// so that one sample cannot stop every pass.
    #[cold]
    fn finish_batch(&mut self, step: Step) {
        self.table.refresh(self.here());
        if let Some(sample) = self.batch.remove_taken() {
            self.table.drop_sample(sample);
        }
        self.table.fold(&mut self.batch, step, |_| {});
    }
}
