//! The state that a recording thread shares with the aggregator.
//!
//! # Synchronization
//! A lane has one owner at a time, which alone pushes, takes blocks and writes cells and rows, and
//! one reader: the holder of the aggregator's mutex. Nothing in a lane identifies its owner's
//! thread. When a thread exits, the owner stores its position, then `state` = closed (Release); the
//! next thread continues from there after a compare-and-swap (Acquire).
//!
//! Two bits say whether a block is free: the aggregator flips one when it returns the block
//! (Release), and the owner flips the other when it takes it. The block is free if they differ
//! (Acquire). So each word has a single writer. The owner takes the free block with the lowest
//! index.
//!
//! The fields that a record reads come first, so that a cold record touches few cache lines: the
//! gate beside the first blocks, then the cells.

use crate::lane::block::Block;
use crate::lane::spill::{GaugeRow, SpillRow};
use crate::lane::table::{CellTable, RowTable};
use crate::limits::{BLOCK_SAMPLES, LANE_BLOCKS_MAX};
use crate::series::metric::Kind;
use crate::sync::{
    ArrayQueue, AtomicU8, AtomicU64, AtomicUsize, Ordering, Pages, SingleWriter, zeroed,
};

/// The number of blocks and series that a lane has room for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LaneSize {
    pub(crate) blocks_initial: usize,
    pub(crate) blocks_max: usize,
    pub(crate) slots: usize,
}

/// The recording mode, as every lane and every handle sees it.
pub(crate) mod mode {
    /// Samples are recorded.
    pub(crate) const ON: u8 = 0;
    /// Recording does nothing.
    pub(crate) const OFF: u8 = 1;
    /// Recording is a counted drop.
    pub(crate) const SHUTDOWN: u8 = 2;
    /// On, in the child of a fork that has not yet used the collector: the next record takes a cold
    /// path. Only used in gates.
    pub(crate) const FORKED: u8 = 3;
}

/// A lane's collector and its recording mode in one word: a record compares it once with the value
/// its handle expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gate(usize);

impl Gate {
    /// The gate of a lane without a collector: no handle expects it.
    pub(crate) const DETACHED: Self = Self(usize::MAX);

    /// The gate of a lane that a fork left without its owner, in case it is still used.
    pub(crate) const ABANDONED: Self = Self(usize::MAX - 1);

    /// Of a collector, by the address of its shared, whose low bits are free.
    pub(crate) fn new(owner: usize, mode: u8) -> Self {
        debug_assert!(owner & 3 == 0, "a shared's address leaves room for the mode");
        Self(owner | usize::from(mode))
    }

    /// The same collector's gate with recording switched off.
    pub(crate) fn off(self) -> Self {
        Self(self.0 | mode::OFF as usize)
    }
}

const OWNED: u8 = 0;
const CLOSED: u8 = 1;
const RETIRED: u8 = 2;

/// Flags per word, one per block; few in models, so that there are two words.
const FLAGS: usize = if cfg!(tachograph_loom) { 2 } else { 64 };

/// Words needed for a flag per block.
const FLAG_WORDS: usize = LANE_BLOCKS_MAX.div_ceil(FLAGS);

/// A bit per block: the number of times it was taken, or returned, modulo two.
pub(crate) type BlockFlags = [u64; FLAG_WORDS];

/// The index of the word with a block's flag, and the flag in it.
#[inline]
fn flag_of(block: u8) -> (usize, u64) {
    let block = usize::from(block);
    (block / FLAGS, 1 << (block % FLAGS))
}

/// Flips a block's flag.
pub(crate) fn turn(flags: &mut BlockFlags, block: u8) {
    let (word, flag) = flag_of(block);
    flags[word] ^= flag;
}

/// The owner's position. The next thread continues from here, not from a block's length, which the
/// aggregator resets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The block being filled.
    pub(crate) block: u8,
    /// Samples in it; a full block's worth before the first block is taken.
    pub(crate) filled: usize,
    /// Flipped for each block that was taken.
    pub(crate) taken: BlockFlags,
}

impl Position {
    /// The position of a new lane's first owner.
    pub(crate) const START: Self = Self { block: 0, filled: BLOCK_SAMPLES, taken: [0; FLAG_WORDS] };
}

#[derive(Debug)]
#[repr(C)]
pub(crate) struct Lane {
    /// A [`Gate`]. Written by the collector, read by the owner for each record.
    gate: AtomicUsize,
    /// The maximum number of blocks. A block's memory stays untouched until it is first taken.
    blocks: Pages<Block>,
    pub(crate) cells: CellTable,
    pub(crate) rows: RowTable<SpillRow>,
    pub(crate) gauges: RowTable<GaugeRow>,
    /// Owned, closed or retired. Written by the owner (closed), by an adopter (owned) and by the
    /// aggregator (retired).
    state: AtomicU8,
    /// Blocks in use. Written and read by the aggregator only.
    len: AtomicUsize,
    /// Flipped for each block that was returned or added. Written by the aggregator, read by the
    /// owner.
    freed: [AtomicU64; FLAG_WORDS],
    /// Indices of taken blocks, in order. The owner pushes, the aggregator pops. It has room for
    /// every block, so a push never meets a slot that is being popped.
    filled: ArrayQueue<u8>,
    /// Blocks pushed so far, wrapping. Written by the owner; read by the aggregator, which pops
    /// only that many, so a pop never meets an unfinished push.
    pushed: AtomicUsize,
    /// Slots of taken blocks that hold part of a trace or padding instead of a sample. Written by
    /// the owner, read by the aggregator.
    unsampled: AtomicU64,
    /// The owner's position, written when it exits and read by the next owner: the block and its
    /// fill level, then the blocks that were taken.
    exit: [AtomicUsize; 2],
    exit_taken: [AtomicU64; FLAG_WORDS],
    /// Bytes of installed cells. Added to by the installing thread, read by the aggregator.
    installed: AtomicUsize,
}

impl Lane {
    /// A closed lane without an owner.
    pub(crate) fn new(size: LaneSize, gate: Gate) -> Self {
        let Position { block, filled, taken } = Position::START;
        let blocks_max = size.blocks_max.min(LANE_BLOCKS_MAX);
        let lane = Self {
            gate: AtomicUsize::new(gate.0),
            blocks: zeroed(blocks_max),
            cells: CellTable::new(size.slots),
            rows: RowTable::new(size.slots),
            gauges: RowTable::new(size.slots),
            state: AtomicU8::new(CLOSED),
            len: AtomicUsize::new(0),
            freed: std::array::from_fn(|_| AtomicU64::new(0)),
            // A queue needs at least one slot; a detached lane never uses it.
            filled: ArrayQueue::new(blocks_max.max(1)),
            pushed: AtomicUsize::new(0),
            unsampled: AtomicU64::new(0),
            exit: [usize::from(block), filled].map(AtomicUsize::new),
            exit_taken: taken.map(AtomicU64::new),
            installed: AtomicUsize::new(0),
        };
        (0..size.blocks_initial).for_each(|_| {
            lane.add_block();
        });
        lane
    }

    #[inline]
    pub(crate) fn gate(&self) -> Gate {
        // Relaxed: the switch orders nothing else.
        Gate(self.gate.load(Ordering::Relaxed))
    }

    pub(crate) fn set_gate(&self, gate: Gate) {
        // Relaxed: see `gate`.
        self.gate.store(gate.0, Ordering::Relaxed);
    }

    /// Counts slots without a sample, before they are published. Only for the owner.
    pub(crate) fn add_unsampled(&self, slots: usize) {
        let unsampled = self.unsampled.load_own().wrapping_add(slots as u64);
        // Relaxed: published by the Release of the block's length that follows.
        self.unsampled.store(unsampled, Ordering::Relaxed);
    }

    /// Slots without a sample so far: at least those within the block lengths that were loaded
    /// before.
    pub(crate) fn unsampled(&self) -> u64 {
        // Relaxed: ordered by the Acquire of a block's length.
        self.unsampled.load(Ordering::Relaxed)
    }

    /// Takes over a closed lane in its current state.
    pub(crate) fn adopt(&self) -> Option<Position> {
        // Acquire: pairs with the Release in `close`; the last owner's position, cells and blocks
        // are visible. Relaxed on failure: nothing is read then.
        let won = self.state.compare_exchange(CLOSED, OWNED, Ordering::Acquire, Ordering::Relaxed);
        won.ok()?;
        // Relaxed: ordered by the Acquire above.
        let [block, filled] = std::array::from_fn(|i| self.exit[i].load(Ordering::Relaxed));
        // Relaxed: as above.
        let taken = std::array::from_fn(|i| self.exit_taken[i].load(Ordering::Relaxed));
        Some(Position { block: block as u8, filled, taken })
    }

    /// Gives up the lane. The owner's last action.
    pub(crate) fn close(&self, position: Position) {
        let Position { block, filled, taken } = position;
        for (word, value) in self.exit.iter().zip([usize::from(block), filled]) {
            // Relaxed: published by the Release below.
            word.store(value, Ordering::Relaxed);
        }
        for (word, value) in self.exit_taken.iter().zip(taken) {
            // Relaxed: published by the Release below.
            word.store(value, Ordering::Relaxed);
        }
        // Release: pairs with the Acquire in `adopt` and in `retire`.
        self.state.store(CLOSED, Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        // Relaxed: only a hint for counting; taking the lane uses a compare-and-swap.
        self.state.load(Ordering::Relaxed) == CLOSED
    }

    pub(crate) fn is_owned(&self) -> bool {
        // Relaxed: as in `is_closed`.
        self.state.load(Ordering::Relaxed) == OWNED
    }

    /// Whether `retire` has succeeded. Only for the aggregator, which retires lanes.
    pub(crate) fn is_retired(&self) -> bool {
        // Relaxed: the reads that depend on it follow the Acquire in `retire`.
        self.state.load(Ordering::Relaxed) == RETIRED
    }

    /// Takes a closed lane out of use for good. Only for the aggregator.
    pub(crate) fn retire(&self) -> bool {
        // Acquire: pairs with the Release in `close`; everything ever recorded is visible. Relaxed
        // on failure: nothing is read then.
        self.state.compare_exchange(CLOSED, RETIRED, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[inline]
    pub(crate) fn block(&self, index: u8) -> Option<&Block> {
        self.blocks.get(usize::from(index))
    }

    /// Blocks in use. Only for the aggregator.
    pub(crate) fn len(&self) -> usize {
        self.len.load_own()
    }

    /// Adds one more free block. Only for the aggregator.
    pub(crate) fn add_block(&self) -> bool {
        let len = self.len();
        if len >= self.blocks.len() {
            return false;
        }
        // Relaxed: only the aggregator reads it.
        self.len.store(len + 1, Ordering::Relaxed);
        self.give_back(len as u8);
        true
    }

    /// Returns a cleared block to the owner. Only for the aggregator.
    pub(crate) fn give_back(&self, index: u8) {
        let (word, flag) = flag_of(index);
        let freed = self.freed[word].load_own();
        // Release: pairs with the Acquire in `free_block`; the block, its cleared length and our
        // reads of its old samples happen before the owner's next store.
        self.freed[word].store(freed ^ flag, Ordering::Release);
    }

    /// The free block with the lowest index; `None` if every block is filled. Only for the owner,
    /// which knows the `taken` flags.
    pub(crate) fn free_block(&self, taken: &BlockFlags) -> Option<u8> {
        self.freed.iter().zip(taken).enumerate().find_map(|(word, (freed, taken))| {
            // Acquire: pairs with the Release in `give_back`.
            let free = freed.load(Ordering::Acquire) ^ taken;
            (free != 0).then(|| (word * FLAGS) as u8 + free.trailing_zeros() as u8)
        })
    }

    /// Announces a block that was just taken. Only for the owner.
    pub(crate) fn push(&self, block: u8) {
        // Err: impossible, the queue has room for every block.
        let _ = self.filled.push(block);
        // Release: pairs with the Acquire in `pushed`; the push has finished, so the pop finds it.
        let pushed = self.pushed.load_own().wrapping_add(1);
        self.pushed.store(pushed, Ordering::Release);
    }

    /// Blocks pushed so far, wrapping.
    pub(crate) fn pushed(&self) -> usize {
        // Acquire: pairs with the Release in `push`.
        self.pushed.load(Ordering::Acquire)
    }

    /// The next block in the order in which they were taken. Only for the aggregator, at most
    /// `pushed` times.
    pub(crate) fn pop(&self) -> Option<u8> {
        self.filled.pop()
    }

    /// Creates a counter's cell in this lane; other kinds need nothing. Allocates.
    pub(crate) fn install(&self, kind: Kind, slot: u32) {
        if kind.is_counter() {
            let bytes = self.cells.install(slot);
            // Relaxed: the count guards no other data.
            self.installed.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Bytes of the lane and everything in it except its blocks.
    pub(crate) fn bytes(&self) -> usize {
        // Relaxed: see `install`.
        let installed = self.installed.load(Ordering::Relaxed);
        size_of::<Self>()
            + installed
            // Each slot of the queue takes two words.
            + self.filled.capacity() * 2 * size_of::<usize>()
            + self.cells.bytes()
            + self.rows.bytes()
            + self.gauges.bytes()
    }
}
