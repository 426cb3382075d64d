//! What edits have changed, and when: so that what is newer than a save survives it.

use std::collections::HashMap;

use crate::change::{ChangeKind, Changes, is_place};
use crate::edit::Edit;
use crate::path::Path;
use crate::tree::NodeId;

/// Things that are remembered. Beyond that nothing is: a file then counts for more than an edit.
const THINGS_MAX: usize = 1 << 16;

/// Something of a node that a file and an edit may both change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What {
    Attribute(&'static str),
    Parameter(usize),
    /// It came or went.
    Life,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Touched {
    /// The number of the last edit that changed each thing.
    last: HashMap<(NodeId, What), u64>,
    /// The edits themselves, also those that were rejected.
    edits: Vec<(u64, Edit)>,
    is_full: bool,
}

impl Touched {
    /// Takes an edit; they are counted from 1.
    pub(crate) fn note_edit(&mut self, edit: &Edit, number: u64) {
        if self.is_full || self.edits.len() >= THINGS_MAX {
            self.is_full = true;
            self.edits = Vec::new();
        } else {
            self.edits.push((number, edit.clone()));
        }
    }

    /// The edits after one of that number.
    pub(crate) fn edits_after(&self, number: u64) -> impl Iterator<Item = &Edit> {
        self.edits.iter().filter(move |edit| edit.0 > number).map(|edit| &edit.1)
    }

    /// Takes the changes of an edit.
    pub(crate) fn note(&mut self, changes: &Changes, edit: u64) {
        for change in &changes.changes {
            match &change.kind {
                ChangeKind::Added { .. } => {
                    self.put(&change.node_id, What::Life, edit);
                    self.put(&change.node_id, What::Attribute("name"), edit);
                }
                ChangeKind::Removed { .. } => self.put(&change.node_id, What::Life, edit),
                ChangeKind::Modified { new_value, .. } => {
                    for (name, _) in new_value.0.iter().filter(|(name, _)| !is_place(name)) {
                        self.put(&change.node_id, What::Attribute(name), edit);
                    }
                }
                ChangeKind::StateChanged { attribute, .. } => {
                    let what = match change.path {
                        Path::Parameter { parameter, .. } => What::Parameter(parameter),
                        _ => What::Attribute(attribute),
                    };
                    self.put(&change.node_id, what, edit);
                }
            }
        }
    }

    /// Whether an edit after one of that number has changed a thing.
    pub(crate) fn is_newer(&self, id: &NodeId, what: What, than: u64) -> bool {
        !self.is_full && self.last.get(&(id.clone(), what)).is_some_and(|edit| *edit > than)
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.is_full
    }

    fn put(&mut self, id: &NodeId, what: What, edit: u64) {
        if self.is_full || self.last.len() >= THINGS_MAX {
            self.is_full = true;
            self.last = HashMap::new();
            return;
        }
        self.last.insert((id.clone(), what), edit);
    }
}
