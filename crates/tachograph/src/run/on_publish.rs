//! Callbacks that record values before a snapshot is published.
//!
//! They run on the thread that makes the pass, before it takes any lock, so they may record,
//! register and read. Two threads that make passes at the same time both call them.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Once;

use crate::sync::{Arc, Mutex, MutexGuard, lock, thread_local};

/// How many collectors' callbacks may be inside each other: beyond it, none are called.
const DEPTH_MAX: usize = 4;

/// The addresses of the collectors whose callbacks a thread is inside; 0 for none.
type Inside = Cell<[usize; DEPTH_MAX]>;

thread_local! {
    static INSIDE: Inside = const { Cell::new([0; DEPTH_MAX]) };
}

/// The callbacks of a collector, in the order in which they were added.
pub(crate) type Callbacks = Arc<[Callback]>;

#[derive(Clone)]
pub(crate) struct Callback {
    call: Arc<dyn Fn() + Send + Sync>,
    /// Whether a panic of it was reported.
    reported: Arc<Once>,
}

/// The callbacks of a collector. The lock is only held while the list is copied or replaced.
pub(crate) struct OnPublish(Mutex<Callbacks>);

impl OnPublish {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Arc::new([])))
    }

    pub(crate) fn add(&self, call: Arc<dyn Fn() + Send + Sync>) {
        let callback = Callback { call, reported: Arc::new(Once::new()) };
        let mut all = self.lock();
        *all = all.iter().cloned().chain([callback]).collect();
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Callbacks> {
        lock(&self.0)
    }

    /// Calls each, unless this thread is inside one of them already, as where a callback publishes,
    /// or inside those of four other collectors. Each panic is caught and passed to `panicked`,
    /// with whether it is the callback's first.
    pub(crate) fn call(&self, panicked: impl Fn(bool)) {
        // No model has callbacks, and each lock would multiply the models' interleavings.
        if cfg!(tachograph_loom) {
            return;
        }
        let all = Arc::clone(&self.lock());
        // The cell has no destructor, so it is always there.
        let around = INSIDE.with(Cell::get);
        let own = ptr::from_ref(self).addr();
        let free = around.iter().position(|collector| *collector == 0);
        let Some(free) = free.filter(|_| !all.is_empty() && !around.contains(&own)) else { return };
        let mut inside = around;
        inside[free] = own;
        INSIDE.with(|cell| cell.set(inside));
        for callback in &*all {
            if catch_unwind(AssertUnwindSafe(|| (callback.call)())).is_err() {
                let mut is_first = false;
                callback.reported.call_once(|| is_first = true);
                panicked(is_first);
            }
        }
        INSIDE.with(|cell| cell.set(around));
    }
}
