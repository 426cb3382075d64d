//! What edits changed and when, so that changes newer than a save survive it.

use std::collections::HashMap;

use crate::compare::change::{ChangeKind, Changes, is_place};
use crate::edit::Edit;
use crate::path::Path;
use crate::tree::{Node, NodeId, Project, Value};

/// The number of things that are remembered. Beyond it nothing is, and a file then wins over edits.
const THINGS_MAX: usize = 1 << 16;

/// A part of a node that a file and an edit may both change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What {
    Attribute(&'static str),
    Parameter(usize),
    /// Whether it exists.
    Life,
}

/// A track, a scene or a device that an edit removed. A save that began before that still has it.
/// If an event had announced it, no file read before has it.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    /// The sibling before it.
    pub(crate) after: Option<NodeId>,
    pub(crate) node: Node,
    /// The number of the edit that created it, if remembered.
    came: Option<u64>,
    /// The number of the edit that removed it.
    pub(crate) went: u64,
}

impl Taken {
    /// Whether it also came after the edit with that number.
    pub(crate) fn came_after(&self, number: u64) -> bool {
        self.came.is_some_and(|came| came > number)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Touched {
    /// The number of the last edit that changed each thing.
    last: HashMap<(NodeId, What), u64>,
    /// The edits themselves, including rejected ones.
    edits: Vec<(u64, Edit)>,
    /// The former names of nodes, each with the number of the edit that changed it.
    names: HashMap<NodeId, Vec<(u64, String)>>,
    /// By owner, in the order of their removal.
    taken: HashMap<NodeId, Vec<Taken>>,
    is_full: bool,
}

impl Touched {
    /// Notes an edit; edits are counted from 1.
    pub(crate) fn note_edit(&mut self, edit: &Edit, number: u64) {
        if self.is_full || self.edits.len() >= THINGS_MAX {
            self.is_full = true;
            self.edits = Vec::new();
        } else {
            self.edits.push((number, edit.clone()));
        }
    }

    /// The edits after the one with that number.
    pub(crate) fn edits_after(&self, number: u64) -> impl Iterator<Item = &Edit> {
        self.edits.iter().filter(move |edit| edit.0 > number).map(|edit| &edit.1)
    }

    /// What edits after the one with that number removed from a node, in the order of removal.
    pub(crate) fn taken_after(&self, number: u64, owner: &NodeId) -> impl Iterator<Item = &Taken> {
        let taken = self.taken.get(owner).filter(|_| !self.is_full);
        taken.into_iter().flatten().filter(move |taken| taken.went > number)
    }

    /// Notes the changes of an edit, after which the project is as given.
    pub(crate) fn note(&mut self, changes: &Changes, edit: u64, project: &Project) {
        for change in &changes.changes {
            match &change.kind {
                ChangeKind::Added { .. } => {
                    self.put(&change.node_id, What::Life, edit);
                    self.put(&change.node_id, What::Attribute("name"), edit);
                }
                ChangeKind::Removed { parent_id, node } => {
                    if let Some(after) = before(project, &change.path) {
                        let came = self.last.get(&(change.node_id.clone(), What::Life)).copied();
                        let taken = Taken { after, node: node.clone(), came, went: edit };
                        self.taken.entry(parent_id.clone()).or_default().push(taken);
                    }
                    self.put(&change.node_id, What::Life, edit);
                }
                ChangeKind::Modified { old_value, new_value } => {
                    let name = old_value.0.iter().find(|(name, _)| *name == "name");
                    if let Some((_, Value::Text(name))) = name
                        && !self.is_full
                    {
                        let names = self.names.entry(change.node_id.clone()).or_default();
                        names.push((edit, name.clone()));
                    }
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

    /// Whether an edit after the one with that number has changed a thing.
    pub(crate) fn is_newer(&self, id: &NodeId, what: What, than: u64) -> bool {
        !self.is_full && self.last.get(&(id.clone(), what)).is_some_and(|edit| *edit > than)
    }

    /// A node's name after the edit with that number, if it has been renamed since.
    pub(crate) fn name_at(&self, number: u64, id: &NodeId) -> Option<&str> {
        let names = self.names.get(id).filter(|_| !self.is_full)?;
        names.iter().find(|(edit, _)| *edit > number).map(|(_, name)| name.as_str())
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.is_full
    }

    fn put(&mut self, id: &NodeId, what: What, edit: u64) {
        if self.is_full || self.last.len() >= THINGS_MAX {
            self.is_full = true;
            self.last = HashMap::new();
            self.taken = HashMap::new();
            self.names = HashMap::new();
            return;
        }
        self.last.insert((id.clone(), what), edit);
    }
}

/// The sibling before the place that a track, a scene or a device left, if there is one; `None` for
/// any other node.
#[expect(clippy::option_option, reason = "what is first follows nothing")]
fn before(project: &Project, path: &Path) -> Option<Option<NodeId>> {
    Some(match *path {
        Path::Track { track } => track.checked_sub(1).map(|at| project.tracks[at].id.clone()),
        Path::Scene { scene } => scene.checked_sub(1).map(|at| project.scenes[at].id.clone()),
        Path::Device { track, device } => {
            device.checked_sub(1).map(|at| project.tracks[track].devices[at].id.clone())
        }
        _ => return None,
    })
}
