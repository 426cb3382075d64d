//! What a recording thread shares with the aggregator.
//!
//! # Synchronization
//! A lane has one owner at a time, which is the only one to push, to take blocks and to write
//! cells and rows, and one reader, whoever holds the aggregator's mutex. Nothing in it names its
//! owner's thread: at a thread's exit the owner stores where it stood, then `state` = closed
//! (Release), and the next thread goes on from there after a compare-and-swap (Acquire).

use crate::block::Block;
use crate::cell::{GaugeRow, SpillRow};
use crate::kind::Kind;
use crate::limits::BLOCK_SAMPLES;
use crate::sync::{ArrayQueue, AtomicU8, AtomicUsize, OnceBox, Ordering, SingleWriter};
use crate::table::{CellTable, RowTable};

/// How many blocks and series a lane is made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LaneSize {
    pub(crate) blocks_initial: usize,
    pub(crate) blocks_max: usize,
    pub(crate) slots: usize,
}

/// Whether recording counts, as every lane and every handle sees it.
pub(crate) mod mode {
    /// Samples are recorded.
    pub(crate) const ON: u8 = 0;
    /// Recording does nothing.
    pub(crate) const OFF: u8 = 1;
    /// Recording is a counted drop.
    pub(crate) const SHUTDOWN: u8 = 2;
}

const OWNED: u8 = 0;
const CLOSED: u8 = 1;
const RETIRED: u8 = 2;

/// Where the owner stands: the next thread goes on from here, never from a block's length, which
/// the aggregator resets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The block being filled.
    pub(crate) block: usize,
    /// Samples in it; a full block's worth before the first block is taken.
    pub(crate) filled: usize,
    /// Free blocks taken so far, wrapping.
    pub(crate) taken: usize,
}

#[derive(Debug)]
pub(crate) struct Lane {
    /// One of [`mode`]. Written by the collector, read by the owner for each record.
    mode: AtomicU8,
    /// Owned, closed or retired. Written by the owner (closed), by an adopter (owned) and by the
    /// aggregator (retired).
    state: AtomicU8,
    /// The table of blocks, filled in order: the first `len` exist. Append-only.
    blocks: Box<[OnceBox<Block>]>,
    /// Blocks that exist. Written by the aggregator, for itself.
    len: AtomicUsize,
    /// A ring of the indices of free blocks. It has room for every block, so the aggregator never
    /// writes a place that the owner has yet to read.
    free: Box<[AtomicUsize]>,
    /// Indices put into `free` so far, wrapping. Written by the aggregator, read by the owner.
    freed: AtomicUsize,
    /// Indices of taken blocks, in order. The owner pushes, the aggregator pops; it has room for
    /// every block, so a push never meets a slot that is being popped.
    filled: ArrayQueue<usize>,
    /// Blocks pushed so far, wrapping. Written by the owner, read by the aggregator, which pops
    /// only that many, so a pop never meets an unfinished push.
    pushed: AtomicUsize,
    /// The owner's position, written at its exit, read by the next owner.
    exit: [AtomicUsize; 3],
    /// Bytes of installed cells and rows. Added to by whoever installs, read by the aggregator.
    installed: AtomicUsize,
    pub(crate) cells: CellTable,
    pub(crate) rows: RowTable<SpillRow>,
    pub(crate) gauges: RowTable<GaugeRow>,
}

impl Lane {
    /// A closed lane without an owner.
    pub(crate) fn new(size: LaneSize, mode: u8) -> Self {
        let start = [0, BLOCK_SAMPLES, 0];
        // A power of two, so that places go on in order where the counts wrap.
        let ring = size.blocks_max.next_power_of_two();
        let lane = Self {
            mode: AtomicU8::new(mode),
            state: AtomicU8::new(CLOSED),
            blocks: (0..size.blocks_max).map(|_| OnceBox::new()).collect(),
            len: AtomicUsize::new(0),
            free: (0..ring).map(|_| AtomicUsize::new(0)).collect(),
            freed: AtomicUsize::new(0),
            filled: ArrayQueue::new(size.blocks_max),
            pushed: AtomicUsize::new(0),
            exit: start.map(AtomicUsize::new),
            installed: AtomicUsize::new(0),
            cells: CellTable::new(size.slots),
            rows: RowTable::new(size.slots),
            gauges: RowTable::new(size.slots),
        };
        (0..size.blocks_initial).for_each(|_| {
            lane.add_block();
        });
        lane
    }

    #[inline]
    pub(crate) fn mode(&self) -> u8 {
        // Relaxed: a switch; it orders nothing else.
        self.mode.load(Ordering::Relaxed)
    }

    pub(crate) fn set_mode(&self, mode: u8) {
        // Relaxed: see `mode`.
        self.mode.store(mode, Ordering::Relaxed);
    }

    /// Takes over a closed lane as it stands.
    pub(crate) fn adopt(&self) -> Option<Position> {
        // Acquire: pairs with the Release in `close`; the last owner's position, cells and blocks
        // are visible. Relaxed on failure: nothing is read then.
        let won = self.state.compare_exchange(CLOSED, OWNED, Ordering::Acquire, Ordering::Relaxed);
        won.ok()?;
        // Relaxed: ordered by the Acquire above.
        let [block, filled, taken] = std::array::from_fn(|i| self.exit[i].load(Ordering::Relaxed));
        Some(Position { block, filled, taken })
    }

    /// Gives the lane up. The owner's last act.
    pub(crate) fn close(&self, position: Position) {
        let Position { block, filled, taken } = position;
        for (word, value) in self.exit.iter().zip([block, filled, taken]) {
            // Relaxed: published by the Release below.
            word.store(value, Ordering::Relaxed);
        }
        // Release: pairs with the Acquire in `adopt` and in `retire`.
        self.state.store(CLOSED, Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        // Relaxed: a hint for counting; who wants the lane uses a compare-and-swap.
        self.state.load(Ordering::Relaxed) == CLOSED
    }

    /// Takes a closed lane out of use for good. The aggregator only.
    pub(crate) fn retire(&self) -> bool {
        // Acquire: pairs with the Release in `close`; all that was ever recorded is visible.
        // Relaxed on failure: nothing is read then.
        self.state.compare_exchange(CLOSED, RETIRED, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[inline]
    pub(crate) fn block(&self, index: usize) -> Option<&Block> {
        self.blocks.get(index)?.get()
    }

    /// Blocks that exist. The aggregator only.
    pub(crate) fn len(&self) -> usize {
        self.len.load_own()
    }

    /// Appends a free block to the table. The aggregator only.
    pub(crate) fn add_block(&self) -> bool {
        let index = self.len();
        let Some(place) = self.blocks.get(index) else { return false };
        // Err: cannot be, only the aggregator appends.
        let _ = place.set(Block::new());
        // Relaxed: nobody else reads it.
        self.len.store(index + 1, Ordering::Relaxed);
        self.give_back(index);
        true
    }

    /// Hands a cleared block to the owner. The aggregator only.
    pub(crate) fn give_back(&self, index: usize) {
        let freed = self.freed.load_own();
        // Relaxed: published by the Release below.
        self.free[freed % self.free.len()].store(index, Ordering::Relaxed);
        // Release: pairs with the Acquire in `free_block`; the index, the block, its cleared
        // length and our reads of its old samples lie before the owner's next store.
        self.freed.store(freed.wrapping_add(1), Ordering::Release);
    }

    /// The free block number `taken`, counted from the lane's first; `None` while every block is
    /// filled. The owner only.
    pub(crate) fn free_block(&self, taken: usize) -> Option<usize> {
        // Acquire: pairs with the Release in `give_back`.
        if self.freed.load(Ordering::Acquire) == taken {
            return None;
        }
        // Relaxed: ordered by the Acquire above.
        Some(self.free[taken % self.free.len()].load(Ordering::Relaxed))
    }

    /// Announces a block that was just taken. The owner only.
    pub(crate) fn push(&self, block: usize) {
        // Err: cannot be, the queue has room for every block.
        let _ = self.filled.push(block);
        // Release: pairs with the Acquire in `pushed`; the push is finished, so the pop finds it.
        let pushed = self.pushed.load_own().wrapping_add(1);
        self.pushed.store(pushed, Ordering::Release);
    }

    /// Blocks pushed so far, wrapping.
    pub(crate) fn pushed(&self) -> usize {
        // Acquire: pairs with the Release in `push`.
        self.pushed.load(Ordering::Acquire)
    }

    /// The next block in the order in which they were taken. The aggregator only, and only as
    /// often as `pushed` says.
    pub(crate) fn pop(&self) -> Option<usize> {
        self.filled.pop()
    }

    /// Makes the place of a series exist in this lane: a counter's cell, or the row that a
    /// timing, histogram or gauge is coalesced in under overload. Allocates.
    pub(crate) fn install(&self, kind: Kind, slot: u32) {
        let bytes = match kind {
            Kind::Counter | Kind::UpDownCounter => self.cells.install(slot),
            Kind::Timing | Kind::Histogram => self.rows.install(slot, SpillRow::new),
            Kind::Gauge => self.gauges.install(slot, GaugeRow::new),
        };
        // Relaxed: a count that stands for itself.
        self.installed.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes of the lane and everything in it.
    pub(crate) fn bytes(&self) -> usize {
        // Relaxed: see `install`.
        let installed = self.installed.load(Ordering::Relaxed);
        size_of::<Self>()
            + installed
            + size_of_val(&*self.blocks)
            + self.blocks.len() * 3 * size_of::<usize>()
            + self.len() * size_of::<Block>()
            + self.cells.bytes()
            + self.rows.bytes()
            + self.gauges.bytes()
    }
}
