//! Locators.

use super::node::{Attribute, TreeNode};
use super::{Hash, Hasher, NO_HASH, Node, NodeId, NodeType, ValueRef};

/// A locator: a named place in the arrangement.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Locator {
    /// From the `Id` of the locator.
    pub id: NodeId,
    /// The hash of the locator.
    pub hash: Hash,
    /// The name.
    pub name: String,
    /// Its position in beats.
    pub time: f64,
}

impl Locator {
    pub(crate) const fn new(id: NodeId) -> Self {
        Self { id, hash: NO_HASH, name: String::new(), time: 0.0 }
    }

    pub(crate) fn rehash(&mut self, hasher: &mut Hasher) {
        self.hash = hasher.hash(self);
    }
}

impl TreeNode for Locator {
    const TYPE: NodeType = NodeType::Locator;
    type Attributes<'a> = [Attribute<'a>; 2];

    fn id(&self) -> &NodeId {
        &self.id
    }

    fn attributes(&self) -> Self::Attributes<'_> {
        [("name", ValueRef::Text(&self.name)), ("time", ValueRef::Float(self.time))]
    }

    fn for_each_child_hash(&self, _: impl FnMut(Hash)) {}

    fn into_node(self) -> Node {
        Node::Locator(Box::new(self))
    }
}
