//! Fixed tables of slots that are filled once: a lane's cells and rows by series.
//!
//! # Synchronization
//! A slot is empty, then holds one value for good (`OnceBox`: set by compare-and-swap, got by
//! one Acquire load). Owner, aggregator and registering threads may all fill it; the first one
//! wins, the others drop what they brought, nobody waits.

use crate::cell::CounterCell;
use crate::limits::{CELLS_IN_LANE, CELLS_PER_CHUNK, ROWS_PER_PAGE};
use crate::sync::OnceBox;

fn empty<T>(len: usize) -> Box<[OnceBox<T>]> {
    (0..len).map(|_| OnceBox::new()).collect()
}

/// The counter cells of a lane: the first in the lane itself, which a record finds without
/// another load, the others in chunks that are allocated when they are needed.
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

    /// Makes the cell of `slot` exist; says how many bytes that took.
    pub(crate) fn install(&self, slot: u32) -> usize {
        let Some(place) = (slot as usize).checked_sub(CELLS_IN_LANE) else { return 0 };
        let Some(chunk) = self.more.get(place / CELLS_PER_CHUNK) else { return 0 };
        if chunk.get().is_some() {
            return 0;
        }
        let fresh = Box::new(std::array::from_fn(|_| CounterCell::default()));
        // Err: another thread was first, which serves as well.
        chunk.set(fresh).map_or(0, |()| size_of::<CellChunk>())
    }

    /// The chunks that exist, each with the slot of its first cell.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = (u32, &[CounterCell])> {
        let first = self.first.chunks(CELLS_PER_CHUNK).map(Some);
        let more = self.more.iter().map(|chunk| chunk.get().map(|cells| &cells[..]));
        first.chain(more).enumerate().filter_map(|(i, chunk)| {
            let first = u32::try_from(i * CELLS_PER_CHUNK).ok()?;
            Some((first, chunk?))
        })
    }

    /// Bytes beside the lane itself.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.more)
    }
}

/// The spill rows of a lane, each allocated on its own, behind pages of pointers.
#[derive(Debug)]
pub(crate) struct RowTable<T> {
    pages: Box<[OnceBox<Page<T>>]>,
}

type Page<T> = Box<[OnceBox<T>]>;

impl<T> RowTable<T> {
    pub(crate) fn new(slots: usize) -> Self {
        Self { pages: empty(slots.div_ceil(ROWS_PER_PAGE)) }
    }

    #[inline]
    pub(crate) fn get(&self, slot: u32) -> Option<&T> {
        let slot = slot as usize;
        self.pages.get(slot / ROWS_PER_PAGE)?.get()?.get(slot % ROWS_PER_PAGE)?.get()
    }

    /// Makes the row of `slot` exist; says how many bytes that took.
    pub(crate) fn install(&self, slot: u32, row: impl FnOnce() -> Box<T>) -> usize {
        let Some(page) = self.pages.get(slot as usize / ROWS_PER_PAGE) else { return 0 };
        let mut bytes = 0;
        if page.get().is_none() && page.set(Box::new(empty(ROWS_PER_PAGE))).is_ok() {
            bytes += ROWS_PER_PAGE * size_of::<OnceBox<T>>();
        }
        let place = page.get().and_then(|rows| rows.get(slot as usize % ROWS_PER_PAGE));
        if let Some(place) = place
            && place.get().is_none()
            && place.set(row()).is_ok()
        {
            bytes += size_of::<T>();
        }
        bytes
    }

    /// The rows that exist, each with its slot.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (u32, &T)> {
        self.pages.iter().enumerate().flat_map(|(page_index, page)| {
            let rows = page.get().map(|rows| rows.iter()).into_iter().flatten();
            rows.enumerate().filter_map(move |(i, row)| {
                Some((u32::try_from(page_index * ROWS_PER_PAGE + i).ok()?, row.get()?))
            })
        })
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.pages)
    }
}
