//! Clips.

use super::node::{Attribute, TreeNode};
use super::value::count;
use super::{Hash, Hasher, NO_HASH, Node, NodeId, NodeType, ValueRef};

/// A clip in a slot of the session, or in the arrangement. Times are in beats.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Clip {
    /// The slot's id and the `Id` of the clip; in the arrangement, the track's id and the `Id`.
    pub id: NodeId,
    /// The hash of the clip.
    pub hash: Hash,
    /// The name.
    pub name: String,
    /// Its start.
    pub start_time: f64,
    /// Its end.
    pub end_time: f64,
    /// The start of its loop.
    pub loop_start: f64,
    /// The end of its loop.
    pub loop_end: f64,
    /// Whether the clip loops.
    pub is_looped: bool,
    /// Whether the clip is deactivated.
    pub is_muted: bool,
    /// A palette index from a file, or RGB from an event; −1 for none.
    pub color: i32,
    /// Its content: the attribute `clip_type`, and `note_count` or `sample_name`.
    pub content: ClipContent,
}

/// The content of a clip.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClipContent {
    /// Notes: the `clip_type` is `midi`.
    Midi {
        /// The number of notes.
        note_count: usize,
    },
    /// A sample: the `clip_type` is `audio`.
    Audio {
        /// The file's name, without its folders; empty if unknown.
        sample_name: String,
    },
}

impl ClipContent {
    /// The attribute `clip_type`.
    #[must_use]
    pub const fn clip_type(&self) -> &'static str {
        match self {
            Self::Midi { .. } => "midi",
            Self::Audio { .. } => "audio",
        }
    }
}

impl Clip {
    pub(crate) fn new(id: NodeId, content: ClipContent) -> Self {
        Self {
            id,
            hash: NO_HASH,
            name: String::new(),
            start_time: 0.0,
            end_time: 0.0,
            loop_start: 0.0,
            loop_end: 0.0,
            is_looped: false,
            is_muted: false,
            color: -1,
            content,
        }
    }

    /// Whether two clips have the same attributes at all.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.content.clip_type() == other.content.clip_type()
    }

    pub(crate) fn rehash(&mut self, hasher: &mut Hasher) {
        self.hash = hasher.hash(self);
    }
}

impl TreeNode for Clip {
    const TYPE: NodeType = NodeType::Clip;
    type Attributes<'a> = [Attribute<'a>; 10];

    fn id(&self) -> &NodeId {
        &self.id
    }

    fn attributes(&self) -> Self::Attributes<'_> {
        [
            ("name", ValueRef::Text(&self.name)),
            ("clip_type", ValueRef::Text(self.content.clip_type())),
            ("start_time", ValueRef::Float(self.start_time)),
            ("end_time", ValueRef::Float(self.end_time)),
            ("loop_start", ValueRef::Float(self.loop_start)),
            ("loop_end", ValueRef::Float(self.loop_end)),
            ("is_looped", ValueRef::Bool(self.is_looped)),
            ("is_muted", ValueRef::Bool(self.is_muted)),
            ("color", ValueRef::Int(self.color.into())),
            match &self.content {
                ClipContent::Midi { note_count } => ("note_count", count(*note_count)),
                ClipContent::Audio { sample_name } => ("sample_name", ValueRef::Text(sample_name)),
            },
        ]
    }

    fn for_each_child_hash(&self, _: impl FnMut(Hash)) {}

    fn into_node(self) -> Node {
        Node::Clip(Box::new(self))
    }
}
