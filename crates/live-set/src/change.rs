//! Records of what changed.

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use crate::path::Path;
use crate::tree::{Attributes, Node, NodeId, NodeType, TreeNode, Value, count};

/// What changed: the records in the order in which they are to be replayed.
///
/// Replaying the records over the tree before gives the tree after:
///
/// * `removed`: take the node with that id out, with everything below it;
/// * `modified` and `state_changed`: set the attributes of the node with that id; a path that ends
///   in `parameters[p]` stands for the value of that parameter;
/// * `added`: put `node` into the node `parent_id`, at the position that the path ends in; a
///   clip slot goes where its `scene_index` belongs.
///
/// Serialises as `{changes, added, removed, modified}`: the records, and the ids that they name,
/// each once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// The records.
    pub changes: Vec<Change>,
}

impl Changes {
    /// True where nothing changed: there is nothing to tell anyone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The nodes that were added, without what is below them.
    #[must_use]
    pub fn added(&self) -> Vec<&NodeId> {
        self.ids(|kind| matches!(kind, ChangeKind::Added { .. }))
    }

    /// The nodes that were removed, without what was below them.
    #[must_use]
    pub fn removed(&self) -> Vec<&NodeId> {
        self.ids(|kind| matches!(kind, ChangeKind::Removed { .. }))
    }

    /// The nodes of which attributes changed.
    #[must_use]
    pub fn modified(&self) -> Vec<&NodeId> {
        self.ids(|kind| {
            matches!(kind, ChangeKind::Modified { .. } | ChangeKind::StateChanged { .. })
        })
    }

    /// Puts the number of the event that caused the changes into each record.
    pub fn set_seq_num(&mut self, seq_num: Option<u32>) {
        self.changes.iter_mut().for_each(|change| change.seq_num = seq_num);
    }

    fn ids(&self, wanted: impl Fn(&ChangeKind) -> bool) -> Vec<&NodeId> {
        let mut seen = std::collections::HashSet::new();
        let wanted = self.changes.iter().filter(|change| wanted(&change.kind));
        wanted.map(|change| &change.node_id).filter(|id| seen.insert(*id)).collect()
    }
}

impl From<Vec<Change>> for Changes {
    fn from(changes: Vec<Change>) -> Self {
        Self { changes }
    }
}

impl Serialize for Changes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut diff = serializer.serialize_struct("Changes", 4)?;
        diff.serialize_field("changes", &self.changes)?;
        diff.serialize_field("added", &self.added())?;
        diff.serialize_field("removed", &self.removed())?;
        diff.serialize_field("modified", &self.modified())?;
        diff.end()
    }
}

/// One record of a change. `seq_num` is `null` in JSON where there is none.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// The node that changed.
    pub node_id: NodeId,
    /// Its type.
    pub node_type: NodeType,
    /// Where it is: after the changes, or before them where it was removed.
    pub path: Path,
    /// The sequence number of the event that caused it; whoever received the event sets it.
    pub seq_num: Option<u32>,
    /// What happened to it.
    pub kind: ChangeKind,
}

/// What happened to a node: the `type` of a record and what belongs to it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It is new, or moved here.
    Added {
        /// Its owner.
        parent_id: NodeId,
        /// The node with everything below it. JSON has its attributes as `new_value`, too.
        node: Node,
    },
    /// It is gone, or moved away.
    Removed {
        /// Its owner.
        parent_id: NodeId,
        /// The node with everything that was below it. JSON has its attributes as `value`, too.
        node: Node,
    },
    /// Its name or its position changed, or several attributes at once.
    Modified {
        /// The attributes as they were.
        old_value: Fields,
        /// The same attributes as they are.
        new_value: Fields,
    },
    /// One attribute changed. A parameter's path says which parameter; the attribute is `value`.
    StateChanged {
        /// The attribute.
        attribute: &'static str,
        /// As it was.
        old_value: Value,
        /// As it is.
        new_value: Value,
    },
}

impl ChangeKind {
    /// The `type` of the record.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Added { .. } => "added",
            Self::Removed { .. } => "removed",
            Self::Modified { .. } => "modified",
            Self::StateChanged { .. } => "state_changed",
        }
    }
}

/// Some attributes of a node; serialises as an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(pub Vec<(&'static str, Value)>);

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// The attributes that say which node it is, the name and then its place: viewers expect `modified`
/// of them.
const IDENTIFYING: [&str; 4] = ["name", "index", "track_index", "scene_index"];

/// Whether an attribute says where a node is, and nothing of what it is.
pub(crate) fn is_place(attribute: &str) -> bool {
    IDENTIFYING[1..].contains(&attribute)
}

/// An attribute that changed: its name, its old value and its new one.
pub(crate) type Changed = (&'static str, Value, Value);

impl Change {
    pub(crate) fn new<N: TreeNode>(node: &N, path: Path, kind: ChangeKind) -> Self {
        Self { node_id: node.id().clone(), node_type: N::TYPE, path, seq_num: None, kind }
    }

    pub(crate) fn added<N: TreeNode>(node: &N, path: Path, parent: &NodeId) -> Self {
        let kind = ChangeKind::Added { parent_id: parent.clone(), node: node.clone().into_node() };
        Self::new(node, path, kind)
    }

    pub(crate) fn removed<N: TreeNode>(node: &N, path: Path, parent: &NodeId) -> Self {
        Self::taken(node.clone(), path, parent)
    }

    /// The record of a node that was taken out of the tree.
    pub(crate) fn taken<N: TreeNode>(node: N, path: Path, parent: &NodeId) -> Self {
        let (node_id, parent_id) = (node.id().clone(), parent.clone());
        let kind = ChangeKind::Removed { parent_id, node: node.into_node() };
        Self { node_id, node_type: N::TYPE, path, seq_num: None, kind }
    }

    /// The record of a node whose position changed, which is in an attribute.
    pub(crate) fn moved<N: TreeNode>(
        node: &N,
        path: Path,
        attribute: &'static str,
        (old, new): (usize, usize),
    ) -> Self {
        let field = |position| Fields(vec![(attribute, count(position).into())]);
        let kind = ChangeKind::Modified { old_value: field(old), new_value: field(new) };
        Self::new(node, path, kind)
    }

    /// The record of an attribute that changed, if it did: a name or a position is `modified`.
    pub(crate) fn attribute<N: TreeNode>(
        node: &N,
        path: Path,
        changed: Option<Changed>,
    ) -> Vec<Self> {
        let Some((attribute, old, new)) = changed else { return Vec::new() };
        let kind = if IDENTIFYING.contains(&attribute) {
            ChangeKind::Modified {
                old_value: Fields(vec![(attribute, old)]),
                new_value: Fields(vec![(attribute, new)]),
            }
        } else {
            ChangeKind::StateChanged { attribute, old_value: old, new_value: new }
        };
        vec![Self::new(node, path, kind)]
    }

    /// The record of any number of attributes that changed, if any did: one is `state_changed`,
    /// unless it is the name or a position, several at once are `modified`.
    pub(crate) fn attributes<N: TreeNode>(
        node: &N,
        path: Path,
        mut changed: Vec<Changed>,
    ) -> Option<Self> {
        if changed.len() <= 1 {
            return Self::attribute(node, path, changed.pop()).pop();
        }
        Self::modified(node, path, changed)
    }

    /// The record of attributes that changed, if any did, as `modified`.
    pub(crate) fn modified<N: TreeNode>(
        node: &N,
        path: Path,
        changed: Vec<Changed>,
    ) -> Option<Self> {
        if changed.is_empty() {
            return None;
        }
        let (mut old_value, mut new_value) = (Fields::default(), Fields::default());
        for (attribute, old, new) in changed {
            old_value.0.push((attribute, old));
            new_value.0.push((attribute, new));
        }
        Some(Self::new(node, path, ChangeKind::Modified { old_value, new_value }))
    }
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut record = serializer.serialize_map(None)?;
        record.serialize_entry("type", self.kind.as_str())?;
        record.serialize_entry("node_id", &self.node_id)?;
        record.serialize_entry("node_type", &self.node_type)?;
        record.serialize_entry("path", &self.path)?;
        match &self.kind {
            // Viewers merge the attributes into a node of theirs; whoever wants all has `node`.
            ChangeKind::Added { parent_id, node } => {
                record.serialize_entry("parent_id", parent_id)?;
                record.serialize_entry("new_value", &Attributes(node.as_ref()))?;
                record.serialize_entry("node", node)?;
            }
            ChangeKind::Removed { parent_id, node } => {
                record.serialize_entry("parent_id", parent_id)?;
                record.serialize_entry("value", &Attributes(node.as_ref()))?;
                record.serialize_entry("node", node)?;
            }
            ChangeKind::Modified { old_value, new_value } => {
                record.serialize_entry("old_value", old_value)?;
                record.serialize_entry("new_value", new_value)?;
            }
            ChangeKind::StateChanged { attribute, old_value, new_value } => {
                record.serialize_entry("attribute", attribute)?;
                record.serialize_entry("old_value", old_value)?;
                record.serialize_entry("new_value", new_value)?;
            }
        }
        record.serialize_entry("seq_num", &self.seq_num)?;
        record.end()
    }
}
