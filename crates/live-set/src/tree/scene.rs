//! Scenes.

use super::node::{Attribute, TreeNode};
use super::value::count;
use super::{Hash, Hasher, NO_HASH, Node, NodeId, NodeType, ValueRef};

/// A scene: a row of the session.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scene {
    /// From the `Id` of the scene.
    pub id: NodeId,
    /// The hash of the scene.
    pub hash: Hash,
    /// The name; often empty.
    pub name: String,
    /// The row.
    pub index: usize,
    /// A palette index from a file, or RGB from an event; −1 for none.
    pub color: i32,
    /// Beats per minute; only valid if [`is_tempo_enabled`](Self::is_tempo_enabled).
    pub tempo: f64,
    /// Whether launching the scene sets the tempo.
    pub is_tempo_enabled: bool,
    /// Live's number for a time signature: 201 is 4/4.
    pub time_signature_id: i32,
    /// The user's remarks.
    pub annotation: String,
    /// Whether the scene was launched. No file reports this, and no event reports its end.
    pub is_triggered: bool,
}

impl Scene {
    pub(crate) fn new(id: NodeId, index: usize) -> Self {
        Self {
            id,
            hash: NO_HASH,
            name: String::new(),
            index,
            color: -1,
            tempo: 120.0,
            is_tempo_enabled: false,
            time_signature_id: 201,
            annotation: String::new(),
            is_triggered: false,
        }
    }

    pub(crate) fn rehash(&mut self, hasher: &mut Hasher) {
        self.hash = hasher.hash(self);
    }
}

impl TreeNode for Scene {
    const TYPE: NodeType = NodeType::Scene;
    type Attributes<'a> = [Attribute<'a>; 8];

    fn id(&self) -> &NodeId {
        &self.id
    }

    fn attributes(&self) -> Self::Attributes<'_> {
        [
            ("name", ValueRef::Text(&self.name)),
            ("index", count(self.index)),
            ("color", ValueRef::Int(self.color.into())),
            ("tempo", ValueRef::Float(self.tempo)),
            ("is_tempo_enabled", ValueRef::Bool(self.is_tempo_enabled)),
            ("time_signature_id", ValueRef::Int(self.time_signature_id.into())),
            ("annotation", ValueRef::Text(&self.annotation)),
            ("is_triggered", ValueRef::Bool(self.is_triggered)),
        ]
    }

    fn for_each_child_hash(&self, _: impl FnMut(Hash)) {}

    fn into_node(self) -> Node {
        Node::Scene(Box::new(self))
    }
}
