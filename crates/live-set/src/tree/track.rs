//! Tracks.

use std::str::FromStr;

use super::node::{Attribute, TreeNode};
use super::value::count;
use super::{
    Clip, ClipSlot, Device, Hash, Hasher, LazyHash, Mixer, Node, NodeId, NodeType, ValueRef,
};

/// A track. Its children are the devices in chain order, the clip slots by scene, the clips of the
/// arrangement, and the mixer.
///
/// The track's attributes `volume`, `pan`, `is_muted` and `is_soloed` are those of its
/// [`mixer`](Self::mixer), the only place that stores them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Track {
    /// From the `Id` of the track; the main track's is `track:main`.
    pub id: NodeId,
    pub(crate) hash: LazyHash,
    /// The name that Live shows.
    pub name: String,
    /// The position among the tracks, including the main track.
    pub index: usize,
    /// A palette index from a file, or RGB from an event; −1 for none.
    pub color: i32,
    /// What kind of track it is: the attribute `type`.
    pub track_type: TrackType,
    /// The `Id` in the file of the group that contains the track; −1 if there is none.
    pub group_id: i32,
    /// Whether the track is frozen.
    pub is_frozen: bool,
    /// Whether the track is armed for recording.
    pub is_armed: bool,
    /// The devices of the track's own chain, in chain order.
    pub devices: Vec<Device>,
    /// The slots of the session, by scene. Return and main tracks have none in a file.
    pub slots: Vec<ClipSlot>,
    /// The clips of the arrangement, then those of its take lanes, as the file has them.
    pub arrangement: Vec<Clip>,
    /// The mixer.
    pub mixer: Mixer,
    /// What its clips hold. Not an attribute: it determines the type of a clip that an edit adds.
    pub(crate) signal: Signal,
}

impl Track {
    pub(crate) fn new(id: NodeId, index: usize, track_type: TrackType, signal: Signal) -> Self {
        Self {
            hash: LazyHash::default(),
            name: String::new(),
            index,
            color: -1,
            track_type,
            group_id: -1,
            is_frozen: false,
            is_armed: false,
            devices: Vec::new(),
            slots: Vec::new(),
            arrangement: Vec::new(),
            mixer: Mixer::new(id.only_child("mixer")),
            signal,
            id,
        }
    }

    /// The slot in a scene's row.
    #[must_use]
    pub fn slot(&self, scene: usize) -> Option<&ClipSlot> {
        self.slot_position(scene).ok().map(|position| &self.slots[position])
    }

    /// The position of a row's slot in `slots`, or the position at which to insert it.
    ///
    /// Slots are sorted by row and nearly always exist for every row, so the first guess is right.
    pub(crate) fn slot_position(&self, scene: usize) -> Result<usize, usize> {
        match self.slots.get(scene) {
            Some(slot) if slot.scene_index == scene => Ok(scene),
            _ => self.slots.binary_search_by_key(&scene, |slot| slot.scene_index),
        }
    }

    /// The hash of the track and everything in it.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash.of(self)
    }

    /// Hashes the track and everything in it from scratch.
    pub(crate) fn rehash_all(&mut self, hasher: &mut Hasher) {
        self.devices.iter_mut().for_each(|device| device.rehash_all(hasher));
        self.slots.iter_mut().for_each(|slot| slot.rehash_all(hasher));
        self.arrangement.iter_mut().for_each(|clip| clip.rehash(hasher));
        self.mixer.rehash(hasher);
        self.hash.forget();
    }
}

impl TreeNode for Track {
    const TYPE: NodeType = NodeType::Track;
    type Attributes<'a> = [Attribute<'a>; 11];

    fn id(&self) -> &NodeId {
        &self.id
    }

    fn attributes(&self) -> Self::Attributes<'_> {
        [
            ("name", ValueRef::Text(&self.name)),
            ("index", count(self.index)),
            ("color", ValueRef::Int(self.color.into())),
            ("type", ValueRef::Text(self.track_type.as_str())),
            ("group_id", ValueRef::Int(self.group_id.into())),
            ("is_muted", ValueRef::Bool(self.mixer.is_muted)),
            ("is_soloed", ValueRef::Bool(self.mixer.is_soloed)),
            ("is_frozen", ValueRef::Bool(self.is_frozen)),
            ("is_armed", ValueRef::Bool(self.is_armed)),
            ("volume", ValueRef::Float(self.mixer.volume)),
            ("pan", ValueRef::Float(self.mixer.pan)),
        ]
    }

    fn for_each_child_hash(&self, mut add: impl FnMut(Hash)) {
        self.devices.iter().for_each(|device| add(device.hash));
        self.slots.iter().for_each(|slot| add(slot.hash));
        self.arrangement.iter().for_each(|clip| add(clip.hash));
        add(self.mixer.hash);
    }

    fn into_node(self) -> Node {
        Node::Track(Box::new(self))
    }
}

/// The attribute `type` of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TrackType {
    /// A MIDI or audio track.
    Track,
    /// A return track.
    Return,
    /// The main track, called the master track up to Live 11.
    Master,
    /// A group of tracks.
    Group,
}

impl TrackType {
    /// The name that viewers use for the type, such as `return`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Return => "return",
            Self::Master => "master",
            Self::Group => "group",
        }
    }
}

/// The kind of track that an edit adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TrackKind {
    /// Of type `track`, for MIDI clips.
    Midi,
    /// Of type `track`, for audio clips.
    Audio,
    /// Of type `group`.
    Group,
    /// Of type `return`.
    Return,
    /// Of type `master`.
    Master,
}

impl TrackKind {
    pub(crate) const fn track_type(self) -> TrackType {
        match self {
            Self::Midi | Self::Audio => TrackType::Track,
            Self::Group => TrackType::Group,
            Self::Return => TrackType::Return,
            Self::Master => TrackType::Master,
        }
    }

    pub(crate) const fn signal(self) -> Signal {
        match self {
            Self::Midi => Signal::Midi,
            Self::Audio | Self::Group | Self::Return | Self::Master => Signal::Audio,
        }
    }
}

/// Parses the names that events use: `midi`, `audio`, `group`, `return` or `master`. A plain
/// `track` counts as `audio`, and Live 12's `main` as `master`.
impl FromStr for TrackKind {
    type Err = UnknownTrackKind;

    fn from_str(name: &str) -> Result<Self, UnknownTrackKind> {
        Ok(match name {
            "midi" => Self::Midi,
            "audio" | "track" => Self::Audio,
            "group" => Self::Group,
            "return" => Self::Return,
            "master" | "main" => Self::Master,
            _ => return Err(UnknownTrackKind),
        })
    }
}

/// The name is not a kind of track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind of track: use midi, audio, group, return or master")]
pub struct UnknownTrackKind;

/// What the clips of a track hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Midi,
    Audio,
}
