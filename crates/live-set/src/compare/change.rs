//! Records of what changed.

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use crate::path::Path;
use crate::tree::{Attributes, Node, NodeId, NodeType, TreeNode, Value, count};

/// The records of what changed, in the order in which to replay them.
///
/// Replaying the records on the tree before gives the tree after:
///
/// * `removed`: remove the node with that id and everything below it;
/// * `modified` and `state_changed`: set the attributes of the node with that id; a path that ends
///   in `parameters[p]` stands for the value of that parameter;
/// * `added`: insert `node` into the node `parent_id`, at the position at the end of the path; a
///   clip slot goes where its `scene_index` belongs.
///
/// Serialises as `{changes, added, removed, modified}`: the records, and each id that they mention
/// once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// The records.
    pub changes: Vec<Change>,
}

impl Changes {
    /// True if nothing changed, so there is nothing to report.
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

    /// The nodes whose attributes changed.
    #[must_use]
    pub fn modified(&self) -> Vec<&NodeId> {
        self.ids(|kind| {
            matches!(kind, ChangeKind::Modified { .. } | ChangeKind::StateChanged { .. })
        })
    }

    /// Sets the sequence number of the event that caused the changes in each record.
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

/// One record of a change. `seq_num` is `null` in JSON if there is none.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// The node that changed.
    pub node_id: NodeId,
    /// Its type.
    pub node_type: NodeType,
    /// Its place in the tree after the changes, or before them if it was removed.
    pub path: Path,
    /// The sequence number of the event that caused it; set by the receiver of the event.
    pub seq_num: Option<u32>,
    /// What happened to it.
    pub kind: ChangeKind,
}

/// What happened to a node: the `type` of a record and its data.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It is new, or moved here.
    Added {
        /// Its owner.
        parent_id: NodeId,
        /// The node with everything below it. JSON also has its attributes as `new_value`.
        node: Node,
    },
    /// It is gone, or moved away.
    Removed {
        /// Its owner.
        parent_id: NodeId,
        /// The node with everything that was below it. JSON also has its attributes as `value`.
        node: Node,
    },
    /// Its name or its position changed, or several attributes at once.
    Modified {
        /// The old values of the attributes.
        old_value: Fields,
        /// The new values of the same attributes.
        new_value: Fields,
    },
    /// One attribute changed. A parameter's path identifies the parameter; the attribute is
    /// `value`.
    StateChanged {
        /// The attribute.
        attribute: &'static str,
        /// The old value.
        old_value: Value,
        /// The new value.
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

/// The attributes that identify a node, its name and then its place: viewers expect changes of
/// these as `modified`.
const IDENTIFYING: [&str; 4] = ["name", "index", "track_index", "scene_index"];

/// Whether an attribute says only where a node is.
pub(crate) fn is_place(attribute: &str) -> bool {
    IDENTIFYING[1..].contains(&attribute)
}

/// A changed attribute: its name, its old value and its new value.
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

    /// The record of a node that was removed from the tree.
    pub(crate) fn taken<N: TreeNode>(node: N, path: Path, parent: &NodeId) -> Self {
        let (node_id, parent_id) = (node.id().clone(), parent.clone());
        let kind = ChangeKind::Removed { parent_id, node: node.into_node() };
        Self { node_id, node_type: N::TYPE, path, seq_num: None, kind }
    }

    /// The record of a node whose position attribute changed.
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

    /// The record of an attribute, if it changed: a name or a position is `modified`.
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

    /// The record of any number of attributes, if any changed: a single one is `state_changed`,
    /// unless it is the name or a position; several are `modified`.
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

    /// The record of attributes as `modified`, if any changed.
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
            // Viewers merge the attributes into a node of their own; `node` has everything.
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
