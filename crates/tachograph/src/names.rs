//! A thread's cache from names and tags to handles, so that recording by name takes no lock.
//!
//! Keys are the tags as the caller gave them, unsorted: two orders of one tag set are two entries
//! of one series, and a hit needs neither sorting nor an allocation.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::handle::Handle;
use crate::limits::TEXT_BYTES;
use crate::sample::{BEYOND_LIMIT, CONFLICTING};
use crate::tags::Tags;

#[derive(Default)]
pub(crate) struct NameCache {
    /// Seeded at random, a thread and collector each.
    hasher: RandomState,
    known: RefCell<HashTable<Known>>,
}

struct Known {
    hash: u64,
    name: Box<str>,
    tags: Box<[(Box<str>, Box<str>)]>,
    handle: Handle,
}

impl Known {
    #[inline]
    fn is(&self, name: &str, tags: &[(&str, &str)]) -> bool {
        *self.name == *name
            && self.tags.len() == tags.len()
            && self.tags.iter().zip(tags).all(|(a, b)| *a.0 == *b.0 && *a.1 == *b.1)
    }
}

impl NameCache {
    /// Runs `act` with the handle, if it is known.
    #[inline]
    pub(crate) fn with(
        &self,
        name: &str,
        tags: &[(&str, &str)],
        act: impl FnOnce(&Handle),
    ) -> bool {
        // Err: an insertion is under way on this thread, and its allocation records.
        let Ok(known) = self.known.try_borrow() else { return false };
        match known.find(self.hash(name, tags), |known| known.is(name, tags)) {
            Some(known) => {
                act(&known.handle);
                true
            }
            None => false,
        }
    }

    /// Remembers a handle, unless it must be asked for anew: text that was cut, a tag set that
    /// went to the overflow series, a metric beyond the limit.
    pub(crate) fn insert(&self, name: &str, tags: &[(&str, &str)], handle: Handle, max: usize) {
        let long = |text: &str| text.len() > TEXT_BYTES;
        let cut = long(name) || tags.iter().any(|(key, value)| long(key) || long(value));
        let elsewhere = handle.entry.tags != Tags::new(tags);
        let refused = handle.id == CONFLICTING;
        if cut || handle.id == BEYOND_LIMIT || (elsewhere && !refused) {
            return;
        }
        let Ok(mut known) = self.known.try_borrow_mut() else { return };
        if known.len() >= max {
            return;
        }
        let hash = self.hash(name, tags);
        let tags = tags.iter().map(|&(key, value)| (key.into(), value.into())).collect();
        let entry = Known { hash, name: name.into(), tags, handle };
        known.insert_unique(hash, entry, |known| known.hash);
    }

    #[inline]
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
