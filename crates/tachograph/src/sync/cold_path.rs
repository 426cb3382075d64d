//! Whether this thread is in a cold path of recording.

use std::cell::Cell;

use crate::sync::door::thread_local;

#[cfg(not(tachograph_loom))]
thread_local! {
    static IN_COLD_PATH: Cell<bool> = const { Cell::new(false) };
}

#[cfg(tachograph_loom)]
thread_local! {
    static IN_COLD_PATH: Cell<bool> = Cell::new(false);
}

/// Held while this thread is in a cold path, which allocates and may hold a lock.
///
/// An allocator that counts itself records in the middle of it. A sample that needs a cold path
/// in turn is dropped and counted then, instead of entering twice; one that does not is recorded
/// as ever.
#[derive(Debug)]
pub(crate) struct ColdPath {
    was_inside: bool,
}

impl ColdPath {
    /// Enters, on recording's way; `None` from inside a cold path.
    pub(crate) fn enter() -> Option<Self> {
        let path = Self::enter_again();
        (!path.was_inside).then_some(path)
    }

    /// Enters, or goes one level deeper.
    pub(crate) fn enter_again() -> Self {
        // Err: cannot be, the cell has no destructor. Not inside, then, as far as is known.
        let was_inside = IN_COLD_PATH.try_with(|inside| inside.replace(true)).unwrap_or(false);
        Self { was_inside }
    }
}

impl Drop for ColdPath {
    fn drop(&mut self) {
        let _ = IN_COLD_PATH.try_with(|inside| inside.set(self.was_inside));
    }
}
