//! Tracks whether this thread is in a cold path of recording.

use std::cell::Cell;

use crate::sync::door::thread_local;

thread_local! {
    static IN_COLD_PATH: Cell<bool> = const { Cell::new(false) };
}

/// Held while this thread is in a cold path, which allocates and may hold a lock.
///
/// An allocator that counts allocations records in the middle of it. A sample that would need a
/// cold path itself is then dropped and counted instead of entering twice; any other sample is
/// recorded normally.
#[derive(Debug)]
pub(crate) struct ColdPath {
    was_inside: bool,
}

impl ColdPath {
    /// Enters from a recording call; `None` inside a cold path.
    pub(crate) fn enter() -> Option<Self> {
        let path = Self::enter_again();
        (!path.was_inside).then_some(path)
    }

    /// Enters, or nests one level deeper.
    pub(crate) fn enter_again() -> Self {
        // Err: impossible, the cell has no destructor. If it did, we would not know of being
        // inside.
        let was_inside = IN_COLD_PATH.try_with(|inside| inside.replace(true)).unwrap_or(false);
        Self { was_inside }
    }
}

impl Drop for ColdPath {
    fn drop(&mut self) {
        let _ = IN_COLD_PATH.try_with(|inside| inside.set(self.was_inside));
    }
}
