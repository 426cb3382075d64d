//! The root of the tree.

use super::node::{Attribute, TreeNode};
use super::{
    FileRef, Hash, Hasher, LazyHash, Locator, Node, NodeId, NodeType, Scene, Track, ValueRef,
};

/// A project: the root of the tree. Its children are the tracks, the scenes, the file references
/// and the locators.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Project {
    /// Always `project`.
    pub id: NodeId,
    pub(crate) hash: LazyHash,
    /// Beats per minute, from the main track's mixer.
    pub tempo: f64,
    /// Live's number for the time signature, from the main track's mixer: 201 is 4/4.
    pub time_signature_id: i32,
    /// Whether Live's transport runs. Only events report this, no file.
    pub is_playing: bool,
    /// The transport's position in beats. Only events report this, no file.
    pub position: f64,
    /// The tracks in the order Live shows them; the main track is the last.
    pub tracks: Vec<Track>,
    /// The scenes from top to bottom.
    pub scenes: Vec<Scene>,
    /// Every reference to a file, in the order of the document.
    pub file_refs: Vec<FileRef>,
    /// The locators of the arrangement, in the order of the document.
    pub locators: Vec<Locator>,
}

impl Project {
    pub(crate) fn new() -> Self {
        Self {
            id: NodeId::project(),
            hash: LazyHash::default(),
            tempo: 120.0,
            time_signature_id: 201,
            is_playing: false,
            position: 0.0,
            tracks: Vec::new(),
            scenes: Vec::new(),
            file_refs: Vec::new(),
            locators: Vec::new(),
        }
    }

    /// The hash of the whole tree: the root hash.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash.of(self)
    }

    /// Hashes the whole tree from scratch.
    pub(crate) fn rehash_all(&mut self, hasher: &mut Hasher) {
        self.tracks.iter_mut().for_each(|track| track.rehash_all(hasher));
        self.scenes.iter_mut().for_each(|scene| scene.rehash(hasher));
        self.file_refs.iter_mut().for_each(|file_ref| file_ref.rehash(hasher));
        self.locators.iter_mut().for_each(|locator| locator.rehash(hasher));
        self.hash.forget();
    }
}

impl TreeNode for Project {
    const TYPE: NodeType = NodeType::Project;
    type Attributes<'a> = [Attribute<'a>; 4];

    fn id(&self) -> &NodeId {
        &self.id
    }

    fn attributes(&self) -> Self::Attributes<'_> {
        [
            ("tempo", ValueRef::Float(self.tempo)),
            ("time_signature_id", ValueRef::Int(self.time_signature_id.into())),
            ("is_playing", ValueRef::Bool(self.is_playing)),
            ("position", ValueRef::Float(self.position)),
        ]
    }

    fn for_each_child_hash(&self, mut add: impl FnMut(Hash)) {
        self.tracks.iter().for_each(|track| add(track.hash()));
        self.scenes.iter().for_each(|scene| add(scene.hash));
        self.file_refs.iter().for_each(|file_ref| add(file_ref.hash));
        self.locators.iter().for_each(|locator| add(locator.hash));
    }

    fn into_node(self) -> Node {
        Node::Project(Box::new(self))
    }
}
