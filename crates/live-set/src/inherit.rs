//! What a set that is loaded again takes over from the one before.

use crate::change::Changes;
use crate::diff::diff;
use crate::edit::Edit;
use crate::matching::{Pairs, Sibling};
use crate::set::Set;
use crate::tree::{Clip, ClipSlot, Device, FileRef, Locator, NodeId, Scene, Track};

impl Set {
    /// Takes over from an earlier state of the same set what its file does not say:
    ///
    /// * the ids of nodes that are the same thing (see [`diff`]), so that what an event announced
    ///   keeps the id that viewers know it by when a save gives it an `Id`;
    /// * what only events say: whether and where the transport runs, what slots play and their
    ///   colours, which scenes were launched.
    ///
    /// Call it on what was read, before a [`diff`] with the present state.
    pub fn continue_from(&mut self, earlier: &Self) {
        let (new, old) = (&mut self.project, &earlier.project);
        new.is_playing = old.is_playing;
        new.position = old.position;
        let owner = new.id.clone();
        siblings(&mut new.tracks, &old.tracks, &owner);
        siblings(&mut new.scenes, &old.scenes, &owner);
        siblings(&mut new.file_refs, &old.file_refs, &owner);
        siblings(&mut new.locators, &old.locators, &owner);
        self.made = self.made.max(earlier.made);
        self.rehash();
    }

    /// Becomes a newer state of the same set, as it was read from a file that was saved again, and
    /// says what changed. What the file does not say stays: see
    /// [`continue_from`](Self::continue_from).
    ///
    /// Replaying the changes over the tree before gives the tree after.
    pub fn replace(&mut self, newer: Self) -> Changes {
        self.replace_and_redo(newer, &[]).0
    }

    /// The same where edits have come since the file was written: they are done again to what was
    /// read, in their order. Gives how many of them the newer state rejects, too.
    ///
    /// What an edit has made keeps its id.
    pub fn replace_and_redo(&mut self, mut newer: Self, since: &[Edit]) -> (Changes, usize) {
        // What is made again is not to be taken for something else that edits have made.
        newer.made = newer.made.max(self.made);
        let rejected = since.iter().filter(|edit| newer.apply(edit).is_err()).count();
        newer.continue_from(self);
        let changes = diff(self, &newer);
        *self = newer;
        (changes, rejected)
    }
}

/// Nodes that take things over.
trait Inherit: Sibling {
    /// Sets the id, and those of the only children of their kinds, which are named after it.
    fn set_id(&mut self, id: NodeId);

    /// Takes over from a node that is the same thing all but the id.
    fn inherit(&mut self, old: &Self);
}

/// Lets siblings take over from those they are the same thing as. An id is always the owner's and
/// a local part; the local parts of what has no counterpart are no old sibling's, or they would
/// have one: so that ids stay unique.
fn siblings<T: Inherit>(new: &mut [T], old: &[T], owner: &NodeId) {
    let pairs = Pairs::of(old, new);
    for (position, node) in new.iter_mut().enumerate() {
        match pairs.old_of(position) {
            Some(counterpart) => {
                node.set_id(old[counterpart].id().clone());
                node.inherit(&old[counterpart]);
            }
            None => node.set_id(node.id().moved_under(owner)),
        }
    }
}

impl Inherit for Track {
    fn set_id(&mut self, id: NodeId) {
        self.mixer.id = self.mixer.id.moved_under(&id);
        self.id = id;
    }

    fn inherit(&mut self, old: &Self) {
        siblings(&mut self.devices, &old.devices, &self.id);
        siblings(&mut self.slots, &old.slots, &self.id);
        siblings(&mut self.arrangement, &old.arrangement, &self.id);
    }
}

impl Inherit for Device {
    fn set_id(&mut self, id: NodeId) {
        for device in &mut self.devices {
            device.set_id(device.id.moved_under(&id));
        }
        self.id = id;
    }

    fn inherit(&mut self, old: &Self) {
        siblings(&mut self.devices, &old.devices, &self.id);
    }
}

impl Inherit for Clip {
    fn set_id(&mut self, id: NodeId) {
        self.id = id;
    }

    fn inherit(&mut self, _: &Self) {}
}

impl Inherit for FileRef {
    fn set_id(&mut self, id: NodeId) {
        self.id = id;
    }

    fn inherit(&mut self, _: &Self) {}
}

impl Inherit for Locator {
    fn set_id(&mut self, id: NodeId) {
        self.id = id;
    }

    fn inherit(&mut self, _: &Self) {}
}

impl Inherit for ClipSlot {
    fn set_id(&mut self, id: NodeId) {
        if let Some(clip) = &mut self.clip {
            clip.id = clip.id.moved_under(&id);
        }
        self.id = id;
    }

    fn inherit(&mut self, old: &Self) {
        self.playing_status = old.playing_status;
        self.color = old.color;
        if let (Some(new), Some(old)) = (&mut self.clip, &old.clip)
            && Clip::is_like(new, old)
        {
            new.id = old.id.clone();
        }
    }
}

impl Inherit for Scene {
    fn set_id(&mut self, id: NodeId) {
        self.id = id;
    }

    fn inherit(&mut self, old: &Self) {
        self.is_triggered = old.is_triggered;
    }
}
