//! Devices.

use std::io;

use fastrand::Rng;

use super::Spec;
use super::document::lom_ids;
use super::random::share;
use super::xml::Xml;

const CLASSES: [&str; 6] = ["AutoFilter", "Compressor2", "Delay", "Eq8", "Reverb", "Saturator"];
const PARAMETERS: [&str; 8] =
    ["Drive", "Frequency", "Resonance", "Attack", "Release", "Threshold", "Ratio", "DryWet"];

/// The inner chain of a track, with the requested devices, racks and plug-ins.
pub(super) fn chain(xml: &mut Xml<'_>, spec: &Spec, random: &mut Rng) -> io::Result<()> {
    let Spec { devices, racks, plug_ins, max_devices, parameters, .. } = *spec;
    xml.within("DeviceChain", |xml| {
        if devices + racks + plug_ins + max_devices == 0 {
            xml.empty("Devices", &[])?;
        } else {
            xml.within("Devices", |xml| {
                (0..devices).try_for_each(|id| device(xml, id, parameters, random))?;
                (0..racks).try_for_each(|rack| {
                    super::rack::rack(xml, devices + rack, rack == 0, parameters, random)
                })?;
                (0..plug_ins).try_for_each(|plug_in| {
                    super::rack::plug_in(xml, devices + racks + plug_in, plug_in, random)
                })?;
                (0..max_devices).try_for_each(|device| {
                    super::rack::max_device(xml, devices + racks + plug_ins + device, random)
                })
            })?;
        }
        xml.empty("SignalModulations", &[])
    })
}

/// An inner chain without devices.
pub(super) fn empty_chain(xml: &mut Xml<'_>) -> io::Result<()> {
    xml.within("DeviceChain", |xml| {
        xml.empty("Devices", &[])?;
        xml.empty("SignalModulations", &[])
    })
}

/// Every third device has a name given by the user.
pub(super) fn device(
    xml: &mut Xml<'_>,
    id: usize,
    parameters: usize,
    random: &mut Rng,
) -> io::Result<()> {
    let class = CLASSES[random.usize(..CLASSES.len())];
    let name = if id % 3 == 2 { format!("My {class}") } else { String::new() };
    xml.element(class, &[("Id", &id)], |xml| {
        head(xml, &name, random.usize(..8) > 0)?;
        xml.value("OverwriteProtectionNumber", 3_072)?;
        for parameter in 0..parameters {
            let name = PARAMETERS[parameter % PARAMETERS.len()];
            let value = share(random);
            match parameter / PARAMETERS.len() {
                0 => xml.automatable(name, value, Some((0.0, 1.0)))?,
                round => xml.automatable(&format!("{name}.{round}"), value, Some((0.0, 1.0)))?,
            }
        }
        xml.value("StereoSeparationOnDrySignal", false)
    })
}

/// The elements that devices, mixers and sequencers start with.
pub(super) fn head(xml: &mut Xml<'_>, name: &str, is_on: bool) -> io::Result<()> {
    lom_ids(xml)?;
    xml.value("IsExpanded", true)?;
    xml.automatable("On", is_on, None)?;
    xml.value("ModulationSourceCount", 0)?;
    xml.empty("ParametersListWrapper", &[("LomId", &0)])?;
    let pointee = xml.pointee();
    xml.empty("Pointee", &[("Id", &pointee)])?;
    xml.value("LastSelectedTimeableIndex", 0)?;
    xml.within("LastPresetRef", |xml| xml.empty("Value", &[]))?;
    xml.empty("LockedScripts", &[])?;
    xml.value("IsFolded", false)?;
    xml.value("ShouldShowPresetName", false)?;
    xml.value("UserName", name)?;
    xml.value("Annotation", "")?;
    xml.within("SourceContext", |xml| xml.empty("Value", &[]))
}
