//! Edits of devices.

use std::sync::Arc;

use super::{finite, room_for_one, set, set_always};
use crate::compare::change::{Change, Changed};
use crate::edit::Rejected;
use crate::path::Path;
use crate::set::Set;
use crate::tree::{Device, Parameter, Value};

impl Set {
    /// Adds a device of which only the name is known: no class and no parameters.
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
        self.forget_hashes(track);
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
        self.forget_hashes(track);
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
        let limit = self.limits.parameters;
        let found = self.device_mut(track, device)?;
        room_for_one("parameters of this device", parameter, limit)?;
        let was_enabled = found.is_enabled();
        let made = make_parameters(found, parameter);
        let field = &mut Arc::make_mut(&mut found.parameters)[parameter].value;
        let changed = match made {
            Some(_) => Some(set_always("value", field, value)),
            None => set("value", field, value),
        };
        let mut records = Change::attribute(found, Path::Device { track, device }, made);
        let path = Path::Parameter { track, device, parameter };
        records.extend(Change::attribute(found, path, changed));
        let is_enabled = found.is_enabled();
        let switched = ("is_enabled", was_enabled.into(), is_enabled.into());
        let switched = (was_enabled != is_enabled).then_some(switched);
        records.extend(Change::attribute(found, Path::Device { track, device }, switched));
        if !records.is_empty() {
            self.project.tracks[track].devices[device].rehash(&mut self.hasher);
            self.forget_hashes(track);
        }
        Ok(records)
    }

    fn device_mut(&mut self, track: usize, device: usize) -> Result<&mut Device, Rejected> {
        let owner = self.track_mut(track)?;
        let devices = owner.devices.len();
        owner.devices.get_mut(device).ok_or(Rejected::NoSuchDevice { track, device, devices })
    }
}

/// Creates the parameters up to the one at a position, for a device that only events announced, or
/// that has more than its file lists.
fn make_parameters(device: &mut Device, last: usize) -> Option<Changed> {
    let known = device.parameters.len();
    if last < known {
        return None;
    }
    let made = (known..=last).map(Parameter::unnamed);
    let parameters: Vec<_> = device.parameters.iter().cloned().chain(made).collect();
    let old = std::mem::replace(&mut device.parameters, parameters.as_slice().into());
    Some(("parameters", Value::Parameters(old.to_vec()), Value::Parameters(parameters)))
}
