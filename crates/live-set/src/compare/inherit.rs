//! Carries ids over from one state of a set to the next.

use std::collections::HashSet;

use crate::compare::matching::{Candidates, Pairs, Sibling};
use crate::compare::numbers::Numbers;
use crate::set::Set;
use crate::tree::{Clip, ClipSlot, Device, FileRef, Key, Locator, NodeId, Scene, Track};

/// Gives the nodes of a tree the ids of their matches in an earlier tree.
#[derive(Debug)]
pub(crate) struct Ids<'a> {
    pub(crate) earlier: &'a Numbers,
    numbers: Numbers,
    /// The number of nodes that were given serial numbers.
    made: u64,
}

impl<'a> Ids<'a> {
    pub(crate) fn new(earlier: &'a Numbers, made: u64) -> Self {
        Self { earlier, numbers: Numbers::default(), made }
    }

    pub(crate) fn into_parts(self) -> (Numbers, u64) {
        (self.numbers, self.made)
    }

    /// Gives a node of a file another id, and remembers the file's own.
    pub(crate) fn rename<T: Inherit>(&mut self, node: &mut T, id: NodeId) {
        self.numbers.note(&id, node.id().local());
        node.set_id(id);
    }

    /// Gives a new node its id: the file's own, unless another node has it.
    pub(crate) fn name<T: Inherit>(
        &mut self,
        node: &mut T,
        owner: &NodeId,
        taken: &mut HashSet<NodeId>,
    ) {
        let mut id = node.id().moved_under(owner);
        while !taken.insert(id.clone()) {
            self.made += 1;
            id = id.with_key(Key::Serial(self.made));
        }
        self.rename(node, id);
    }
}

impl Set {
    /// Takes over what the file does not contain from an earlier state of the same set:
    ///
    /// * the ids of matching nodes (see [`diff`](crate::diff));
    /// * the state that only events report: whether and where the transport runs, what slots play
    ///   and their colours, which scenes were launched.
    pub fn continue_from(&mut self, earlier: &Self) {
        let (new, old) = (&mut self.project, &earlier.project);
        new.is_playing = old.is_playing;
        new.position = old.position;
        self.take_ids(earlier);
        let (new, old) = (&mut self.project, &earlier.project);
        for scene in &mut new.scenes {
            let same = old.scenes.iter().find(|it| it.id == scene.id);
            scene.is_triggered = same.is_some_and(|it| it.is_triggered);
        }
        for track in &mut new.tracks {
            let Some(same) = old.tracks.iter().find(|it| it.id == track.id) else { continue };
            let slots: std::collections::HashMap<_, _> =
                same.slots.iter().map(|it| (&it.id, it)).collect();
            for slot in &mut track.slots {
                if let Some(same) = slots.get(&slot.id) {
                    (slot.playing_status, slot.color) = (same.playing_status, same.color);
                }
            }
        }
        self.rehash();
    }

    /// Takes over only ids, which hashes do not cover.
    pub(crate) fn take_ids(&mut self, earlier: &Self) {
        let mut ids = Ids::new(&earlier.numbers, self.made.max(earlier.made));
        let (new, old) = (&mut self.project, &earlier.project);
        let owner = new.id.clone();
        siblings(&mut ids, &mut new.tracks, &old.tracks, &owner);
        siblings(&mut ids, &mut new.scenes, &old.scenes, &owner);
        siblings(&mut ids, &mut new.file_refs, &old.file_refs, &owner);
        siblings(&mut ids, &mut new.locators, &old.locators, &owner);
        (self.numbers, self.made) = ids.into_parts();
    }
}

/// Nodes whose ids are carried over.
pub(crate) trait Inherit: Sibling {
    /// Sets the id, and the ids of everything below, which start with it.
    fn set_id(&mut self, id: NodeId);

    /// Gives the nodes below it the ids that they have below a matching node.
    fn inherit(&mut self, old: &Self, ids: &mut Ids<'_>);
}

/// Gives siblings the ids of their matches.
pub(crate) fn siblings<T: Inherit>(ids: &mut Ids<'_>, new: &mut [T], old: &[T], owner: &NodeId) {
    let pairs = Pairs::alike(&Candidates::all(old, new, ids.earlier));
    // Built when the first new node is found.
    let mut taken = None;
    for (position, node) in new.iter_mut().enumerate() {
        if let Some(pair) = pairs.old_of(position) {
            ids.rename(node, old[pair].id().clone());
            node.inherit(&old[pair], ids);
        } else {
            let taken = taken.get_or_insert_with(|| old.iter().map(|it| it.id().clone()).collect());
            ids.name(node, owner, taken);
        }
    }
}

/// Moves nodes under another owner.
fn move_under<T: Inherit>(nodes: &mut [T], owner: &NodeId) {
    for node in nodes {
        node.set_id(node.id().moved_under(owner));
    }
}

impl Inherit for Track {
    fn set_id(&mut self, id: NodeId) {
        self.mixer.id = self.mixer.id.moved_under(&id);
        move_under(&mut self.devices, &id);
        move_under(&mut self.slots, &id);
        move_under(&mut self.arrangement, &id);
        self.id = id;
    }

    fn inherit(&mut self, old: &Self, ids: &mut Ids<'_>) {
        siblings(ids, &mut self.devices, &old.devices, &self.id);
        siblings(ids, &mut self.slots, &old.slots, &self.id);
        siblings(ids, &mut self.arrangement, &old.arrangement, &self.id);
    }
}

impl Inherit for Device {
    fn set_id(&mut self, id: NodeId) {
        move_under(&mut self.devices, &id);
        self.id = id;
    }

    fn inherit(&mut self, old: &Self, ids: &mut Ids<'_>) {
        siblings(ids, &mut self.devices, &old.devices, &self.id);
    }
}

impl Inherit for ClipSlot {
    fn set_id(&mut self, id: NodeId) {
        if let Some(clip) = &mut self.clip {
            clip.id = clip.id.moved_under(&id);
        }
        self.id = id;
    }

    fn inherit(&mut self, old: &Self, _: &mut Ids<'_>) {
        if let (Some(new), Some(old)) = (&mut self.clip, &old.clip)
            && Clip::is_like(new, old)
        {
            new.id = old.id.clone();
        }
    }
}

/// Implements it for nodes without children.
macro_rules! leaves {
    ($($node:ty),*) => {$(
        impl Inherit for $node {
            fn set_id(&mut self, id: NodeId) {
                self.id = id;
            }

            fn inherit(&mut self, _: &Self, _: &mut Ids<'_>) {}
        }
    )*};
}

leaves!(Clip, FileRef, Locator, Scene);
