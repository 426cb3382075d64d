//! A word that one thread at a time writes.

/// A word that one thread at a time writes.
///
/// The writer's own load is no synchronization: it reads what it stored itself, or what came with
/// the ownership. Under the model it is checked to be just that, and is not taken for an access
/// that other threads' accesses have to be ordered with, which would hide interleavings.
pub(crate) trait SingleWriter {
    type Value;

    /// What the word holds. Its writer only.
    fn load_own(&self) -> Self::Value;
}
