//! Tables whose slots are filled once: a lane's cells and rows, by series.
//!
//! # Synchronization
//! A slot is empty until it gets its one permanent value (`OnceBox`: set by compare-and-swap, read
//! by one Acquire load). Owner, aggregator and registering threads may all try to fill it; the
//! first one wins, the others drop theirs, and none waits.

use crate::lane::cell::CounterCell;
use crate::limits::{CELLS_IN_LANE, CELLS_PER_CHUNK, ROWS_PER_CHUNK};
use crate::sync::{AtomicU64, AtomicUsize, OnceBox, Ordering, Pages, SingleWriter, Zeroed, zeroed};

fn empty<T>(len: usize) -> Box<[OnceBox<T>]> {
    (0..len).map(|_| OnceBox::new()).collect()
}

/// The counter cells of a lane. The first ones are in the lane itself, where a record finds them
/// without another load; the others are in chunks that are allocated on demand.
#[derive(Debug)]
pub(crate) struct CellTable {
    first: [CounterCell; CELLS_IN_LANE],
    more: Box<[OnceBox<CellChunk>]>,
}

type CellChunk = [CounterCell; CELLS_PER_CHUNK];

impl CellTable {
    pub(crate) fn new(slots: usize) -> Self {
        let chunks = slots.saturating_sub(CELLS_IN_LANE).div_ceil(CELLS_PER_CHUNK);
        Self { first: std::array::from_fn(|_| CounterCell::default()), more: empty(chunks) }
    }

    /// The cell of one of the first slots.
    #[inline]
    pub(crate) fn in_lane(&self, slot: u32) -> Option<&CounterCell> {
        self.first.get(slot as usize)
    }

    pub(crate) fn get(&self, slot: u32) -> Option<&CounterCell> {
        let Some(place) = (slot as usize).checked_sub(CELLS_IN_LANE) else {
            return self.in_lane(slot);
        };
        self.more.get(place / CELLS_PER_CHUNK)?.get()?.get(place % CELLS_PER_CHUNK)
    }

    /// Creates the cell of `slot`; returns the number of bytes that took.
    pub(crate) fn install(&self, slot: u32) -> usize {
        let Some(place) = (slot as usize).checked_sub(CELLS_IN_LANE) else { return 0 };
        let Some(chunk) = self.more.get(place / CELLS_PER_CHUNK) else { return 0 };
        if chunk.get().is_some() {
            return 0;
        }
        let fresh = Box::new(std::array::from_fn(|_| CounterCell::default()));
        // Err: another thread was first, which is just as good.
        chunk.set(fresh).map_or(0, |()| size_of::<CellChunk>())
    }

    /// The existing chunks, each with the slot of its first cell.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = (u32, &[CounterCell])> {
        let first = self.first.chunks(CELLS_PER_CHUNK).map(Some);
        let more = self.more.iter().map(|chunk| chunk.get().map(|cells| &cells[..]));
        first.chain(more).enumerate().filter_map(|(i, chunk)| {
            let first = u32::try_from(i * CELLS_PER_CHUNK).ok()?;
            Some((first, chunk?))
        })
    }

    /// Bytes outside the lane itself.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.more)
    }
}

/// The spill rows of a lane: zeroed memory from which the owner takes a row, without an allocation,
/// when a series first meets overload. The aggregator keeps enough rows available.
///
/// # Synchronization
/// Only the owner knows which series has which row; it tells the aggregator through the list of
/// taken rows and its length (Release). Rows come in chunks, which the aggregator appends
/// (`OnceBox`).
#[derive(Debug)]
pub(crate) struct RowTable<T> {
    chunks: Box<[OnceBox<Pages<T>>]>,
    /// By slot: its row number plus 1, or 0 without a row. Written and read by the owner.
    numbers: Pages<AtomicU64>,
    /// By row: its slot. Written by the owner, read by the aggregator.
    slots: Pages<AtomicU64>,
    /// Rows that were taken. Written by the owner, read by the aggregator.
    taken: AtomicUsize,
}

impl<T: Zeroed> RowTable<T> {
    pub(crate) fn new(slots: usize) -> Self {
        let table = Self {
            chunks: empty(slots.div_ceil(ROWS_PER_CHUNK)),
            numbers: zeroed(slots),
            slots: zeroed(slots),
            taken: AtomicUsize::new(0),
        };
        table.refill();
        table
    }

    /// The row of a slot, taking a new one the first time; `None` if none is left. Only for the
    /// owner.
    #[inline]
    pub(crate) fn take(&self, slot: u32) -> Option<&T> {
        let number = self.numbers.get(slot as usize)?;
        match number.load_own() {
            0 => self.take_new(slot, number),
            number => self.row(number as usize - 1),
        }
    }

    #[cold]
    #[inline(never)]
    fn take_new(&self, slot: u32, number: &AtomicU64) -> Option<&T> {
        let taken = self.taken.load_own();
        let row = self.row(taken)?;
        // Relaxed: only the owner reads it.
        number.store(taken as u64 + 1, Ordering::Relaxed);
        // Relaxed: published by the Release below.
        self.slots.get(taken)?.store(u64::from(slot), Ordering::Relaxed);
        // Release: pairs with the Acquire in `taken`; the row's slot is visible.
        self.taken.store(taken + 1, Ordering::Release);
        Some(row)
    }

    /// The taken rows, each with its slot.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..self.taken()).filter_map(|number| self.nth(number))
    }

    fn row(&self, number: usize) -> Option<&T> {
        self.chunks.get(number / ROWS_PER_CHUNK)?.get()?.get(number % ROWS_PER_CHUNK)
    }

    /// The number of rows taken.
    pub(crate) fn taken(&self) -> usize {
        // Acquire: pairs with the Release in `take_new`.
        self.taken.load(Ordering::Acquire)
    }

    /// A taken row, with its slot. Only for the aggregator.
    pub(crate) fn nth(&self, number: usize) -> Option<(u32, &T)> {
        // Relaxed: ordered by the Acquire in `taken`.
        let slot = self.slots.get(number)?.load(Ordering::Relaxed);
        Some((slot as u32, self.row(number)?))
    }

    /// Adds rows if less than half a chunk is left. Only for the aggregator.
    pub(crate) fn refill(&self) {
        let wanted = (self.taken() + ROWS_PER_CHUNK / 2) / ROWS_PER_CHUNK;
        if let Some(chunk) = self.chunks.get(wanted)
            && chunk.get().is_none()
        {
            // Err: impossible, only the aggregator appends.
            let _ = chunk.set(Box::new(zeroed(ROWS_PER_CHUNK)));
        }
    }

    /// Bytes outside the lane itself, counting only rows that were taken.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.chunks) + self.taken() * (size_of::<T>() + 2 * size_of::<u64>())
    }
}
