//! The difference between two sets.

use crate::compare::change::{Change, Changed, Changes};
use crate::compare::matching::{Owner, Pairs, Sibling};
use crate::path::Path;
use crate::set::Set;
use crate::tree::{
    Clip, ClipSlot, Device, FileRef, Locator, NodeId, Project, Scene, Track, TreeNode,
};

/// The changes that turn the old set into the new one.
///
/// Nodes are matched by id, or else by identity: type and name of a track; class and name of a
/// device; the name of a scene, or its row if it has none; the row of a slot; the path of a file;
/// type, name and start of a clip of the arrangement; name and time of a locator. The clips of two
/// matched slots match if their types do. A node that an event announced matches the one with its
/// name in the new set, or else the new one between the same siblings. Two sets with equal root
/// hashes give no changes.
///
/// Among the children of a node, the records of removed nodes come first, then those of remaining
/// nodes, then those of added nodes. A node that changed places among its siblings is removed and
/// added with the same id; as few as possible of them are, and the others only get a new `index`.
/// Matched nodes keep their old ids in the records, so replaying these gives the new tree with the
/// ids that [`Set::continue_from`] gives it.
///
/// Costs as much as copying the new set, unless the two are equal.
#[must_use]
pub fn diff(old: &Set, new: &Set) -> Changes {
    if old.root_hash() == new.root_hash() {
        return Changes::default();
    }
    let mut new = new.clone();
    new.take_ids(old);
    exact(old, &new)
}

/// The difference between two sets in which every id always stands for the same thing.
pub(crate) fn exact(old: &Set, new: &Set) -> Changes {
    let mut records = Vec::new();
    project(old.project(), new.project(), &mut records);
    Changes::from(records)
}

fn project(old: &Project, new: &Project, records: &mut Vec<Change>) {
    let changed = changed_attributes(old, new);
    records.extend(Change::attributes(old, Path::Project, changed));
    let nowhere = Owners { old: Owner::default(), new: Owner::default() };
    siblings(&old.id, (&old.tracks, &new.tracks), &nowhere, records);
    siblings(&old.id, (&old.scenes, &new.scenes), &nowhere, records);
    siblings(&old.id, (&old.file_refs, &new.file_refs), &nowhere, records);
    siblings(&old.id, (&old.locators, &new.locators), &nowhere, records);
}

/// The old and the new position of a node.
#[derive(Clone, Copy, Debug)]
struct At {
    old: usize,
    new: usize,
}

/// The old and the new owner of siblings.
#[derive(Clone, Debug)]
struct Owners {
    old: Owner,
    new: Owner,
}

/// Nodes that can be compared once they are matched.
trait Compare: Sibling {
    /// Whether the nodes below it have the same ids, if there are any.
    fn has_same_ids(&self, _: &Self) -> bool {
        true
    }

    /// Records the differences in and below a node, given its owners and its position among its
    /// siblings.
    fn compare(old: &Self, new: &Self, owners: &Owners, position: At, records: &mut Vec<Change>);
}

/// Compares all siblings of one type in an owner.
fn siblings<T: Compare>(
    owner: &NodeId,
    (old, new): (&[T], &[T]),
    owners: &Owners,
    records: &mut Vec<Change>,
) {
    let mut pairs = Pairs::exact(old, new);
    pairs.drop_moved();
    for position in pairs.unpaired_old(old.len()) {
        let node = &old[position];
        records.push(Change::removed(node, node.path(&owners.old, position), owner));
    }
    for (position, node) in new.iter().enumerate() {
        let Some(counterpart) = pairs.old_of(position) else { continue };
        let was = &old[counterpart];
        // Hashes do not cover ids.
        if was.hash() != node.hash() || !was.has_same_ids(node) {
            let position = At { old: counterpart, new: position };
            T::compare(was, node, owners, position, records);
        }
    }
    for (position, node) in new.iter().enumerate() {
        if pairs.old_of(position).is_none() {
            records.push(Change::added(node, node.path(&owners.new, position), owner));
        }
    }
}

impl Compare for Track {
    fn has_same_ids(&self, other: &Self) -> bool {
        are_same(&self.devices, &other.devices)
            && are_same(&self.slots, &other.slots)
            && are_same(&self.arrangement, &other.arrangement)
    }

    fn compare(old: &Self, new: &Self, _: &Owners, position: At, records: &mut Vec<Change>) {
        let track = position.new;
        let changed = changed_attributes(old, new);
        records.extend(Change::attributes(old, Path::Track { track }, changed));
        let (was, is) = (Owner::track(position.old), Owner::track(position.new));
        let owners = Owners { old: was, new: is };
        siblings(&old.id, (&old.devices, &new.devices), &owners, records);
        siblings(&old.id, (&old.slots, &new.slots), &owners, records);
        siblings(&old.id, (&old.arrangement, &new.arrangement), &owners, records);
        let changed = changed_attributes(&old.mixer, &new.mixer);
        records.extend(Change::attributes(&old.mixer, Path::Mixer { track }, changed));
    }
}

impl Compare for Device {
    fn has_same_ids(&self, other: &Self) -> bool {
        are_same(&self.devices, &other.devices)
    }

    /// Parameters that differ only in their values give the same records as live events.
    fn compare(old: &Self, new: &Self, owners: &Owners, position: At, records: &mut Vec<Change>) {
        let mut changed = changed_attributes(old, new);
        let are_same = old.parameters.len() == new.parameters.len()
            && old.parameters.iter().zip(&*new.parameters).all(|(was, is)| was.name == is.name);
        if are_same {
            changed.retain(|(attribute, ..)| *attribute != "parameters");
        }
        let owner = &owners.new;
        records.extend(Change::attributes(old, owner.device_path(position.new), changed));
        let parameters = are_same.then(|| old.parameters.iter().zip(&*new.parameters));
        for (parameter, (was, is)) in parameters.into_iter().flatten().enumerate() {
            let changed = (was != is).then(|| ("value", was.value.into(), is.value.into()));
            let path = owner.parameter_path(position.new, parameter);
            records.extend(Change::attribute(old, path, changed));
        }
        let (was, is) = (owners.old.rack(position.old), owner.rack(position.new));
        let inside = Owners { old: was, new: is };
        siblings(&old.id, (&old.devices, &new.devices), &inside, records);
    }
}

impl Compare for ClipSlot {
    fn has_same_ids(&self, other: &Self) -> bool {
        self.clip.as_ref().map(|clip| &clip.id) == other.clip.as_ref().map(|clip| &clip.id)
    }

    fn compare(old: &Self, new: &Self, owners: &Owners, _: At, records: &mut Vec<Change>) {
        let path = Path::ClipSlot { track: owners.new.track, scene: new.scene_index };
        records.extend(Change::attributes(old, path, changed_attributes(old, new)));
        let (was, is) = (old.clip.as_deref(), new.clip.as_deref());
        let old_path = Path::Clip { track: owners.old.track, scene: old.scene_index };
        let new_path = Path::Clip { track: owners.new.track, scene: new.scene_index };
        match (was, is) {
            (Some(was), Some(is)) if was.id == is.id && was.is_like(is) => {
                records.extend(Change::attributes(was, new_path, changed_attributes(was, is)));
            }
            _ => {
                records.extend(was.map(|clip| Change::removed(clip, old_path, &old.id)));
                records.extend(is.map(|clip| Change::added(clip, new_path, &old.id)));
            }
        }
    }
}

impl Compare for Scene {
    fn compare(old: &Self, new: &Self, _: &Owners, position: At, records: &mut Vec<Change>) {
        let path = Path::Scene { scene: position.new };
        records.extend(Change::attributes(old, path, changed_attributes(old, new)));
    }
}

/// Matched clips of the arrangement have the same type, because their ids and identities include
/// it.
impl Compare for Clip {
    fn compare(old: &Self, new: &Self, owners: &Owners, position: At, records: &mut Vec<Change>) {
        let path = new.path(&owners.new, position.new);
        records.extend(Change::attributes(old, path, changed_attributes(old, new)));
    }
}

impl Compare for FileRef {
    fn compare(old: &Self, new: &Self, _: &Owners, position: At, records: &mut Vec<Change>) {
        let path = Path::FileRef { file_ref: position.new };
        records.extend(Change::attributes(old, path, changed_attributes(old, new)));
    }
}

impl Compare for Locator {
    fn compare(old: &Self, new: &Self, _: &Owners, position: At, records: &mut Vec<Change>) {
        let path = Path::Locator { locator: position.new };
        records.extend(Change::attributes(old, path, changed_attributes(old, new)));
    }
}

/// Whether siblings, and everything below them, have the same ids in the same order.
fn are_same<T: Compare>(old: &[T], new: &[T]) -> bool {
    let mut pairs = old.iter().zip(new);
    old.len() == new.len() && pairs.all(|(was, is)| was.id() == is.id() && was.has_same_ids(is))
}

/// The attributes in which two nodes of one type differ.
fn changed_attributes<N: TreeNode>(old: &N, new: &N) -> Vec<Changed> {
    let (old, new) = (old.attributes(), new.attributes());
    let pairs = old.as_ref().iter().zip(new.as_ref());
    pairs
        .filter(|((_, was), (_, is))| was != is)
        .map(|((name, was), (_, is))| (*name, (*was).into(), (*is).into()))
        .collect()
}
