//! Reading the devices of a chain.

use super::document::Document;
use super::value::set;
use crate::error::ReadError;
use crate::tree::{Device, NodeId, Parameter, SiblingKeys};

/// Reads the children of a `Devices` element: each is a device, its name the device's class.
pub(super) fn devices(
    document: &mut Document<'_>,
    owner: &NodeId,
    devices: &mut Vec<Device>,
) -> Result<(), ReadError> {
    let level = document.level();
    let mut keys = SiblingKeys::default();
    while document.next_child(level)? {
        let id = owner.child("device", keys.next(document.file_id()?));
        let mut device = Device::new(id, document.name().to_owned());
        read_device(document, &mut device)?;
        devices.push(device);
        document.within("devices of one track", devices.len(), document.limits.devices)?;
    }
    Ok(())
}

fn read_device(document: &mut Document<'_>, device: &mut Device) -> Result<(), ReadError> {
    document.keep(size_of::<Device>() + super::ID_BYTES + 2 * device.device_type.len())?;
    let level = document.level();
    let (mut user_name, mut plug_in) = (None, None);
    let mut name = String::new();
    while document.next_child(level)? {
        match document.name() {
            "UserName" => user_name = document.text()?,
            "PluginDesc" => plug_in = plug_in_name(document)?,
            "On" => set(&mut device.is_enabled, document.manual(Document::flag)?),
            _ => {
                name.clear();
                name.push_str(document.name());
                parameter(document, &name, &mut device.parameters)?;
            }
        }
    }
    let given = user_name.into_iter().chain(plug_in).find(|name| !name.is_empty());
    set(&mut device.name, given);
    Ok(())
}

/// An element with a `Manual` child is a parameter, also where that child's value is no number:
/// events address parameters by position.
fn parameter(
    document: &mut Document<'_>,
    name: &str,
    parameters: &mut Vec<Parameter>,
) -> Result<(), ReadError> {
    let value = document.manual(|document| Ok(Some(document.number()?.unwrap_or(0.0))))?;
    let Some(value) = value else { return Ok(()) };
    document.keep(size_of::<Parameter>() + super::TEXT_BYTES + name.len())?;
    parameters.push(Parameter { name: name.to_owned(), value });
    document.within("parameters of one device", parameters.len(), document.limits.parameters)
}

/// The name is in `PlugName` for VST 2, in `Name` for VST 3 and Audio Units.
fn plug_in_name(document: &mut Document<'_>) -> Result<Option<String>, ReadError> {
    let level = document.level();
    let mut name = None;
    while document.next_child(level)? {
        let info = document.level();
        while document.next_child(info)? {
            if matches!(document.name(), "PlugName" | "Name") {
                name = document.text()?;
            }
        }
    }
    Ok(name)
}
