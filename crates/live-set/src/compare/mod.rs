//! Comparing two states of a set: which nodes are the same, and what changed.
//!
//! May use `tree`, `path` and `set`. In reading order:
//! - `numbers`: the ids that files use, for the nodes that have another one here
//! - `class`: what Live shows for the classes of devices
//! - `matching`: which nodes of two trees are the same
//! - `inherit`: ids and live state, carried over to the next state
//! - `change`: the records of changes, as viewers are sent them
//! - `diff`: from two states to such records

pub(crate) mod change;
pub(crate) mod class;
pub(crate) mod diff;
pub(crate) mod inherit;
pub(crate) mod matching;
pub(crate) mod numbers;
