//! A set: the tree, and look-ups in it.

use std::io::Read;

use serde::Serialize;

use crate::compare::numbers::Numbers;
use crate::error::ReadError;
use crate::limits::Limits;
use crate::read;
use crate::tree::{ClipSlot, Device, Hash, Hasher, Key, NodeRef, NodeType, Project, Scene, Track};

/// A Live set: a tree whose hashes are always correct.
///
/// `Send` and `Sync`; a clone copies the whole tree. See the crate's documentation.
#[derive(Clone, Debug)]
pub struct Set {
    pub(crate) project: Project,
    pub(crate) hasher: Hasher,
    /// The limits for edits.
    pub(crate) limits: Limits,
    /// The number of nodes created by edits, for their serial numbers.
    pub(crate) made: u64,
    /// The number of times nodes came, went or were given an id.
    pub(crate) ids: u64,
    /// The file's ids of nodes whose ids differ.
    pub(crate) numbers: Numbers,
    /// The size of the tree in bytes.
    pub(crate) bytes: usize,
}

impl Set {
    /// Reads an `.als` file, or the XML inside one, within the default [`Limits`].
    ///
    /// The reader is read to its end, in pieces of up to 64 KiB: it needs no buffer of its own.
    /// A set of 1.3 MB of XML takes about 5 ms.
    ///
    /// # Errors
    /// [`ReadError`] says what is wrong with the document, and where.
    pub fn read(reader: impl Read) -> Result<Self, ReadError> {
        Self::read_within(reader, &Limits::default())
    }

    /// Reads a set within custom limits: see [`read`](Self::read). They also apply to edits.
    ///
    /// # Errors
    /// [`ReadError`] says what is wrong with the document, and where.
    pub fn read_within(reader: impl Read, limits: &Limits) -> Result<Self, ReadError> {
        let project = read::read(reader, limits)?;
        let (hasher, numbers) = (Hasher::default(), Numbers::default());
        let mut set = Self { project, hasher, limits: *limits, made: 0, ids: 0, numbers, bytes: 0 };
        set.bytes = set.root().bytes();
        set.rehash();
        Ok(set)
    }

    /// The root of the tree.
    #[must_use]
    pub const fn project(&self) -> &Project {
        &self.project
    }

    /// The root of the tree as a node; serialise it to send the whole tree.
    #[must_use]
    pub const fn root(&self) -> NodeRef<'_> {
        NodeRef::Project(&self.project)
    }

    /// The hash of the whole tree.
    #[must_use]
    pub fn root_hash(&self) -> Hash {
        self.project.hash()
    }

    /// A track by position.
    #[must_use]
    pub fn track(&self, track: usize) -> Option<&Track> {
        self.project.tracks.get(track)
    }

    /// A scene by row.
    #[must_use]
    pub fn scene(&self, scene: usize) -> Option<&Scene> {
        self.project.scenes.get(scene)
    }

    /// A slot by its track's position and its row.
    #[must_use]
    pub fn slot(&self, track: usize, scene: usize) -> Option<&ClipSlot> {
        self.track(track)?.slot(scene)
    }

    /// Every node, owners before what they own.
    pub fn nodes(&self) -> impl Iterator<Item = NodeRef<'_>> {
        self.root().walk()
    }

    /// Every node of a type, in the order of the tree.
    pub fn nodes_by_type(&self, node_type: NodeType) -> impl Iterator<Item = NodeRef<'_>> {
        self.nodes().filter(move |node| node.node_type() == node_type)
    }

    /// The node with an id. Ids are paths, so only the children of its owners are searched.
    #[must_use]
    pub fn node(&self, id: &str) -> Option<NodeRef<'_>> {
        let mut node = self.root();
        while node.id().as_str() != id {
            node = node.children().into_iter().find(|child| child.id().covers(id))?;
        }
        Some(node)
    }

    /// A number that changes whenever any node's id may have changed: hashes do not cover ids.
    #[must_use]
    pub const fn ids_version(&self) -> u64 {
        self.ids
    }

    /// Continues the counters of an earlier set, so that no id is ever reused.
    pub fn count_on(&mut self, earlier: &Self) {
        self.made = self.made.max(earlier.made);
        self.ids = earlier.ids + 1;
    }

    /// The estimated size of the tree in bytes, which [`Limits::tree_bytes`] limits.
    #[must_use]
    pub const fn tree_bytes(&self) -> usize {
        self.bytes
    }

    /// The number of tracks, including the main track.
    #[must_use]
    pub fn num_tracks(&self) -> usize {
        self.project.tracks.len()
    }

    /// The number of scenes.
    #[must_use]
    pub fn num_scenes(&self) -> usize {
        self.project.scenes.len()
    }

    /// The number of devices on all tracks, including those in racks.
    #[must_use]
    pub fn num_devices(&self) -> usize {
        self.project.tracks.iter().flat_map(|track| &track.devices).map(Device::count).sum()
    }

    /// The number of known clips in all slots and in the arrangement.
    #[must_use]
    pub fn num_clips(&self) -> usize {
        let clips = |track: &Track| {
            let slots = track.slots.iter().filter(|slot| slot.clip.is_some());
            slots.count() + track.arrangement.len()
        };
        self.project.tracks.iter().map(clips).sum()
    }

    /// The names of the tracks, in their order.
    pub fn track_names(&self) -> impl Iterator<Item = &str> {
        self.project.tracks.iter().map(|track| track.name.as_str())
    }

    /// The summary of the set for queries.
    #[must_use]
    pub fn project_info(&self) -> ProjectInfo {
        ProjectInfo {
            root_hash: self.root_hash(),
            num_tracks: self.num_tracks(),
            num_devices: self.num_devices(),
            num_clips: self.num_clips(),
            num_scenes: self.num_scenes(),
            num_file_refs: self.project.file_refs.len(),
            track_names: self.track_names().map(str::to_owned).collect(),
        }
    }

    /// Hashes the whole tree from scratch. Reading and editing keep hashes correct; this is for
    /// tests of exactly that, and gives the same as [`root_hash`](Self::root_hash) did before.
    pub fn rehash(&mut self) -> Hash {
        self.project.rehash_all(&mut self.hasher);
        self.root_hash()
    }

    /// The key of the next node that an edit creates.
    pub(crate) fn next_key(&mut self) -> Key {
        self.made += 1;
        Key::Serial(self.made)
    }
}

/// Sets are equal if their trees are, including hashes.
impl PartialEq for Set {
    fn eq(&self, other: &Self) -> bool {
        self.root_hash() == other.root_hash() && self.project == other.project
    }
}

/// The summary of a set; serialises with these names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProjectInfo {
    /// The hash of the whole tree.
    pub root_hash: Hash,
    /// Tracks, including the main track.
    pub num_tracks: usize,
    /// Devices on all tracks, including those in racks.
    pub num_devices: usize,
    /// Clips of the session and of the arrangement.
    pub num_clips: usize,
    /// Scenes.
    pub num_scenes: usize,
    /// References to files.
    pub num_file_refs: usize,
    /// The names of the tracks, in their order.
    pub track_names: Vec<String>,
}
