//! The file's ids of nodes that were in the tree before a save numbered them.

use std::collections::HashMap;

use crate::tree::NodeId;

/// The local ids in the file of nodes whose ids in the tree differ: a node that an event announced
/// keeps its id when a save assigns an `Id`, and later saves find it by that.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers(HashMap<NodeId, Box<str>>);

impl Numbers {
    /// The part of a node's id that distinguishes it from its siblings in a file.
    pub(crate) fn local<'a>(&'a self, id: &'a NodeId) -> &'a str {
        match self.0.get(id) {
            Some(local) => local,
            None => id.local(),
        }
    }

    /// Remembers a node's local id in the file, if its id says otherwise.
    pub(crate) fn note(&mut self, id: &NodeId, local: &str) {
        if numbered(local).is_some_and(|local| local != id.local()) {
            self.0.insert(id.clone(), local.into());
        }
    }

    /// Whether the node was announced by an event and is not in a file yet.
    pub(crate) fn is_announced(&self, id: &NodeId) -> bool {
        !self.0.contains_key(id) && id.is_serial()
    }
}

/// The local id if it comes from the file's own `Id`s, which do not change when things move; not a
/// position and not an edit's number.
pub(crate) fn numbered(local: &str) -> Option<&str> {
    (!local.contains(['@', '+'])).then_some(local)
}
