//! Checks the room for what an edit adds: the limit on a tree's memory applies to edits as well as
//! to files.

use crate::compare::change::{ChangeKind, Changes};
use crate::edit::{Edit, Rejected};
use crate::set::Set;
use crate::tree::{
    Clip, ClipSlot, Device, ID_BYTES, PARAMETER_BYTES, Scene, Track, Value, parameters_bytes,
};

impl Set {
    /// Rejects an edit that would make the tree too large.
    pub(super) fn check_room(&self, edit: &Edit) -> Result<(), Rejected> {
        let (growth, limit) = (self.growth(edit), self.limits.tree_bytes);
        if growth == 0 || self.bytes.saturating_add(growth) <= limit {
            return Ok(());
        }
        Err(Rejected::Full { what: "bytes of tree", limit })
    }

    /// The bytes that an edit adds; 0 for one with an invalid position, which is rejected for that
    /// reason.
    fn growth(&self, edit: &Edit) -> usize {
        let longer = |name: &str, old: Option<&String>| {
            old.map_or(0, |old| name.len().saturating_sub(old.len()))
        };
        match *edit {
            Edit::TrackAdded { ref name, .. } => size_of::<Track>() + 3 * ID_BYTES + name.len(),
            Edit::SceneAdded { ref name, .. } => size_of::<Scene>() + ID_BYTES + name.len(),
            Edit::DeviceAdded { ref name, .. } => size_of::<Device>() + ID_BYTES + name.len(),
            Edit::ClipAdded { ref name, .. } => size_of::<Clip>() + ID_BYTES + name.len(),
            Edit::ClipSlotState { track, scene, .. } if self.slot(track, scene).is_none() => {
                size_of::<ClipSlot>() + ID_BYTES
            }
            Edit::DeviceParameter { track, device, parameter, .. } => {
                let device = self.track(track).and_then(|track| track.devices.get(device));
                let known = device.map_or(parameter, |device| device.parameters.len());
                let missing = parameter.saturating_add(1).saturating_sub(known);
                missing.min(self.limits.parameters) * PARAMETER_BYTES
            }
            Edit::TrackName { track, ref name } => {
                longer(name, self.track(track).map(|it| &it.name))
            }
            Edit::SceneName { scene, ref name } => {
                longer(name, self.scene(scene).map(|it| &it.name))
            }
            Edit::ClipName { track, scene, ref name } => {
                let clip = self.slot(track, scene).and_then(|slot| slot.clip.as_ref());
                longer(name, clip.map(|it| &it.name))
            }
            _ => 0,
        }
    }

    /// Updates the size of the tree after changes.
    pub(super) fn count_bytes(&mut self, changes: &Changes) {
        let (mut more, mut less) = (0, 0);
        for change in &changes.changes {
            match &change.kind {
                ChangeKind::Added { node, .. } => {
                    more += node.bytes();
                    self.ids += 1;
                }
                ChangeKind::Removed { node, .. } => {
                    less += node.bytes();
                    self.ids += 1;
                }
                ChangeKind::Modified { old_value, new_value } => {
                    more += new_value.0.iter().map(|(_, value)| bytes(value)).sum::<usize>();
                    less += old_value.0.iter().map(|(_, value)| bytes(value)).sum::<usize>();
                }
                ChangeKind::StateChanged { old_value, new_value, .. } => {
                    more += bytes(new_value);
                    less += bytes(old_value);
                }
            }
        }
        self.bytes = (self.bytes + more).saturating_sub(less);
    }
}

fn bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Parameters(parameters) => parameters_bytes(parameters),
        _ => 0,
    }
}
