//! Reads devices, their parameters, and the contents of racks.

use super::document::Document;
use super::file_ref;
use super::value::set;
use crate::error::ReadError;
use crate::tree::{Device, NodeId, Parameter, SiblingKeys, Track};

/// Reads the devices of a track's own chain.
pub(super) fn devices(document: &mut Document<'_>, track: &mut Track) -> Result<(), ReadError> {
    let mut count = 0;
    let Track { id, devices, .. } = track;
    chain(document, &mut Chain { owner: id, kind: "device", count: &mut count }, devices)
}

/// A chain of devices, of a track or a rack.
struct Chain<'a> {
    owner: &'a NodeId,
    /// The start of its devices' ids, which says which chain of a rack it is.
    kind: &'a str,
    /// The devices of the whole track so far.
    count: &'a mut usize,
}

/// Reads the children of a `Devices` element: each is a device, and its element name is its class.
fn chain(
    document: &mut Document<'_>,
    chain: &mut Chain<'_>,
    devices: &mut Vec<Device>,
) -> Result<(), ReadError> {
    let level = document.level();
    let mut keys = SiblingKeys::default();
    while document.next_child(level)? {
        *chain.count += 1;
        document.within("devices of one track", *chain.count, document.limits.devices)?;
        let id = chain.owner.child(chain.kind, keys.next(document.file_id()?));
        let mut device = Device::new(id, document.name().to_owned());
        let outer = document.file_refs.enter(&device.id);
        read_device(document, &mut device, chain.count)?;
        document.file_refs.leave(outer);
        devices.push(device);
    }
    Ok(())
}

fn read_device(
    document: &mut Document<'_>,
    device: &mut Device,
    count: &mut usize,
) -> Result<(), ReadError> {
    document.keep(size_of::<Device>() + super::ID_BYTES + 2 * device.device_type.len())?;
    document.keep(size_of::<Parameter>() + super::TEXT_BYTES)?;
    let mut found = vec![Parameter::switch()];
    let level = document.level();
    let (mut user_name, mut own_name) = (None, None);
    let mut names = String::new();
    let mut keys = SiblingKeys::default();
    let mut return_keys = SiblingKeys::default();
    while document.next_child(level)? {
        match document.name() {
            "UserName" => user_name = document.text()?,
            "PluginDesc" => own_name = plug_in_name(document)?,
            "PatchSlot" => own_name = patch_name(document)?,
            "On" => set(&mut found[0].value, document.manual(Document::number)?),
            "Branches" => branches(document, device, ("chain", &mut keys), count)?,
            "ReturnBranches" => {
                branches(document, device, ("return_chain", &mut return_keys), count)?;
            }
            _ => parameters(document, &mut names, &mut found)?,
        }
    }
    let given = user_name.into_iter().chain(own_name).find(|name| !name.is_empty());
    set(&mut device.name, given);
    device.parameters = found.into();
    device.devices.shrink_to_fit();
    Ok(())
}

/// The chains of a rack. Each has its devices in a chain inside its `DeviceChain`, whose name says
/// what goes in and comes out, and a mixer of its own that does not belong to the track.
fn branches(
    document: &mut Document<'_>,
    rack: &mut Device,
    (kind, keys): (&str, &mut SiblingKeys),
    count: &mut usize,
) -> Result<(), ReadError> {
    let level = document.level();
    while document.next_child(level)? {
        let kind = format!("{kind}:{}.device", keys.next(document.file_id()?));
        let Device { id, devices, .. } = rack;
        let mut chain = Chain { owner: id, kind: &kind, count };
        branch(document, &mut chain, devices)?;
    }
    Ok(())
}

/// Finds `DeviceChain/*/Devices` in a chain of a rack; the first if there are more.
fn branch(
    document: &mut Document<'_>,
    inside: &mut Chain<'_>,
    devices: &mut Vec<Device>,
) -> Result<(), ReadError> {
    let mut is_read = false;
    let branch = document.level();
    while document.next_child(branch)? {
        if document.name() != "DeviceChain" {
            continue;
        }
        let outer = document.level();
        while document.next_child(outer)? {
            let inner = document.level();
            while document.next_child(inner)? {
                if document.name() == "Devices" && !is_read {
                    is_read = true;
                    chain(document, inside, devices)?;
                }
            }
        }
    }
    Ok(())
}

/// Reads the parameters in an element, which may be one itself. An element with a `Manual` child is
/// a parameter, even if that child's value is not a number, because events address parameters by
/// position. `names` is only borrowed: its content is restored afterwards.
fn parameters(
    document: &mut Document<'_>,
    names: &mut String,
    parameters: &mut Vec<Parameter>,
) -> Result<(), ReadError> {
    let (start, first) = (names.len(), parameters.len());
    names.push_str(document.name());
    let level = document.level();
    let mut given = None;
    while document.next_child(level)? {
        match document.name() {
            "Manual" => {
                let (name, value) = (&names[start..], document.number()?.unwrap_or(0.0));
                document.keep(size_of::<Parameter>() + super::TEXT_BYTES + name.len())?;
                parameters.push(Parameter { name: name.to_owned(), value });
                let limit = document.limits.parameters;
                document.within("parameters of one device", parameters.len(), limit)?;
            }
            "ParameterName" | "Name" if names[start..].ends_with("Parameter") => {
                given = document.text()?.filter(|name| !name.is_empty());
            }
            _ => self::parameters(document, names, parameters)?,
        }
    }
    names.truncate(start);
    if let Some(given) = given {
        for parameter in &mut parameters[first..] {
            document.keep(given.len())?;
            parameter.name.clone_from(&given);
        }
    }
    Ok(())
}

/// A Max for Live device is named after its file, found in `MxPatchRef` (Live 12) or `MxDPatchRef`.
fn patch_name(document: &mut Document<'_>) -> Result<Option<String>, ReadError> {
    let level = document.level();
    let mut name = None;
    while document.next_child(level)? {
        if document.name() != "Value" {
            continue;
        }
        let value = document.level();
        while document.next_child(value)? {
            if matches!(document.name(), "MxPatchRef" | "MxDPatchRef") {
                name = file_ref::referred(document)?;
            }
        }
    }
    Ok(name.map(|name| name.strip_suffix(".amxd").map(str::to_owned).unwrap_or(name)))
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
