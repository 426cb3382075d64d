//! What a recording thread shares with the aggregator.
//!
//! # Synchronization
//! A lane has one owner at a time, which is the only one to push, to take blocks and to write
//! cells and rows, and one reader, whoever holds the aggregator's mutex. Nothing in it names its
//! owner's thread: at a thread's exit the owner stores where it stood, then `state` = closed
//! (Release), and the next thread goes on from there after a compare-and-swap (Acquire).
//!
//! What a record reads comes first, so that a cold one touches few lines: the gate beside the
//! first blocks, then the cells.

use crate::block::Block;
use crate::cell::{GaugeRow, SpillRow};
use crate::kind::Kind;
use crate::limits::{BLOCK_SAMPLES, LANE_BLOCKS_MAX};
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
    /// On, in the child of a fork that has not used the collector yet: the next record takes a
    /// cold path. Of gates only.
    pub(crate) const FORKED: u8 = 3;
}

/// Whose lane it is, and whether recording is on, in one word: a record compares it once with
/// what its handle expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gate(usize);

impl Gate {
    /// Of a lane that belongs to no collector: no handle expects it.
    pub(crate) const DETACHED: Self = Self(usize::MAX);

    /// Of a lane whose owner a fork has left behind, should it still be used.
    pub(crate) const ABANDONED: Self = Self(usize::MAX - 1);

    /// Of a collector, by the address of its intake, whose low bits are free.
    pub(crate) fn new(owner: usize, mode: u8) -> Self {
        debug_assert!(owner & 3 == 0, "an intake's address leaves room for the mode");
        Self(owner | usize::from(mode))
    }

    /// The gate of the same collector where recording is on, as it is now.
    #[inline]
    pub(crate) fn off(self) -> Self {
        Self(self.0 | mode::OFF as usize)
    }
}

const OWNED: u8 = 0;
const CLOSED: u8 = 1;
const RETIRED: u8 = 2;

/// Where the owner stands: the next thread goes on from here, never from a block's length, which
/// the aggregator resets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The block being filled.
    pub(crate) block: u8,
    /// Samples in it; a full block's worth before the first block is taken.
    pub(crate) filled: usize,
    /// Free blocks taken so far, wrapping.
    pub(crate) taken: usize,
}

impl Position {
    /// Where a new lane's first owner starts.
    pub(crate) const START: Self = Self { block: 0, filled: BLOCK_SAMPLES, taken: 0 };
}

#[derive(Debug)]
#[repr(C)]
pub(crate) struct Lane {
    /// A [`Gate`]. Written by the collector, read by the owner for each record.
    gate: AtomicUsize,
    /// The table of blocks, filled in order: the first `len` exist. Append-only.
    blocks: [OnceBox<Block>; LANE_BLOCKS_MAX],
    pub(crate) cells: CellTable,
    pub(crate) rows: RowTable<SpillRow>,
    pub(crate) gauges: RowTable<GaugeRow>,
    blocks_max: usize,
    /// Owned, closed or retired. Written by the owner (closed), by an adopter (owned) and by the
    /// aggregator (retired).
    state: AtomicU8,
    /// Blocks that exist. Written by the aggregator, for itself.
    len: AtomicUsize,
    /// A ring of the indices of free blocks. It has room for every block, so the aggregator never
    /// writes a place that the owner has yet to read.
    free: Box<[AtomicUsize]>,
    /// Indices put into `free` so far, wrapping. Written by the aggregator, read by the owner.
    freed: AtomicUsize,
    /// Indices of taken blocks, in order. The owner pushes, the aggregator pops; it has room for
    /// every block, so a push never meets a slot that is being popped.
    filled: ArrayQueue<u8>,
    /// Blocks pushed so far, wrapping. Written by the owner, read by the aggregator, which pops
    /// only that many, so a pop never meets an unfinished push.
    pushed: AtomicUsize,
    /// The owner's position, written at its exit, read by the next owner.
    exit: [AtomicUsize; 3],
    /// Bytes of installed cells and rows. Added to by whoever installs, read by the aggregator.
    installed: AtomicUsize,
}

impl Lane {
    /// A closed lane without an owner.
    pub(crate) fn new(size: LaneSize, gate: Gate) -> Self {
        let Position { block, filled, taken } = Position::START;
        let start = [usize::from(block), filled, taken];
        let blocks_max = size.blocks_max.min(LANE_BLOCKS_MAX);
        // A power of two, so that places go on in order where the counts wrap.
        let ring = blocks_max.next_power_of_two();
        let lane = Self {
            gate: AtomicUsize::new(gate.0),
            blocks: std::array::from_fn(|_| OnceBox::new()),
            cells: CellTable::new(size.slots),
            rows: RowTable::new(size.slots),
            gauges: RowTable::new(size.slots),
            blocks_max,
            state: AtomicU8::new(CLOSED),
            len: AtomicUsize::new(0),
            free: (0..ring).map(|_| AtomicUsize::new(0)).collect(),
            freed: AtomicUsize::new(0),
            // A queue cannot be made without a slot; a detached lane never uses it.
            filled: ArrayQueue::new(blocks_max.max(1)),
            pushed: AtomicUsize::new(0),
            exit: start.map(AtomicUsize::new),
            installed: AtomicUsize::new(0),
        };
        (0..size.blocks_initial).for_each(|_| {
            lane.add_block();
        });
        lane
    }

    #[inline]
    pub(crate) fn gate(&self) -> Gate {
        // Relaxed: a switch; it orders nothing else.
        Gate(self.gate.load(Ordering::Relaxed))
    }

    pub(crate) fn set_gate(&self, gate: Gate) {
        // Relaxed: see `gate`.
        self.gate.store(gate.0, Ordering::Relaxed);
    }

    /// Takes over a closed lane as it stands.
    pub(crate) fn adopt(&self) -> Option<Position> {
        // Acquire: pairs with the Release in `close`; the last owner's position, cells and blocks
        // are visible. Relaxed on failure: nothing is read then.
        let won = self.state.compare_exchange(CLOSED, OWNED, Ordering::Acquire, Ordering::Relaxed);
        won.ok()?;
        // Relaxed: ordered by the Acquire above.
        let [block, filled, taken] = std::array::from_fn(|i| self.exit[i].load(Ordering::Relaxed));
        Some(Position { block: block as u8, filled, taken })
    }

    /// Gives the lane up. The owner's last act.
    pub(crate) fn close(&self, position: Position) {
        let Position { block, filled, taken } = position;
        for (word, value) in self.exit.iter().zip([usize::from(block), filled, taken]) {
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

    pub(crate) fn is_owned(&self) -> bool {
        // Relaxed: as in `is_closed`.
        self.state.load(Ordering::Relaxed) == OWNED
    }

    /// Whether `retire` has succeeded. The aggregator only, which is who has retired it.
    pub(crate) fn is_retired(&self) -> bool {
        // Relaxed: what this word says comes after the Acquire in `retire`.
        self.state.load(Ordering::Relaxed) == RETIRED
    }

    /// Takes a closed lane out of use for good. The aggregator only.
    pub(crate) fn retire(&self) -> bool {
        // Acquire: pairs with the Release in `close`; all that was ever recorded is visible.
        // Relaxed on failure: nothing is read then.
        self.state.compare_exchange(CLOSED, RETIRED, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[inline]
    pub(crate) fn block(&self, index: u8) -> Option<&Block> {
        // No check is left of `get`: the table has a place for every `u8`.
        self.blocks.get(usize::from(index))?.get()
    }

    /// Blocks that exist. The aggregator only.
    pub(crate) fn len(&self) -> usize {
        self.len.load_own()
    }

    /// Appends a free block to the table. The aggregator only.
    pub(crate) fn add_block(&self) -> bool {
        let len = self.len();
        let Some(place) = self.blocks.get(len).filter(|_| len < self.blocks_max) else {
            return false;
        };
        // Err: cannot be, only the aggregator appends.
        let _ = place.set(Block::new());
        // Relaxed: nobody else reads it.
        self.len.store(len + 1, Ordering::Relaxed);
        self.give_back(len as u8);
        true
    }

    /// Hands a cleared block to the owner. The aggregator only.
    pub(crate) fn give_back(&self, index: u8) {
        let freed = self.freed.load_own();
        // Relaxed: published by the Release below.
        self.free[freed % self.free.len()].store(usize::from(index), Ordering::Relaxed);
        // Release: pairs with the Acquire in `free_block`; the index, the block, its cleared
        // length and our reads of its old samples lie before the owner's next store.
        self.freed.store(freed.wrapping_add(1), Ordering::Release);
    }

    /// The free block number `taken`, counted from the lane's first; `None` while every block is
    /// filled. The owner only.
    pub(crate) fn free_block(&self, taken: usize) -> Option<u8> {
        // Acquire: pairs with the Release in `give_back`.
        if self.freed.load(Ordering::Acquire) == taken {
            return None;
        }
        // Relaxed: ordered by the Acquire above.
        Some(self.free[taken % self.free.len()].load(Ordering::Relaxed) as u8)
    }

    /// Announces a block that was just taken. The owner only.
    pub(crate) fn push(&self, block: u8) {
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
    pub(crate) fn pop(&self) -> Option<u8> {
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
            // The ring and the queue, whose slots are two words.
            + self.free.len() * 3 * size_of::<usize>()
            + self.len() * size_of::<Block>()
            + self.cells.bytes()
            + self.rows.bytes()
            + self.gauges.bytes()
    }
}
