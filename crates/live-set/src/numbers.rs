//! What a file calls the nodes that the tree knew before a save numbered them.

use std::collections::HashMap;

use crate::tree::NodeId;

/// The parts of ids that a file has, of nodes whose ids in the tree have another: what an event
/// announced keeps its id when a save gives it an `Id`, and later saves find it by that.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers(HashMap<NodeId, Box<str>>);

impl Numbers {
    /// The part of a node's id that tells it from its siblings in a file.
    pub(crate) fn local<'a>(&'a self, id: &'a NodeId) -> &'a str {
        match self.0.get(id) {
            Some(local) => local,
            None => id.local(),
        }
    }

    /// Remembers what a file calls a node, where that is not what its id says.
    pub(crate) fn note(&mut self, id: &NodeId, local: &str) {
        if numbered(local).is_some_and(|local| local != id.local()) {
            self.0.insert(id.clone(), local.into());
        }
    }

    /// An event told of the node, and no file has yet.
    pub(crate) fn is_announced(&self, id: &NodeId) -> bool {
        !self.0.contains_key(id) && id.is_serial()
    }
}

/// A part of an id if it is from the file's own `Id`s, which stay while things move: not a position,
/// and not an edit's.
pub(crate) fn numbered(local: &str) -> Option<&str> {
    (!local.contains(['@', '+'])).then_some(local)
}
