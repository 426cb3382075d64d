//! A set that follows both its events and its file.

use std::collections::HashSet;

use crate::compare::change::{ChangeKind, Changes};
use crate::compare::diff::exact;
use crate::edit::{Edit, Rejected};
use crate::merge::{COLOR, NAME, Terms, Told, VOLUME};
use crate::set::Set;
use crate::touched::Touched;
use crate::tree::{NodeId, NodeRef};

/// The set as Live has it: the file as last read, plus the events since.
///
/// A save is merged: the differences between the file as last read and as it is now are applied to
/// the set, and the rest stays as edits left it. If both changed the same thing, the edit wins if
/// it came after the save's first [`Mark`]; otherwise the file wins. Three values stay as an edit
/// set them, because a file stores something else in their place: a colour (an index into Live's
/// palette), the name of a device that an edit announced (its class), and a volume (a gain instead
/// of a fader position).
///
/// A node that an edit created keeps its id when a save describes it, and later saves find it by
/// the file's `Id`. State that no file contains stays: whether and where the transport runs, what
/// slots play and their colours, which scenes were launched.
///
/// Holds the file's tree as well as the set's. Both share their ids and the lists of parameters that
/// are equal in both: at first it takes 1.2 to 1.4 times the memory of a [`Set`].
#[derive(Clone, Debug)]
pub struct Mirror {
    set: Set,
    /// The file as last read. Its nodes have the ids of those in the set.
    file: Set,
    /// The changes by edits since a save was first seen to begin; `None` if there is no save.
    touched: Option<Touched>,
    /// Values that events have set and of which a file stores something else.
    told: HashSet<Told>,
    /// The number of edits so far.
    edits: u64,
}

/// A moment between two edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

impl Mirror {
    /// A mirror of a set that was just read.
    #[must_use]
    pub fn new(set: Set) -> Self {
        Self { file: set.clone(), set, touched: None, told: HashSet::new(), edits: 0 }
    }

    /// The set as it is now.
    #[must_use]
    pub const fn set(&self) -> &Set {
        &self.set
    }

    /// Applies an edit: see [`Set::apply`].
    ///
    /// # Errors
    /// [`Rejected`] says why; nothing has changed then.
    pub fn apply(&mut self, edit: &Edit) -> Result<Changes, Rejected> {
        let result = self.set.apply(edit);
        if let Ok(changes) = &result {
            self.forget_removed(changes);
            self.told.extend(told(&self.set, edit));
        }
        self.edits += 1;
        if let Some(touched) = &mut self.touched {
            touched.note_edit(edit, self.edits);
            if let Ok(changes) = &result {
                touched.note(changes, self.edits, self.set.project());
            }
        }
        result
    }

    /// The present moment, at which a save may have begun: from here on edits' changes are
    /// remembered, until [`settle`](Self::settle).
    pub fn mark(&mut self) -> Mark {
        self.touched.get_or_insert_default();
        Mark(self.edits)
    }

    /// The present moment, without starting to remember.
    #[must_use]
    pub const fn now(&self) -> Mark {
        Mark(self.edits)
    }

    /// Notes that an edit was lost: a save that began before this moment may not contain it.
    pub fn miss(&mut self) -> Mark {
        self.edits += 1;
        Mark(self.edits)
    }

    /// No save is in progress: any future one is newer than the edits so far.
    pub fn settle(&mut self) {
        self.touched = None;
    }

    /// Whether more has changed since a [`mark`](Self::mark) than is remembered; in that case the
    /// file wins over edits.
    #[must_use]
    pub fn is_overrun(&self) -> bool {
        self.touched.as_ref().is_some_and(Touched::is_full)
    }

    /// Whether the file is unchanged since it was last read.
    #[must_use]
    pub fn has_read(&self, file: &Set) -> bool {
        self.file.root_hash() == file.root_hash()
    }

    /// Merges a save that began at a mark, and returns the changes. With `as_it_is` the file
    /// overrides everything, and the edits since the mark are applied again: for use after events
    /// were lost, when some edits may have been applied to the wrong nodes.
    ///
    /// Replaying the changes on the tree before gives the tree after.
    pub fn save(&mut self, mut file: Set, began: Mark, as_it_is: bool) -> Changes {
        let nothing = Touched::default();
        let touched = self.touched.as_ref().unwrap_or(&nothing);
        let newer = if as_it_is { &nothing } else { touched };
        if as_it_is {
            self.told.clear();
        }
        let began = began.0;
        let terms =
            Terms { touched: newer, told: &self.told, began, as_it_is, keeps_numbers: true };
        let mut merged = self.set.merged(&self.file, &mut file, terms);
        if as_it_is {
            for edit in touched.edits_after(began) {
                // A rejected edit refers to something that the file does not have.
                if merged.apply(edit).is_ok() {
                    self.told.extend(told(&merged, edit));
                }
            }
        }
        if !self.told.is_empty() {
            // One walk: to look for each would take a walk through all of its siblings.
            let there: HashSet<&NodeId> = merged.nodes().map(|node| node.id()).collect();
            self.told.retain(|(id, _)| there.contains(id));
        }
        self.file = file;
        let changes = exact(&self.set, &merged);
        self.set = merged;
        changes
    }

    /// Forgets what events set of nodes that are gone: another may come by a save with the same id.
    fn forget_removed(&mut self, changes: &Changes) {
        if self.told.is_empty() {
            return;
        }
        let removed = changes.changes.iter().filter_map(|change| match &change.kind {
            ChangeKind::Removed { node, .. } => Some(node.as_ref()),
            _ => None,
        });
        let gone: HashSet<&NodeId> = removed.flat_map(NodeRef::walk).map(NodeRef::id).collect();
        if !gone.is_empty() {
            self.told.retain(|(id, _)| !gone.contains(id));
        }
    }

    /// Rehashes the set from scratch: see [`Set::rehash`].
    pub fn rehash(&mut self) {
        self.set.rehash();
    }
}

/// The value that an edit has set and of which a file stores something else, if it has.
fn told(set: &Set, edit: &Edit) -> Option<Told> {
    Some(match *edit {
        Edit::DeviceAdded { track, device, .. } => {
            (set.track(track)?.devices.get(device)?.id.clone(), NAME)
        }
        Edit::TrackVolume { track, .. } => (set.track(track)?.mixer.id.clone(), VOLUME),
        Edit::TrackColor { track, .. } => (set.track(track)?.id.clone(), COLOR),
        Edit::SceneColor { scene, .. } => (set.scene(scene)?.id.clone(), COLOR),
        Edit::ClipColor { track, scene, .. } => {
            (set.slot(track, scene)?.clip.as_ref()?.id.clone(), COLOR)
        }
        _ => return None,
    })
}

impl Set {
    /// Replaces the set with a newer state read from its file, and returns the changes. State that
    /// the file does not contain stays, and so do the ids of matching nodes. See [`Mirror`] for
    /// merging with edits.
    pub fn replace(&mut self, mut newer: Self) -> Changes {
        let touched = &Touched::default();
        let told = &HashSet::new();
        let terms = Terms { touched, told, began: 0, as_it_is: true, keeps_numbers: false };
        let merged = self.merged(self, &mut newer, terms);
        let changes = exact(self, &merged);
        *self = merged;
        changes
    }
}
