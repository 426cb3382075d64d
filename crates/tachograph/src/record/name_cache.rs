//! A thread's cache from names and tags to handles, so that recording by name takes no lock.
//!
//! Keys are the tags as the caller gave them, unsorted: two orders of the same tag set are two
//! entries for one series, and a hit needs neither sorting nor an allocation.
//!
//! A call site usually names the same series as last time. So the address of the name and the ends
//! of the tag values select a slot in a small table of hints. The entry found there is compared in
//! full, which is cheaper than hashing; only a miss hashes.

use std::cell::{Cell, OnceCell, RefCell};
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::lane::shared::Shared;
use crate::limits::{NAME_HINTS, TEXT_BYTES};
use crate::record::handle::Handle;
use crate::series::metric::Kind;
use crate::series::series_id::{BEYOND_LIMIT, CONFLICTING};
use crate::series::tags::Tags;
use crate::sync::Arc;

/// Takes 2 KiB, plus about 140 bytes and the text for each name (56 more for a timing or
/// histogram); counted in `telemetry.memory`.
#[derive(Debug)]
pub(crate) struct NameCache {
    shared: Arc<Shared>,
    known: RefCell<Known>,
    /// Entry indexes, by `hint`; any slot may hold any index.
    hints: [Cell<u32>; NAME_HINTS],
    /// Handles without a series, one for a histogram and one for a timing, for names recorded as a
    /// kind that is not theirs.
    conflicting: [OnceCell<Arc<Handle>>; 2],
}

#[derive(Debug, Default)]
struct Known {
    entries: Vec<Entry>,
    /// The handles of timings and histograms again, with the same indexes, for timers. Timers own
    /// theirs and may end on any thread; threads that shared one reference count would contend for
    /// it.
    owned: Vec<Option<Arc<Handle>>>,
    /// Randomly seeded, per thread and collector.
    hasher: RandomState,
    /// Hash and index of every entry.
    table: HashTable<(u64, u32)>,
    /// Bytes held by entries and timers' handles, besides their slots.
    held: usize,
    /// The number of bytes reported to the collector.
    noted: usize,
}

#[derive(Debug)]
struct Entry {
    name: Box<str>,
    tags: Box<[(Box<str>, Box<str>)]>,
    handle: Handle,
}

impl Entry {
    #[inline]
    fn is(&self, name: &str, tags: &[(&str, &str)]) -> bool {
        same(&self.name, name)
            && self.tags.len() == tags.len()
            && self.tags.iter().zip(tags).all(|(a, b)| same(&a.1, b.1) && same(&a.0, b.0))
    }
}

/// Compares texts; those of usual length by their two ends, which overlap, without a call.
#[inline]
fn same(a: &str, b: &str) -> bool {
    fn ends<const N: usize>(text: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
        Some((text.first_chunk()?, text.last_chunk()?))
    }
    let (a, b) = (a.as_bytes(), b.as_bytes());
    a.len() == b.len()
        && match a.len() {
            8..=16 => ends::<8>(a) == ends::<8>(b),
            17..=32 => ends::<16>(a) == ends::<16>(b),
            _ => a == b,
        }
}

impl Drop for NameCache {
    fn drop(&mut self) {
        self.shared.note_cached(self.known.get_mut().noted, 0);
    }
}

impl NameCache {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        let known = Known { noted: size_of::<Self>(), ..Known::default() };
        shared.note_cached(0, known.noted);
        Self {
            shared: Arc::clone(shared),
            known: RefCell::new(known),
            hints: std::array::from_fn(|_| Cell::new(0)),
            conflicting: Default::default(),
        }
    }
}

/// The hint slot of a series, from the address of its name, which is usually a literal, and from
/// the ends of its tag values, which may have been read from anywhere.
#[inline]
fn hint(name: &str, tags: &[(&str, &str)]) -> usize {
    let mut mixed = name.as_ptr().addr() as u64 ^ name.len() as u64;
    for (_, value) in tags {
        let end = value.as_bytes().last_chunk().map_or(0, |end| u64::from_le_bytes(*end));
        mixed = mixed.rotate_left(17) ^ end ^ value.len() as u64;
    }
    // Fibonacci hashing: only the product's highest bits depend on all bits, and three tags rotate
    // the name's address to the top.
    (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - NAME_HINTS.ilog2())) as usize
}

impl NameCache {
    /// Runs `act` with the handle if it is known and its hint is right; returns whether it did.
    #[inline]
    pub(crate) fn with_hinted(
        &self,
        name: &str,
        tags: &[(&str, &str)],
        act: impl FnOnce(&Handle) -> bool,
    ) -> bool {
        // Err: an insertion is in progress on this thread, and its allocation records.
        let Ok(known) = self.known.try_borrow() else { return false };
        let number = self.hints[hint(name, tags)].get() as usize;
        match known.entries.get(number).filter(|entry| entry.is(name, tags)) {
            Some(entry) => act(&entry.handle),
            None => false,
        }
    }

    /// The handle of a timing or histogram, for a timer to own, if its name is known.
    pub(crate) fn owned(&self, name: &str, tags: &[(&str, &str)]) -> Option<Arc<Handle>> {
        // Err: as above.
        let known = self.known.try_borrow().ok()?;
        let number = self.hints[hint(name, tags)].get() as usize;
        let hinted = known.entries.get(number).is_some_and(|entry| entry.is(name, tags));
        let number = if hinted { number } else { self.find(&known, name, tags)? };
        known.owned.get(number)?.clone()
    }

    /// Runs `act` with the handle if it is known, and updates its hint.
    pub(crate) fn with<R>(
        &self,
        name: &str,
        tags: &[(&str, &str)],
        act: impl FnOnce(&Handle) -> R,
    ) -> Option<R> {
        // Err: as above.
        let known = self.known.try_borrow().ok()?;
        let number = self.find(&known, name, tags)?;
        known.entries.get(number).map(|entry| act(&entry.handle))
    }

    /// The index of a known name; updates its hint.
    #[inline(never)]
    fn find(&self, known: &Known, name: &str, tags: &[(&str, &str)]) -> Option<usize> {
        let number = known.look_up(name, tags)?;
        self.hints[hint(name, tags)].set(number);
        Some(number as usize)
    }

    /// A handle for a kind that differs from its name's: its records are counted drops. Created
    /// only once per thread.
    pub(crate) fn conflicting(&self, kind: Kind, make: impl FnOnce() -> Handle) -> Arc<Handle> {
        let place = &self.conflicting[usize::from(kind == Kind::Timing)];
        Arc::clone(place.get_or_init(|| Arc::new(make())))
    }

    /// Caches a handle, unless it must be looked up again each time: text that was cut, a tag set
    /// that went to the overflow series, a metric beyond the limit.
    pub(crate) fn insert(&self, name: &str, tags: &[(&str, &str)], handle: Handle, max: usize) {
        let long = |text: &str| text.len() > TEXT_BYTES;
        let cut = long(name) || tags.iter().any(|(key, value)| long(key) || long(value));
        let elsewhere = handle.entry.tags != Tags::new(tags);
        let refused = handle.id == CONFLICTING;
        if cut || handle.id == BEYOND_LIMIT || (elsewhere && !refused) {
            return;
        }
        let Ok(mut known) = self.known.try_borrow_mut() else { return };
        if known.entries.len() < max {
            known.insert(name, tags, handle);
            let bytes = size_of::<Self>() + known.bytes();
            self.shared.note_cached(std::mem::replace(&mut known.noted, bytes), bytes);
        }
    }
}

/// The handle for timers, if the kind can be timed.
fn owned(handle: &Handle) -> Option<Arc<Handle>> {
    handle.kind.is_distribution().then(|| Arc::new(handle.clone()))
}

impl Known {
    fn look_up(&self, name: &str, tags: &[(&str, &str)]) -> Option<u32> {
        let is = |&(_, number): &(u64, u32)| self.entries[number as usize].is(name, tags);
        self.table.find(self.hash(name, tags), is).map(|&(_, number)| number)
    }

    fn insert(&mut self, name: &str, tags: &[(&str, &str)], handle: Handle) {
        // It was refused as another kind before.
        if let Some(refused) = self.look_up(name, tags) {
            self.owned[refused as usize] = owned(&handle);
            self.entries[refused as usize].handle = handle;
            return;
        }
        let (hash, number) = (self.hash(name, tags), self.entries.len() as u32);
        let tags: Box<[(Box<str>, Box<str>)]> =
            tags.iter().map(|&(key, value)| (key.into(), value.into())).collect();
        let texts: usize = tags.iter().map(|(key, value)| key.len() + value.len()).sum();
        self.held += name.len() + size_of_val(&*tags) + texts;
        self.owned.push(owned(&handle));
        self.entries.push(Entry { name: name.into(), tags, handle });
        self.table.insert_unique(hash, (hash, number), |known| known.0);
    }

    /// Bytes besides the cache itself.
    fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
            + self.owned.capacity() * size_of::<Option<Arc<Handle>>>()
            // Each with its two reference counts.
            + self.owned.iter().flatten().count() * (size_of::<Handle>() + 2 * size_of::<usize>())
            + self.table.allocation_size()
            + self.held
    }

    fn hash(&self, name: &str, tags: &[(&str, &str)]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(name.as_bytes());
        for (key, value) in tags {
            hasher.write(key.as_bytes());
            hasher.write(value.as_bytes());
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beside_one_another_have_hints_of_their_own_whatever_their_tags() {
        let names = "tracing.span.busy".repeat(64);
        let tags = [("span", "request"), ("target", "web"), ("route", "/users"), ("status", "ok")];
        for count in 0..=tags.len() {
            let starts = (0..names.len()).step_by(17);
            let mut hints: Vec<_> =
                starts.map(|at| hint(&names[at..at + 17], &tags[..count])).collect();
            hints.sort_unstable();
            hints.dedup();
            assert!(hints.len() > 1, "all share one hint where they have {count} tags");
        }
    }
}
