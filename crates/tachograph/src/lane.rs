//! What a recording thread shares with the aggregator.
//!
//! # Synchronization
//! A lane has one owner at a time, which is the only one to push, to take blocks and to write
//! cells and rows, and one reader, whoever holds the aggregator's mutex. Nothing in it names its
//! owner's thread: at a thread's exit the owner stores where it stood, then `state` = closed
//! (Release), and the next thread goes on from there after a compare-and-swap (Acquire).

use crate::block::Block;
use crate::cell::{GaugeRow, SpillRow};
use crate::sync::{ArrayQueue, AtomicU8, AtomicUsize, OnceBox, Ordering};
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
    /// The block to look at when this one is full.
    pub(crate) next: usize,
    /// Blocks of the table that have been taken at least once.
    pub(crate) known: usize,
}

#[derive(Debug)]
pub(crate) struct Lane {
    /// One of [`mode`]. Written by the collector, read by the owner for each record.
    mode: AtomicU8,
    /// Owned, closed or retired. Written by the owner (closed), by an adopter (owned) and by the
    /// aggregator (retired).
    state: AtomicU8,
    /// The table of blocks, filled in order: the first `announced` exist. Append-only.
    blocks: Box<[OnceBox<Block>]>,
    /// Written by the aggregator, read by the owner.
    announced: AtomicUsize,
    /// Indices of blocks in the order in which they were taken. The owner pushes, the aggregator
    /// pops; it has room for every block, so a push never meets a slot that is being popped.
    taken: ArrayQueue<usize>,
    /// Blocks pushed so far. Written by the owner, read by the aggregator, which pops only that
    /// many, so a pop never meets an unfinished push.
    pushed: AtomicUsize,
    /// The owner's position, written at its exit, read by the next owner.
    exit: [AtomicUsize; 4],
    pub(crate) cells: CellTable,
    pub(crate) rows: RowTable<SpillRow>,
    pub(crate) gauges: RowTable<GaugeRow>,
}

impl Lane {
    /// A closed lane without an owner.
    pub(crate) fn new(size: LaneSize, mode: u8) -> Self {
        let blocks: Box<[OnceBox<Block>]> = (0..size.blocks_max).map(|_| OnceBox::new()).collect();
        let initial = size.blocks_initial.min(size.blocks_max);
        for place in blocks.iter().take(initial) {
            // Err: cannot be, the table is new.
            let _ = place.set(Block::new());
        }
        let start =
            Position { block: 0, filled: crate::limits::BLOCK_SAMPLES, next: 0, known: initial };
        Self {
            mode: AtomicU8::new(mode),
            state: AtomicU8::new(CLOSED),
            blocks,
            announced: AtomicUsize::new(initial),
            taken: ArrayQueue::new(size.blocks_max),
            pushed: AtomicUsize::new(0),
            exit: [start.block, start.filled, start.next, start.known].map(AtomicUsize::new),
            cells: CellTable::new(size.slots),
            rows: RowTable::new(size.slots),
            gauges: RowTable::new(size.slots),
        }
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
        let [block, filled, next, known] =
            std::array::from_fn(|i| self.exit[i].load(Ordering::Relaxed));
        Some(Position { block, filled, next, known })
    }

    /// Gives the lane up. The owner's last act.
    pub(crate) fn close(&self, position: Position) {
        let Position { block, filled, next, known } = position;
        for (word, value) in self.exit.iter().zip([block, filled, next, known]) {
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

    /// Blocks that exist.
    pub(crate) fn announced(&self) -> usize {
        // Acquire: pairs with the Release in `add_block`; the block is visible.
        self.announced.load(Ordering::Acquire)
    }

    /// Appends a block to the table. The aggregator only.
    pub(crate) fn add_block(&self) -> bool {
        let announced = self.announced();
        let Some(place) = self.blocks.get(announced) else { return false };
        // Err: cannot be, only the aggregator appends.
        let _ = place.set(Block::new());
        // Release: pairs with the Acquire in `announced`.
        self.announced.store(announced + 1, Ordering::Release);
        true
    }

    /// Announces a block that was just taken. The owner only.
    pub(crate) fn push(&self, block: usize) {
        // Err: cannot be, the queue has room for every block.
        let _ = self.taken.push(block);
        // Relaxed load: the owner is the only writer. Release: pairs with the Acquire in
        // `pushed`; the push is finished, so the pop finds it.
        let pushed = self.pushed.load(Ordering::Relaxed).wrapping_add(1);
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
        self.taken.pop()
    }

    /// Bytes of the lane's fixed parts: everything but installed cells and rows.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&*self.blocks)
            + self.blocks.len() * 2 * size_of::<usize>()
            + self.announced() * size_of::<Block>()
            + self.cells.bytes()
            + self.rows.bytes()
            + self.gauges.bytes()
    }
}
