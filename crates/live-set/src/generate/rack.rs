//! Racks and plug-ins.

use std::io;

use fastrand::Rng;

use super::Version;
use super::device::{device, head};
use super::random::share;
use super::xml::Xml;

/// Macro controls and two chains with a device. `is_deep` adds a rack inside the first chain, a
/// return chain, and the preset that it was made from.
pub(super) fn rack(
    xml: &mut Xml<'_>,
    id: usize,
    is_deep: bool,
    parameters: usize,
    random: &mut Rng,
) -> io::Result<()> {
    xml.element("AudioEffectGroupDevice", &[("Id", &id)], |xml| {
        head(xml, if is_deep { "Outer" } else { "" }, true)?;
        xml.within("Branches", |xml| {
            for number in 0..2 {
                branch(xml, number, |xml| {
                    device(xml, number, parameters, random)?;
                    if is_deep && number == 0 {
                        rack(xml, 1, false, parameters, random)?;
                    }
                    Ok(())
                })?;
            }
            Ok(())
        })?;
        let macros = if xml.is_since(Version::Live11) { 16 } else { 8 };
        (0..macros).try_for_each(|number| {
            // Keeps the random parts of a document the same as when there were 8.
            let value = if number < 8 { share(random) * 127.0 } else { 0.0 };
            xml.automatable(&format!("MacroControls.{number}"), value, Some((0.0, 127.0)))
        })?;
        if is_deep {
            xml.within("ReturnBranches", |xml| {
                branch(xml, 0, |xml| device(xml, 0, parameters, random))
            })?;
            xml.within("SourceContext", |xml| {
                xml.within("Value", |xml| {
                    xml.within("BranchSourceContext", |xml| {
                        xml.within("OriginalFileRef", |xml| {
                            xml.file_ref(&["Presets", "Audio Effects"], "Wide & Deep.adg")
                        })
                    })
                })
            })?;
        }
        xml.value("AreMacroControlsVisible", true)
    })
}

/// A chain of a rack. Its mixer has parameters that do not belong to the rack.
fn branch(
    xml: &mut Xml<'_>,
    id: usize,
    devices: impl FnOnce(&mut Xml<'_>) -> io::Result<()>,
) -> io::Result<()> {
    xml.element("AudioEffectBranch", &[("Id", &id)], |xml| {
        xml.value("LomId", 0)?;
        xml.within("Name", |xml| {
            xml.value("EffectiveName", format!("Chain {}", id + 1))?;
            xml.value("UserName", "")
        })?;
        xml.within("DeviceChain", |xml| {
            xml.within("AudioToAudioDeviceChain", |xml| {
                xml.within("Devices", devices)?;
                xml.empty("SignalModulations", &[])
            })
        })?;
        xml.value("IsSoloed", false)?;
        xml.within("MixerDevice", |xml| {
            head(xml, "", true)?;
            xml.automatable("Speaker", true, None)?;
            xml.automatable("Volume", 1, Some((0.0, 1.995_262_38)))
        })
    })
}

/// A Max device, named after its file.
pub(super) fn max_device(xml: &mut Xml<'_>, id: usize, random: &mut Rng) -> io::Result<()> {
    xml.element("MxDeviceAudioEffect", &[("Id", &id)], |xml| {
        head(xml, "", true)?;
        let reference = if xml.is_since(Version::Live12) { "MxPatchRef" } else { "MxDPatchRef" };
        xml.within("PatchSlot", |xml| {
            xml.within("Value", |xml| {
                xml.element(reference, &[("Id", &0)], |xml| {
                    xml.file_ref(&["Presets", "Max Audio Effect"], "Wobble & Co.amxd")
                })
            })
        })?;
        xml.within("ParameterList", |xml| {
            xml.within("ParameterList", |xml| {
                xml.element("MxDFloatParameter", &[("Id", &0)], |xml| {
                    xml.value("Name", "Depth")?;
                    xml.automatable("Timeable", share(random), Some((0.0, 1.0)))
                })
            })
        })
    })
}

/// A plug-in with two named parameters and an unused one.
pub(super) fn plug_in(
    xml: &mut Xml<'_>,
    id: usize,
    kind: usize,
    random: &mut Rng,
) -> io::Result<()> {
    let (class, info, name) = match kind % 3 {
        0 => ("AuPluginDevice", "AuPluginInfo", "Name"),
        1 => ("PluginDevice", "VstPluginInfo", "PlugName"),
        _ => ("PluginDevice", "Vst3PluginInfo", "Name"),
    };
    xml.element(class, &[("Id", &id)], |xml| {
        head(xml, "", true)?;
        xml.within("PluginDesc", |xml| {
            xml.element(info, &[("Id", &0)], |xml| {
                xml.value("WinPosX", 100)?;
                xml.value(name, format!("Synth & Co {kind}"))
            })
        })?;
        xml.within("ParameterList", |xml| {
            for (number, name) in ["Cutoff \"A\"", "Mix", ""].into_iter().enumerate() {
                xml.element("PluginFloatParameter", &[("Id", &number)], |xml| {
                    xml.value("ParameterName", name)?;
                    xml.value("ParameterId", number)?;
                    xml.value("VisualIndex", number)?;
                    xml.automatable("ParameterValue", share(random), Some((0.0, 1.0)))
                })?;
            }
            Ok(())
        })
    })
}
