//! The message with the whole tree of a set.

use std::path::PathBuf;
use std::sync::Arc;

use live_set::Set;

use super::message;
use super::outgoing::{Memory, Outgoing};

/// The message with the whole tree, and its version.
#[derive(Clone, Debug)]
pub(crate) struct WholeTree {
    pub(crate) version: u64,
    pub(crate) message: Outgoing,
}

/// A copy of a set at a version, which can be written without holding up the set.
#[derive(Debug)]
pub(crate) struct TreeCopy {
    pub(crate) version: u64,
    pub(crate) set: Set,
    pub(crate) file: PathBuf,
}

impl TreeCopy {
    pub(crate) fn write(&self, memory: &Arc<Memory>) -> WholeTree {
        let text = message::full_ast(&self.set, &self.file);
        WholeTree { version: self.version, message: memory.hold(text) }
    }
}
