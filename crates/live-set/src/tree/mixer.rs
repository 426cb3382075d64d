//! Mixers.

use super::node::{Attribute, TreeNode};
use super::{Hash, Hasher, NO_HASH, Node, NodeId, NodeType, ValueRef};

/// The mixer of a track.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Mixer {
    /// The track's id and `/mixer`.
    pub id: NodeId,
    /// The hash of the mixer.
    pub hash: Hash,
    /// In a file linear gain: 1 is 0 dB and 1.995 the maximum. Once an event has set it, the
    /// position of Live's fader: 0.85 is 0 dB and 1 the maximum.
    pub volume: f64,
    /// −1 is left, 1 is right.
    pub pan: f64,
    /// Whether the track is muted.
    pub is_muted: bool,
    /// Whether the track is soloed.
    pub is_soloed: bool,
    /// The gain to each return track, in order.
    pub sends: Vec<f64>,
    /// Whether each send is switched on.
    pub sends_enabled: Vec<bool>,
    /// The crossfader's side: 0 is A, 1 none, 2 B.
    pub crossfader: i32,
}

impl Mixer {
    pub(crate) fn new(id: NodeId) -> Self {
        Self {
            id,
            hash: NO_HASH,
            volume: 1.0,
            pan: 0.0,
            is_muted: false,
            is_soloed: false,
            sends: Vec::new(),
            sends_enabled: Vec::new(),
            crossfader: 1,
        }
    }

    pub(crate) fn rehash(&mut self, hasher: &mut Hasher) {
        self.hash = hasher.hash(self);
    }
}

impl TreeNode for Mixer {
    const TYPE: NodeType = NodeType::Mixer;
    type Attributes<'a> = [Attribute<'a>; 7];

    fn id(&self) -> &NodeId {
        &self.id
    }

    fn attributes(&self) -> Self::Attributes<'_> {
        [
            ("volume", ValueRef::Float(self.volume)),
            ("pan", ValueRef::Float(self.pan)),
            ("is_muted", ValueRef::Bool(self.is_muted)),
            ("is_soloed", ValueRef::Bool(self.is_soloed)),
            ("sends", ValueRef::Numbers(&self.sends)),
            ("sends_enabled", ValueRef::Flags(&self.sends_enabled)),
            ("crossfader", ValueRef::Int(self.crossfader.into())),
        ]
    }

    fn for_each_child_hash(&self, _: impl FnMut(Hash)) {}

    fn into_node(self) -> Node {
        Node::Mixer(Box::new(self))
    }
}
