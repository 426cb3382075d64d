//! Stand-ins for structures that loom cannot see into; used in models only.
//!
//! Each gives what the documentation of the real one promises, built on loom's atomics, and nothing
//! more: above all, no happens-before edge that the real one does not have. Where the real one
//! would wait, the stand-in fails, because this crate promises that this never happens.
//!
//! Loom remembers only an object's last access. A thread that loads and then stores therefore hides
//! that its store races with an earlier load by another thread. Where this pattern is common, in
//! `OnceBox` and `ArcSwap`, each load first counts itself in a separate word, which loom sees as a
//! race with every other load. The word is relaxed: it orders nothing in the model.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::sync::single_writer::SingleWriter;

fn locked<T, R>(cell: &Mutex<T>, act: impl FnOnce(&mut T) -> R) -> R {
    // Std's mutex, invisible to loom and never contended: loom runs one thread at a time and has no
    // scheduling point in here.
    act(&mut cell.lock().unwrap_or_else(PoisonError::into_inner))
}

macro_rules! single_writer {
    ($($atomic:ident: $value:ty),*) => {$(
        impl SingleWriter for $atomic {
            type Value = $value;

            #[allow(unsafe_code, reason = "loom's own check that no store is concurrent")]
            fn load_own(&self) -> $value {
                // SAFETY: loom fails the model if another thread's store is not ordered before this
                // load, which is what its documentation requires of the caller.
                unsafe { self.unsync_load() }
            }
        }
    )*};
}

single_writer!(AtomicU64: u64, AtomicUsize: usize);

/// `crossbeam_queue::ArrayQueue`: a push happens before the pop that returns its value.
pub(crate) struct ArrayQueue<T> {
    slots: Box<[Slot<T>]>,
    head: AtomicUsize,
    tail: AtomicUsize,
}

struct Slot<T> {
    /// The position that may be pushed here, plus one once that has happened.
    stamp: AtomicUsize,
    value: Mutex<Option<T>>,
}

impl<T> ArrayQueue<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        let slot = |i| Slot { stamp: AtomicUsize::new(i), value: Mutex::new(None) };
        Self {
            slots: (0..capacity).map(slot).collect(),
            head: AtomicUsize::new(0),
            tail: AtomicUsize::new(0),
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn push(&self, value: T) -> Result<(), T> {
        // Relaxed: only a position; the slot's stamp orders the value.
        let tail = self.tail.fetch_add(1, Ordering::Relaxed);
        let slot = &self.slots[tail % self.slots.len()];
        locked(&slot.value, |place| *place = Some(value));
        // AcqRel: Acquire for the pop that freed the slot, Release for the pop of this value.
        // Relaxed on failure, which ends the model.
        let free = slot.stamp.compare_exchange(tail, tail + 1, Ordering::AcqRel, Ordering::Relaxed);
        assert!(free.is_ok(), "the push has met a slot that is being popped, or a full queue");
        Ok(())
    }

    pub(crate) fn pop(&self) -> Option<T> {
        // Relaxed: as in `push`.
        let head = self.head.fetch_add(1, Ordering::Relaxed);
        let slot = &self.slots[head % self.slots.len()];
        // Acquire: pairs with the AcqRel in `push`. A load may be stale, unlike a compare-and-swap.
        let pushed = slot.stamp.load(Ordering::Acquire) == head + 1;
        assert!(pushed, "the pop has met an unfinished push, or an empty queue");
        let value = locked(&slot.value, Option::take);
        // Release: pairs with the AcqRel of the next push into the slot.
        slot.stamp.store(head + self.slots.len(), Ordering::Release);
        value
    }
}

impl<T> fmt::Debug for ArrayQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArrayQueue")
    }
}

/// `once_cell::race::OnceBox`: setting happens before getting the value.
pub(crate) struct OnceBox<T> {
    value: OnceLock<Box<T>>,
    ready: AtomicUsize,
    /// Loads while it is empty: see the top of the file.
    looks: AtomicUsize,
}

impl<T> OnceBox<T> {
    pub(crate) fn new() -> Self {
        Self { value: OnceLock::new(), ready: AtomicUsize::new(0), looks: AtomicUsize::new(0) }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        if self.value.get().is_none() {
            // Relaxed: see the top of the file.
            self.looks.fetch_add(1, Ordering::Relaxed);
        }
        // Acquire: pairs with the Release in `set`.
        let ready = self.ready.load(Ordering::Acquire) == 1;
        self.value.get().filter(|_| ready).map(|value| &**value)
    }

    pub(crate) fn set(&self, value: Box<T>) -> Result<(), Box<T>> {
        // Release: pairs with the Acquire in `get`. Acquire on failure: the value that another
        // thread has set is visible.
        match self.ready.compare_exchange(0, 1, Ordering::Release, Ordering::Acquire) {
            // No other thread runs before the next access to an atomic.
            Ok(_) => self.value.set(value),
            Err(_) => Err(value),
        }
    }
}

impl<T> fmt::Debug for OnceBox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnceBox")
    }
}

/// `arc_swap::ArcSwap`: storing happens before loading the value; a load may be stale.
pub(crate) struct ArcSwap<T> {
    stored: Mutex<Vec<Arc<T>>>,
    last: AtomicUsize,
    /// Loads: see the top of the file.
    looks: AtomicUsize,
}

impl<T> ArcSwap<T> {
    pub(crate) fn new(value: Arc<T>) -> Self {
        Self {
            stored: Mutex::new(vec![value]),
            last: AtomicUsize::new(0),
            looks: AtomicUsize::new(0),
        }
    }

    pub(crate) fn from_pointee(value: T) -> Self {
        Self::new(Arc::new(value))
    }

    pub(crate) fn load_full(&self) -> Arc<T> {
        // Relaxed: see the top of the file.
        self.looks.fetch_add(1, Ordering::Relaxed);
        // Acquire: pairs with the Release in `swap`.
        let last = self.last.load(Ordering::Acquire);
        locked(&self.stored, |stored| Arc::clone(&stored[last]))
    }

    pub(crate) fn load(&self) -> Arc<T> {
        self.load_full()
    }

    pub(crate) fn store(&self, value: Arc<T>) {
        drop(self.swap(value));
    }

    pub(crate) fn swap(&self, value: Arc<T>) -> Arc<T> {
        let index = locked(&self.stored, |stored| {
            stored.push(value);
            stored.len() - 1
        });
        // AcqRel: Release for the Acquire in `load_full`, Acquire for the value that is returned.
        let before = self.last.swap(index, Ordering::AcqRel);
        locked(&self.stored, |stored| Arc::clone(&stored[before]))
    }
}

impl<T> fmt::Debug for ArcSwap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArcSwap")
    }
}

/// `arc_swap::Cache`: reloads every time, which is all that it promises.
#[derive(Clone)]
pub(crate) struct Cache<S, T> {
    source: S,
    cached: T,
}

impl<T> Cache<Arc<ArcSwap<T>>, Arc<T>> {
    pub(crate) fn new(source: Arc<ArcSwap<T>>) -> Self {
        let cached = source.load_full();
        Self { source, cached }
    }

    pub(crate) fn load(&mut self) -> &Arc<T> {
        self.cached = self.source.load_full();
        &self.cached
    }
}

impl<S, T> fmt::Debug for Cache<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cache")
    }
}

/// `atomic_float::AtomicF64`: a word with the float's bits.
#[derive(Debug)]
pub(crate) struct AtomicF64(AtomicU64);

impl AtomicF64 {
    pub(crate) fn new(value: f64) -> Self {
        Self(AtomicU64::new(value.to_bits()))
    }

    pub(crate) fn load(&self, order: Ordering) -> f64 {
        f64::from_bits(self.0.load(order))
    }

    pub(crate) fn store(&self, value: f64, order: Ordering) {
        self.0.store(value.to_bits(), order);
    }

    pub(crate) fn swap(&self, value: f64, order: Ordering) -> f64 {
        f64::from_bits(self.0.swap(value.to_bits(), order))
    }

    pub(crate) fn compare_exchange_weak(
        &self,
        current: f64,
        new: f64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<f64, f64> {
        self.0
            .compare_exchange_weak(current.to_bits(), new.to_bits(), success, failure)
            .map(f64::from_bits)
            .map_err(f64::from_bits)
    }
}
