//! Slots of the session.

use super::node::{Attribute, TreeNode};
use super::value::count;
use super::{Clip, Hash, Hasher, NO_HASH, Node, NodeId, NodeType, ValueRef};

/// A slot of the session: a track's cell in a scene's row. Its child is the clip, if any.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClipSlot {
    /// The track's id and the `Id` of the slot.
    pub id: NodeId,
    /// The hash of the slot and its clip.
    pub hash: Hash,
    /// The position of the track.
    pub track_index: usize,
    /// The row.
    pub scene_index: usize,
    /// Whether the slot holds a clip. Events may report a clip of which nothing else is known: then
    /// [`clip`](Self::clip) is `None`.
    pub has_clip: bool,
    /// Whether the slot stops the track while it holds no clip.
    pub has_stop_button: bool,
    /// 0 stopped, 1 playing, 2 recording. Only events report this, no file.
    pub playing_status: i32,
    /// RGB; −1 for none. Only events report this, no file.
    pub color: i32,
    /// The clip.
    pub clip: Option<Box<Clip>>,
}

impl ClipSlot {
    pub(crate) fn new(id: NodeId, track_index: usize, scene_index: usize) -> Self {
        Self {
            id,
            hash: NO_HASH,
            track_index,
            scene_index,
            has_clip: false,
            has_stop_button: true,
            playing_status: 0,
            color: -1,
            clip: None,
        }
    }

    /// Hashes the slot; its clip's hash must be correct.
    pub(crate) fn rehash(&mut self, hasher: &mut Hasher) {
        self.hash = hasher.hash(self);
    }

    /// Hashes the clip and the slot.
    pub(crate) fn rehash_all(&mut self, hasher: &mut Hasher) {
        if let Some(clip) = &mut self.clip {
            clip.rehash(hasher);
        }
        self.rehash(hasher);
    }
}

impl TreeNode for ClipSlot {
    const TYPE: NodeType = NodeType::ClipSlot;
    type Attributes<'a> = [Attribute<'a>; 6];

    fn id(&self) -> &NodeId {
        &self.id
    }

    fn attributes(&self) -> Self::Attributes<'_> {
        [
            ("track_index", count(self.track_index)),
            ("scene_index", count(self.scene_index)),
            ("has_clip", ValueRef::Bool(self.has_clip)),
            ("has_stop_button", ValueRef::Bool(self.has_stop_button)),
            ("playing_status", ValueRef::Int(self.playing_status.into())),
            ("color", ValueRef::Int(self.color.into())),
        ]
    }

    fn for_each_child_hash(&self, mut add: impl FnMut(Hash)) {
        if let Some(clip) = &self.clip {
            add(clip.hash);
        }
    }

    fn into_node(self) -> Node {
        Node::ClipSlot(Box::new(self))
    }
}
