//! A word that one thread at a time writes.

/// A word that one thread at a time writes.
///
/// The writer's own load is no synchronization: it reads what the thread stored itself, or what
/// came with the ownership. Models check exactly that, and do not treat it as an access that must
/// be ordered with other threads' accesses, which would hide interleavings.
pub(crate) trait SingleWriter {
    type Value;

    /// The word's value. Only for its writer.
    fn load_own(&self) -> Self::Value;
}
