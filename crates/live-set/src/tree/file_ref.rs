//! References to files.

use super::node::{Attribute, TreeNode};
use super::{Hash, Hasher, NO_HASH, Node, NodeId, NodeType, ValueRef};

/// A reference to a file: a sample, a preset, a device.
///
/// There is one for each place in the set that names a file, so several may name the same file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileRef {
    /// From the id of the node that refers to the file, plus a number there.
    pub id: NodeId,
    /// The hash of the reference.
    pub hash: Hash,
    /// The file's name, without its folders.
    pub name: String,
    /// The file's path in the set: absolute, or relative if that is all there is.
    pub path: String,
    /// Live's number for the kind of file; −1 if the set does not say.
    pub ref_type: i32,
}

impl FileRef {
    pub(crate) const fn new(id: NodeId, name: String, path: String, ref_type: i32) -> Self {
        Self { id, hash: NO_HASH, name, path, ref_type }
    }

    pub(crate) fn rehash(&mut self, hasher: &mut Hasher) {
        self.hash = hasher.hash(self);
    }
}

impl TreeNode for FileRef {
    const TYPE: NodeType = NodeType::FileRef;
    type Attributes<'a> = [Attribute<'a>; 3];

    fn id(&self) -> &NodeId {
        &self.id
    }

    fn attributes(&self) -> Self::Attributes<'_> {
        [
            ("name", ValueRef::Text(&self.name)),
            ("path", ValueRef::Text(&self.path)),
            ("ref_type", ValueRef::Int(self.ref_type.into())),
        ]
    }

    fn for_each_child_hash(&self, _: impl FnMut(Hash)) {}

    fn into_node(self) -> Node {
        Node::FileRef(Box::new(self))
    }
}
