//! Any node, whatever its type.

use std::fmt;
use std::str::FromStr;

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use super::{
    Clip, ClipSlot, Device, FileRef, Hash, Locator, Mixer, NodeId, Project, Scene, Track, ValueRef,
};

/// The types of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NodeType {
    /// The root of the tree.
    Project,
    /// A MIDI, audio, group or return track, or the main track.
    Track,
    /// A device in a track's chain or in a rack.
    Device,
    /// A slot of the session: a track's cell in a scene's row.
    ClipSlot,
    /// A clip in a slot or in the arrangement.
    Clip,
    /// A scene: a row of the session.
    Scene,
    /// The mixer of a track.
    Mixer,
    /// A file that the set refers to.
    FileRef,
    /// A locator of the arrangement.
    Locator,
}

impl NodeType {
    const ALL: [Self; 9] = [
        Self::Project,
        Self::Track,
        Self::Device,
        Self::ClipSlot,
        Self::Clip,
        Self::Scene,
        Self::Mixer,
        Self::FileRef,
        Self::Locator,
    ];

    /// The name that viewers use for the type, such as `clip_slot`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Track => "track",
            Self::Device => "device",
            Self::ClipSlot => "clip_slot",
            Self::Clip => "clip",
            Self::Scene => "scene",
            Self::Mixer => "mixer",
            Self::FileRef => "file_ref",
            Self::Locator => "locator",
        }
    }
}

impl fmt::Display for NodeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for NodeType {
    type Err = UnknownNodeType;

    fn from_str(name: &str) -> Result<Self, UnknownNodeType> {
        Self::ALL.into_iter().find(|node_type| node_type.as_str() == name).ok_or(UnknownNodeType)
    }
}

impl Serialize for NodeType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The name is not a node type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown node type: use project, track, device, clip_slot, clip, scene, mixer, file_ref or \
     locator"
)]
pub struct UnknownNodeType;

/// An attribute: its name and its value.
pub(crate) type Attribute<'a> = (&'static str, ValueRef<'a>);

/// What every type of node has. The attributes are an array, so that hashing allocates nothing.
pub(crate) trait TreeNode: Clone {
    const TYPE: NodeType;
    type Attributes<'a>: AsRef<[Attribute<'a>]>
    where
        Self: 'a;

    fn id(&self) -> &NodeId;
    fn attributes(&self) -> Self::Attributes<'_>;
    fn for_each_child_hash(&self, add: impl FnMut(Hash));
    fn into_node(self) -> Node;
}

/// Any node of a set, borrowed; serialises as `{node_type, id, hash, attributes, children}`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum NodeRef<'a> {
    /// See [`Project`].
    Project(&'a Project),
    /// See [`Track`].
    Track(&'a Track),
    /// See [`Device`].
    Device(&'a Device),
    /// See [`ClipSlot`].
    ClipSlot(&'a ClipSlot),
    /// See [`Clip`].
    Clip(&'a Clip),
    /// See [`Scene`].
    Scene(&'a Scene),
    /// See [`Mixer`].
    Mixer(&'a Mixer),
    /// See [`FileRef`].
    FileRef(&'a FileRef),
    /// See [`Locator`].
    Locator(&'a Locator),
}

/// Runs the same code for any type of node.
macro_rules! for_any {
    ($self:expr, $node:ident => $body:expr) => {
        match $self {
            NodeRef::Project($node) => $body,
            NodeRef::Track($node) => $body,
            NodeRef::Device($node) => $body,
            NodeRef::ClipSlot($node) => $body,
            NodeRef::Clip($node) => $body,
            NodeRef::Scene($node) => $body,
            NodeRef::Mixer($node) => $body,
            NodeRef::FileRef($node) => $body,
            NodeRef::Locator($node) => $body,
        }
    };
}

impl<'a> NodeRef<'a> {
    /// The type of the node.
    #[must_use]
    pub fn node_type(self) -> NodeType {
        fn of<N: TreeNode>(_: &N) -> NodeType {
            N::TYPE
        }
        for_any!(self, node => of(node))
    }

    /// The id of the node.
    #[must_use]
    pub fn id(self) -> &'a NodeId {
        for_any!(self, node => &node.id)
    }

    /// The hash of the node.
    #[must_use]
    pub fn hash(self) -> Hash {
        match self {
            Self::Project(node) => node.hash(),
            Self::Track(node) => node.hash(),
            Self::Device(node) => node.hash,
            Self::ClipSlot(node) => node.hash,
            Self::Clip(node) => node.hash,
            Self::Scene(node) => node.hash,
            Self::Mixer(node) => node.hash,
            Self::FileRef(node) => node.hash,
            Self::Locator(node) => node.hash,
        }
    }

    /// The attributes in the order in which they are sent.
    #[must_use]
    pub fn attributes(self) -> Vec<(&'static str, ValueRef<'a>)> {
        for_any!(self, node => node.attributes().to_vec())
    }

    /// The attribute with that name, if this type of node has it.
    #[must_use]
    pub fn attribute(self, name: &str) -> Option<ValueRef<'a>> {
        fn find<'a>(attributes: &[Attribute<'a>], name: &str) -> Option<ValueRef<'a>> {
            attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
        }
        for_any!(self, node => find(&node.attributes(), name))
    }

    /// The children in the order of the tree.
    #[must_use]
    pub fn children(self) -> Vec<Self> {
        match self {
            Self::Project(project) => {
                let tracks = project.tracks.iter().map(Self::Track);
                let scenes = project.scenes.iter().map(Self::Scene);
                let file_refs = project.file_refs.iter().map(Self::FileRef);
                let locators = project.locators.iter().map(Self::Locator);
                tracks.chain(scenes).chain(file_refs).chain(locators).collect()
            }
            Self::Track(track) => {
                let devices = track.devices.iter().map(Self::Device);
                let slots = track.slots.iter().map(Self::ClipSlot);
                let clips = track.arrangement.iter().map(Self::Clip);
                devices.chain(slots).chain(clips).chain([Self::Mixer(&track.mixer)]).collect()
            }
            Self::ClipSlot(slot) => slot.clip.iter().map(|clip| Self::Clip(clip)).collect(),
            Self::Device(device) => device.devices.iter().map(Self::Device).collect(),
            Self::Clip(_) | Self::Scene(_) | Self::Mixer(_) => Vec::new(),
            Self::FileRef(_) | Self::Locator(_) => Vec::new(),
        }
    }

    /// A copy of this node and everything below it.
    #[must_use]
    pub fn to_node(self) -> Node {
        for_any!(self, node => node.clone().into_node())
    }

    /// This node and everything below it, owners before what they own.
    pub fn walk(self) -> impl Iterator<Item = Self> {
        let mut pending = vec![self];
        std::iter::from_fn(move || {
            let node = pending.pop()?;
            pending.extend(node.children().into_iter().rev());
            Some(node)
        })
    }
}

impl Serialize for NodeRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut node = serializer.serialize_struct("Node", 5)?;
        node.serialize_field("node_type", &self.node_type())?;
        node.serialize_field("id", self.id())?;
        node.serialize_field("hash", &self.hash())?;
        node.serialize_field("attributes", &Attributes(*self))?;
        node.serialize_field("children", &self.children())?;
        node.end()
    }
}

/// The attributes of a node; serialises as an object.
pub(crate) struct Attributes<'a>(pub(crate) NodeRef<'a>);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let attributes = self.0.attributes();
        let mut map = serializer.serialize_map(Some(attributes.len()))?;
        for (name, value) in &attributes {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// A node with everything below it, owned, as carried by records of additions and removals.
/// Serialises like [`NodeRef`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Node {
    /// See [`Track`].
    Track(Box<Track>),
    /// See [`Device`].
    Device(Box<Device>),
    /// See [`ClipSlot`].
    ClipSlot(Box<ClipSlot>),
    /// See [`Clip`].
    Clip(Box<Clip>),
    /// See [`Scene`].
    Scene(Box<Scene>),
    /// See [`Mixer`].
    Mixer(Box<Mixer>),
    /// See [`FileRef`].
    FileRef(Box<FileRef>),
    /// See [`Locator`].
    Locator(Box<Locator>),
    /// See [`Project`].
    Project(Box<Project>),
}

impl Node {
    /// The node, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> NodeRef<'_> {
        match self {
            Self::Track(node) => NodeRef::Track(node),
            Self::Device(node) => NodeRef::Device(node),
            Self::ClipSlot(node) => NodeRef::ClipSlot(node),
            Self::Clip(node) => NodeRef::Clip(node),
            Self::Scene(node) => NodeRef::Scene(node),
            Self::Mixer(node) => NodeRef::Mixer(node),
            Self::FileRef(node) => NodeRef::FileRef(node),
            Self::Locator(node) => NodeRef::Locator(node),
            Self::Project(node) => NodeRef::Project(node),
        }
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().serialize(serializer)
    }
}
