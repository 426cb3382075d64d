//! Ids that stay the same from one load to the next.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// The id of a node: the same each time a file is loaded, unique in its set, cheap to clone.
///
/// An id is the path of the node's owners, each with its kind and its key there, as in
/// `track:16/slot:3/clip:0`. The key is the `Id` of the element in the file, because Live keeps it
/// when things move. `@7` is a position, for an element without a usable `Id`; `+2` marks the
/// second node that an edit created. Treat the text as opaque.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(Arc<str>);

impl NodeId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the project, the root of the tree.
    pub(crate) fn project() -> Self {
        Self("project".into())
    }

    /// The id of a node owned by the project. The project's own id is left out, because it adds
    /// nothing.
    pub(crate) fn top(kind: &str, key: Key) -> Self {
        Self(format!("{kind}:{key}").into())
    }

    /// The id of a node owned by this node.
    pub(crate) fn child(&self, kind: &str, key: Key) -> Self {
        Self(format!("{self}/{kind}:{key}").into())
    }

    /// The id of the only node of its kind that this node owns.
    pub(crate) fn only_child(&self, kind: &str) -> Self {
        Self(format!("{self}/{kind}").into())
    }

    /// The id of a node's `number`th file reference, which the project owns.
    pub(crate) fn file_ref(owner: &Self, number: usize) -> Self {
        Self(format!("file_ref:{}:{number}", owner.0.replace('/', ".")).into())
    }

    /// The part that distinguishes this node from its siblings.
    pub(crate) fn local(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The same local part under another owner. Ids of nodes owned by the project do not include
    /// its id.
    pub(crate) fn moved_under(&self, owner: &Self) -> Self {
        if !self.0.contains('/') || self.covered_by(owner) {
            return self.clone();
        }
        Self(format!("{owner}/{}", self.local()).into())
    }

    /// Whether an edit created the node.
    pub(crate) fn is_serial(&self) -> bool {
        self.local().contains(":+")
    }

    /// The id with its last key replaced.
    pub(crate) fn with_key(&self, key: Key) -> Self {
        let kind = self.0.rfind(':').map_or(&*self.0, |colon| &self.0[..colon]);
        Self(format!("{kind}:{key}").into())
    }

    /// Whether this id is the owner's id plus a local part.
    fn covered_by(&self, owner: &Self) -> bool {
        self.0.rsplit_once('/').is_some_and(|(prefix, _)| prefix == owner.as_str())
    }

    /// Whether `other` is this id or below it.
    pub(crate) fn covers(&self, other: &str) -> bool {
        other
            .strip_prefix(self.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// What distinguishes a node from its siblings of the same kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    /// The `Id` in the file.
    File(i64),
    /// The position among the siblings.
    Position(usize),
    /// The main track: there is only one, and it has no `Id`.
    Main,
    /// A number for a node that an edit inserts; never reused.
    Serial(u64),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(id) => write!(f, "{id}"),
            Self::Position(position) => write!(f, "@{position}"),
            Self::Main => f.write_str("main"),
            Self::Serial(serial) => write!(f, "+{serial}"),
        }
    }
}

/// Assigns keys to siblings, so that ids are unique even if a file repeats an `Id`.
#[derive(Debug, Default)]
pub(crate) struct SiblingKeys {
    seen: HashSet<i64>,
    position: usize,
}

impl SiblingKeys {
    /// The key of the next sibling, whose `Id` is `file_id`.
    pub(crate) fn next(&mut self, file_id: Option<i64>) -> Key {
        let position = self.position;
        self.position += 1;
        match file_id {
            Some(id) if self.seen.insert(id) => Key::File(id),
            _ => Key::Position(position),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_or_missing_file_id_falls_back_to_the_position() {
        let mut keys = SiblingKeys::default();
        let given: Vec<_> = [Some(4), None, Some(4), Some(-1)]
            .into_iter()
            .map(|id| NodeId::top("track", keys.next(id)).to_string())
            .collect();
        assert_eq!(given, ["track:4", "track:@1", "track:@2", "track:-1"]);
    }

    #[test]
    fn an_id_covers_itself_and_what_it_owns_only() {
        let track = NodeId::top("track", Key::File(1));
        let slot = track.child("slot", Key::File(3));
        assert!(track.covers(track.as_str()) && track.covers(slot.as_str()));
        assert!(!track.covers("track:16") && !slot.covers(track.as_str()));
        assert_eq!(slot.local(), "slot:3");
    }
}
