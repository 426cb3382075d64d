//! A set that follows both its events and its file.

use std::collections::HashSet;

use crate::change::Changes;
use crate::diff::exact;
use crate::edit::{Edit, Rejected};
use crate::merge::Terms;
use crate::set::Set;
use crate::touched::Touched;
use crate::tree::NodeId;

/// A set as Live has it: what events say, over what the file said when it was read last.
///
/// A save is merged: what differs between the file as it was read last and as it is now is done to
/// the set, and the rest stays as edits left it. Where both changed one thing, the edit counts if
/// it came after the first [`Mark`] of the save, else the file. A colour stays as an edit set it,
/// because a file has an index into Live's palette in its place, and so does the name of a device
/// that an edit announced, because a file has its class, and
/// a volume, because a file has its gain and an event the position of a fader.
///
/// What an edit made keeps its id when a save says what it is, and later saves find it by the `Id`
/// that the file gives it. What no file says stays: whether and where the transport runs, what
/// slots play and their colours, which scenes were launched.
///
/// Holds the file's tree beside the set's: twice the memory of a [`Set`].
#[derive(Clone, Debug)]
pub struct Mirror {
    set: Set,
    /// As it was read last. Its nodes have the ids of those in the set.
    file: Set,
    /// What edits changed since a save was first seen to begin; `None` while there is none.
    touched: Option<Touched>,
    /// The mixers whose volume is as an event set it.
    faders: HashSet<NodeId>,
    /// How many edits there were.
    edits: u64,
}

/// A moment between two edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

impl Mirror {
    /// A set that was just read.
    #[must_use]
    pub fn new(set: Set) -> Self {
        Self { file: set.clone(), set, touched: None, faders: HashSet::new(), edits: 0 }
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
        if result.is_ok() {
            note_fader(&mut self.faders, &self.set, edit);
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

    /// This moment, at which a save may have begun: from here on it is remembered what edits
    /// change, until [`settle`](Self::settle).
    pub fn mark(&mut self) -> Mark {
        self.touched.get_or_insert_default();
        Mark(self.edits)
    }

    /// This moment, without more.
    #[must_use]
    pub const fn now(&self) -> Mark {
        Mark(self.edits)
    }

    /// An edit never came: a save that began before this moment may not know of it.
    pub fn miss(&mut self) -> Mark {
        self.edits += 1;
        Mark(self.edits)
    }

    /// No save is on its way: what edits changed so far is older than any to come.
    pub fn settle(&mut self) {
        self.touched = None;
    }

    /// More was changed since a [`mark`](Self::mark) than is remembered: where a file says
    /// otherwise, it counts.
    #[must_use]
    pub fn is_overrun(&self) -> bool {
        self.touched.as_ref().is_some_and(Touched::is_full)
    }

    /// Whether a file says what it said when it was read last.
    #[must_use]
    pub fn has_read(&self, file: &Set) -> bool {
        self.file.root_hash() == file.root_hash()
    }

    /// Takes in a save that began at a mark, and says what changed. With `as_it_is` the file counts
    /// for everything, and the edits since then are done to it again: for when events were lost, so
    /// that some may have gone to the wrong things.
    ///
    /// Replaying the changes over the tree before gives the tree after.
    pub fn save(&mut self, mut file: Set, began: Mark, as_it_is: bool) -> Changes {
        let nothing = Touched::default();
        let touched = self.touched.as_ref().unwrap_or(&nothing);
        let newer = if as_it_is { &nothing } else { touched };
        if as_it_is {
            self.faders.clear();
        }
        let (began, faders) = (began.0, &self.faders);
        let terms = Terms { touched: newer, faders, began, as_it_is, keeps_numbers: true };
        let mut merged = self.set.merged(&self.file, &mut file, terms);
        if as_it_is {
            for edit in touched.edits_after(began) {
                // What is rejected points at what the file does not have.
                if merged.apply(edit).is_ok() {
                    note_fader(&mut self.faders, &merged, edit);
                }
            }
        }
        let there: HashSet<_> = merged.project().tracks.iter().map(|it| &it.mixer.id).collect();
        self.faders.retain(|mixer| there.contains(mixer));
        self.file = file;
        let changes = exact(&self.set, &merged);
        self.set = merged;
        changes
    }

    /// Hashes the set from scratch: see [`Set::rehash`].
    pub fn rehash(&mut self) {
        self.set.rehash();
    }
}

/// Remembers the mixer whose volume an edit has set.
fn note_fader(faders: &mut HashSet<NodeId>, set: &Set, edit: &Edit) {
    if let Edit::TrackVolume { track, .. } = edit
        && let Some(track) = set.project().tracks.get(*track)
    {
        faders.insert(track.mixer.id.clone());
    }
}

impl Set {
    /// Becomes a newer state of the same set, as it was read from its file, and says what changed.
    /// What the file does not say stays, and so do the ids of what is the same thing: see
    /// [`Mirror`], which lets edits count, too.
    pub fn replace(&mut self, mut newer: Self) -> Changes {
        let touched = &Touched::default();
        let faders = &HashSet::new();
        let terms = Terms { touched, faders, began: 0, as_it_is: true, keeps_numbers: false };
        let merged = self.merged(self, &mut newer, terms);
        let changes = exact(self, &merged);
        *self = merged;
        changes
    }
}
