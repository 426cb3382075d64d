//! The root element, the scenes, and their surroundings.

use std::io::{self, Write};

use fastrand::Rng;

use super::clip::Clip;
use super::xml::Xml;
use super::{Spec, Version};

/// Greater than any id in a document: the next one that Live would use.
const NEXT_POINTEE: u32 = 1 << 30;
/// Live's number for 4/4.
pub(super) const FOUR_FOUR: u32 = 201;

/// A document being written.
pub(super) struct Document<'a> {
    pub(super) spec: &'a Spec,
    pub(super) xml: Xml<'a>,
    pub(super) random: Rng,
}

impl<'a> Document<'a> {
    pub(super) fn new(spec: &'a Spec, out: &'a mut dyn Write) -> Self {
        Self { spec, xml: Xml::new(out, spec.version), random: Rng::with_seed(spec.seed) }
    }

    pub(super) fn write(mut self) -> io::Result<()> {
        let (minor, changes, creator) = match self.spec.version {
            Version::Live9 => ("9.7_365", 3, "Ableton Live 9.7.7"),
            Version::Live10 => ("10.0_377", 5, "Ableton Live 10.1.43"),
            Version::Live11 => ("11.0_11300", 7, "Ableton Live 11.3.35"),
            Version::Live12 => ("12.0_12117", 10, "Ableton Live 12.1"),
        };
        let Self { spec, xml, random } = &mut self;
        xml.declaration()?;
        let revision = format!("{:040x}", spec.seed);
        xml.element(
            "Ableton",
            &[
                ("MajorVersion", &if spec.version == Version::Live9 { 4 } else { 5 }),
                ("MinorVersion", &minor),
                ("SchemaChangeCount", &changes),
                ("Creator", &creator),
                ("Revision", &revision),
            ],
            |xml| xml.within("LiveSet", |xml| live_set(xml, spec, random)),
        )
    }
}

fn live_set(xml: &mut Xml<'_>, spec: &Spec, random: &mut Rng) -> io::Result<()> {
    xml.value("NextPointeeId", NEXT_POINTEE)?;
    xml.value("OverwriteProtectionNumber", 3_072)?;
    lom_ids(xml)?;
    super::track::tracks(xml, spec, random)?;
    xml.within("SendsPre", |xml| {
        (0..spec.returns)
            .try_for_each(|send| xml.empty("SendPreBool", &[("Id", &send), ("Value", &false)]))
    })?;
    let list = if xml.is_since(Version::Live11) { "Scenes" } else { "SceneNames" };
    xml.within(list, |xml| (0..spec.scenes).try_for_each(|row| scene(xml, spec, row)))?;
    transport(xml)?;
    xml.within("Locators", |xml| locators(xml, spec.locators))?;
    xml.within("GroovePool", groove_pool)?;
    xml.value("AutomationMode", false)?;
    xml.value("ViewData", "{}")
}

pub(super) fn lom_ids(xml: &mut Xml<'_>) -> io::Result<()> {
    xml.value("LomId", 0)?;
    xml.value("LomIdView", 0)
}

/// Every fourth scene has a name.
fn scene(xml: &mut Xml<'_>, spec: &Spec, row: usize) -> io::Result<()> {
    let name = if row.is_multiple_of(4) {
        format!("Verse & Chorus {}", row / 4 + 1)
    } else {
        String::new()
    };
    if !xml.is_since(Version::Live11) {
        return scene_name(xml, row, &name);
    }
    xml.element("Scene", &[("Id", &row)], |xml| {
        xml.within("FollowAction", follow_action)?;
        xml.value("Name", name)?;
        xml.value("Annotation", "")?;
        xml.color(if row % 3 == 1 { 7 } else { -1 })?;
        xml.value("Tempo", spec.tempo)?;
        xml.value("IsTempoEnabled", row.is_multiple_of(8))?;
        xml.value("TimeSignatureId", FOUR_FOUR)?;
        xml.value("IsTimeSignatureEnabled", false)?;
        xml.value("LomId", 0)?;
        xml.empty("ClipSlotsListWrapper", &[("LomId", &0)])
    })
}

/// Up to Live 10. A scene without a name has its number, after a space.
fn scene_name(xml: &mut Xml<'_>, row: usize, name: &str) -> io::Result<()> {
    let number = format!(" {}", row + 1);
    let value: &str = if name.is_empty() { &number } else { name };
    if xml.is_since(Version::Live10) {
        return xml.empty("Scene", &[("Id", &row), ("Value", &value)]);
    }
    xml.empty("Scene", &[("Value", &value)])
}

pub(super) fn follow_action(xml: &mut Xml<'_>) -> io::Result<()> {
    xml.value("FollowTime", 4)?;
    xml.value("IsLinked", true)?;
    xml.value("LoopIterations", 1)?;
    xml.value("FollowActionA", 4)?;
    xml.value("FollowActionB", 0)?;
    xml.value("FollowActionEnabled", false)
}

fn transport(xml: &mut Xml<'_>) -> io::Result<()> {
    xml.within("Transport", |xml| {
        xml.value("PhaseNudgeTempo", 10)?;
        xml.value("LoopOn", false)?;
        xml.value("LoopStart", 8)?;
        xml.value("LoopLength", 16)?;
        xml.value("CurrentTime", 0)
    })
}

/// Every third locator has no name.
fn locators(xml: &mut Xml<'_>, locators: usize) -> io::Result<()> {
    if locators == 0 {
        return xml.empty("Locators", &[]);
    }
    xml.within("Locators", |xml| {
        (0..locators).try_for_each(|number| {
            xml.element("Locator", &[("Id", &number)], |xml| {
                xml.value("LomId", 0)?;
                xml.value("Time", number as f64 * 16.5)?;
                let name = if number % 3 == 2 { "" } else { "Drop & go" };
                xml.value("Name", name)?;
                xml.value("Annotation", "")?;
                xml.value("IsSongStart", false)
            })
        })
    })
}

/// A groove holds a MIDI clip that does not belong to the set.
fn groove_pool(xml: &mut Xml<'_>) -> io::Result<()> {
    let mut random = Rng::with_seed(0);
    xml.value("LomId", 0)?;
    xml.within("Grooves", |xml| {
        xml.element("Groove", &[("Id", &4)], |xml| {
            xml.value("LomId", 0)?;
            xml.value("Name", "Swing 16ths 66")?;
            xml.within("Clip", |xml| {
                xml.within("Value", |xml| {
                    Clip::in_slot("Swing 16ths 66").midi(xml, 16, &mut random)
                })
            })?;
            xml.value("Grid", 3)
        })
    })?;
    xml.value("DefaultGrooveId", 4)
}
