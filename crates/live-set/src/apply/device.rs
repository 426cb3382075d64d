//! Edits of devices.

use super::{finite, room_for_one, set};
use crate::change::Change;
use crate::edit::Rejected;
use crate::path::Path;
use crate::set::Set;
use crate::tree::Device;

impl Set {
    /// A device of which only the name is known: no class, and no parameters.
    pub(super) fn add_device(
        &mut self,
        track: usize,
        device: usize,
        name: &str,
    ) -> Result<Vec<Change>, Rejected> {
        let limit = self.limits.devices;
        let owner = self.track_mut(track)?;
        let devices = owner.devices.len();
        let all = owner.devices.iter().map(Device::count).sum();
        if device > devices {
            return Err(Rejected::NoSuchDevice { track, device, devices });
        }
        room_for_one("devices on this track", all, limit)?;
        let key = self.next_key();
        let owner = &mut self.project.tracks[track];
        let mut added = Device::new(owner.id.child("device", key), String::new());
        name.clone_into(&mut added.name);
        added.rehash(&mut self.hasher);
        let record = Change::added(&added, Path::Device { track, device }, &owner.id);
        owner.devices.insert(device, added);
        self.rehash_track(track);
        Ok(vec![record])
    }

    pub(super) fn delete_device(
        &mut self,
        track: usize,
        device: usize,
    ) -> Result<Vec<Change>, Rejected> {
        self.device_mut(track, device)?;
        let owner = &mut self.project.tracks[track];
        let deleted = owner.devices.remove(device);
        let record = Change::taken(deleted, Path::Device { track, device }, &owner.id);
        self.rehash_track(track);
        Ok(vec![record])
    }

    pub(super) fn set_parameter(
        &mut self,
        track: usize,
        device: usize,
        parameter: usize,
        value: f64,
    ) -> Result<Vec<Change>, Rejected> {
        let value = finite("parameter", value)?;
        let found = self.device_mut(track, device)?;
        let parameters = found.parameters.len();
        let field = found.parameters.get_mut(parameter).ok_or(Rejected::NoSuchParameter {
            track,
            device,
            parameter,
            parameters,
        })?;
        let changed = set("value", &mut field.value, value);
        let path = Path::Parameter { track, device, parameter };
        let records = Change::attribute(found, path, changed);
        if !records.is_empty() {
            self.project.tracks[track].devices[device].rehash(&mut self.hasher);
            self.rehash_track(track);
        }
        Ok(records)
    }

    fn device_mut(&mut self, track: usize, device: usize) -> Result<&mut Device, Rejected> {
        let owner = self.track_mut(track)?;
        let devices = owner.devices.len();
        owner.devices.get_mut(device).ok_or(Rejected::NoSuchDevice { track, device, devices })
    }
}
