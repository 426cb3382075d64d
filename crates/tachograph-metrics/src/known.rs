//! The handles that a thread has used, so that a macro finds its own without a lock.
//!
//! Each thread has handles of its own: threads that shared one would contend for its reference
//! count, since the facade clones and drops a handle with each macro call.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

use foldhash::fast::RandomState;
use metrics::{Counter, Gauge, Histogram, Key};

/// Handles of one kind that a thread keeps for a recorder. When they are full they start over, so
/// that labels that never repeat hold no memory for long.
const HANDLES_MAX: usize = 1_024;

/// Recorders for which a thread keeps handles; the one found least recently goes first.
const RECORDERS_MAX: usize = 8;

thread_local! {
    static KNOWN: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
}

/// Tells recorders apart. A weak pointer keeps its address from being used again.
pub(crate) type Identity = Arc<()>;

/// A thread's handles of one recorder.
pub(crate) struct Known {
    of: Weak<()>,
    counters: Handles<Counter>,
    gauges: Handles<Gauge>,
    histograms: Handles<Histogram>,
}

type Handles<T> = HashMap<Key, T, RandomState>;

/// A handle of the facade.
pub(crate) trait Kept: Clone {
    fn handles(known: &mut Known) -> &mut Handles<Self>;
}

impl Kept for Counter {
    fn handles(known: &mut Known) -> &mut Handles<Self> {
        &mut known.counters
    }
}

impl Kept for Gauge {
    fn handles(known: &mut Known) -> &mut Handles<Self> {
        &mut known.gauges
    }
}

impl Kept for Histogram {
    fn handles(known: &mut Known) -> &mut Handles<Self> {
        &mut known.histograms
    }
}

/// This thread's handle of a key, registered if necessary.
///
/// Without a cache, as at the end of a thread, each call registers.
pub(crate) fn handle<T: Kept>(of: &Identity, key: &Key, register: impl FnOnce() -> T) -> T {
    let known = with(|all| {
        let handles = T::handles(all.iter_mut().find(|known| known.is_of(of))?);
        handles.get(key).cloned()
    });
    known.flatten().unwrap_or_else(|| keep(of, key, register()))
}

#[cold]
fn keep<T: Kept>(of: &Identity, key: &Key, handle: T) -> T {
    // Dropped only after the cache is no longer borrowed.
    let mut old = Vec::new();
    let key = key.to_retained();
    with(|all| {
        old.extend(all.extract_if(.., |known| known.of.strong_count() == 0));
        let index = all.iter().position(|known| known.is_of(of));
        let mut known = index.map_or_else(|| Known::new(of), |index| all.remove(index));
        let handles = T::handles(&mut known);
        if handles.len() >= HANDLES_MAX {
            handles.clear();
        }
        handles.insert(key, handle.clone());
        if all.len() >= RECORDERS_MAX {
            old.push(all.remove(0));
        }
        all.push(known);
    });
    handle
}

/// `None` at the end of a thread, or if a handle's registration or end comes back here.
fn with<R>(act: impl FnOnce(&mut Vec<Known>) -> R) -> Option<R> {
    KNOWN.try_with(|all| all.try_borrow_mut().ok().map(|mut all| act(&mut all))).ok().flatten()
}

impl Known {
    fn new(of: &Identity) -> Self {
        Self {
            of: Arc::downgrade(of),
            counters: Handles::default(),
            gauges: Handles::default(),
            histograms: Handles::default(),
        }
    }

    fn is_of(&self, of: &Identity) -> bool {
        std::ptr::eq(self.of.as_ptr(), Arc::as_ptr(of))
    }
}
