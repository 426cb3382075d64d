//! Tracks: their chains, mixers and slots.

use std::io;

use fastrand::Rng;

use super::clip::Clip;
use super::document::{FOUR_FOUR, lom_ids};
use super::random::{choose, share};
use super::xml::{Attributes, Xml};
use super::{Spec, Version, device};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Midi,
    Audio,
    Group,
    Return,
    Main,
    PreHear,
}

/// A track being written.
struct Track<'a> {
    spec: &'a Spec,
    kind: Kind,
    name: String,
    /// Live numbers tracks and groups from about 12 and returns from 2; here they share one
    /// sequence.
    id: usize,
    group: Option<usize>,
}

/// All tracks, the main track and the pre-hear track.
pub(super) fn tracks(xml: &mut Xml<'_>, spec: &Spec, random: &mut Rng) -> io::Result<()> {
    let mut id = 1;
    let mut next = |kind, name: String, group| {
        id += 1;
        Track { spec, kind, name, id, group }
    };
    xml.within("Tracks", |xml| {
        let mut group = None;
        let mut groups = 0;
        for number in 0..spec.tracks {
            // Spread evenly: group g stands before track g * tracks / groups.
            while groups < spec.groups && number * spec.groups >= groups * spec.tracks {
                let track = next(Kind::Group, format!("Group {}", groups + 1), None);
                track.write(xml, random)?;
                group = Some(track.id);
                groups += 1;
            }
            let (kind, what) =
                if number % 2 == 0 { (Kind::Midi, "MIDI") } else { (Kind::Audio, "Audio") };
            let name = if number % 5 == 4 {
                format!("Drums & <Bass> \"{}\"", number + 1)
            } else {
                format!("{}-{what}", number + 1)
            };
            next(kind, name, group).write(xml, random)?;
        }
        for number in 0..spec.returns {
            let letter = char::from(b'A' + (number % 26) as u8);
            next(Kind::Return, format!("{letter}-Return"), None).write(xml, random)?;
        }
        Ok(())
    })?;
    let main = match spec.version {
        Version::Live12 => "Main",
        _ => "Master",
    };
    next(Kind::Main, main.to_owned(), None).write(xml, random)?;
    next(Kind::PreHear, "Master".to_owned(), None).write(xml, random)
}

impl Track<'_> {
    fn write(&self, xml: &mut Xml<'_>, random: &mut Rng) -> io::Result<()> {
        let element = match (self.kind, self.spec.version) {
            (Kind::Midi, _) => "MidiTrack",
            (Kind::Audio, _) => "AudioTrack",
            (Kind::Group, _) => "GroupTrack",
            (Kind::Return, _) => "ReturnTrack",
            (Kind::Main, Version::Live12) => "MainTrack",
            (Kind::Main, _) => "MasterTrack",
            (Kind::PreHear, _) => "PreHearTrack",
        };
        let mut attributes: Vec<(&str, &dyn std::fmt::Display)> = Vec::new();
        if !matches!(self.kind, Kind::Main | Kind::PreHear) {
            attributes.push(("Id", &self.id));
        }
        if self.spec.version == Version::Live12 {
            attributes.push(("SelectedToolPanel", &7));
        }
        self.body(xml, element, &attributes, random)
    }

    fn body(
        &self,
        xml: &mut Xml<'_>,
        element: &str,
        attributes: Attributes<'_>,
        random: &mut Rng,
    ) -> io::Result<()> {
        let is_main = matches!(self.kind, Kind::Main | Kind::PreHear);
        let user_name = if self.name.starts_with("Drums") { self.name.as_str() } else { "" };
        xml.element(element, attributes, |xml| {
            lom_ids(xml)?;
            xml.within("Name", |xml| {
                xml.value("EffectiveName", &self.name)?;
                xml.value("UserName", user_name)?;
                xml.value("Annotation", "")
            })?;
            xml.color(random.usize(..70))?;
            xml.within("AutomationEnvelopes", |xml| xml.empty("Envelopes", &[]))?;
            match self.group {
                Some(group) => xml.value("TrackGroupId", group)?,
                None => xml.value("TrackGroupId", -1)?,
            }
            xml.empty("DevicesListWrapper", &[("LomId", &0)])?;
            if xml.is_since(Version::Live11) {
                self.take_lanes(xml, random)?;
            }
            if self.kind == Kind::Group {
                group_slots(xml, self.spec.scenes)?;
            }
            if !is_main {
                xml.value("Freeze", self.is_frozen())?;
            }
            xml.within("DeviceChain", |xml| self.chain(xml, random))
        })
    }

    fn is_frozen(&self) -> bool {
        matches!(self.kind, Kind::Midi | Kind::Audio) && self.id.is_multiple_of(7)
    }

    /// Live writes the mixer, the sequencers of a MIDI or audio track, then the inner chain; other
    /// tracks have the inner chain before their only sequencer.
    fn chain(&self, xml: &mut Xml<'_>, random: &mut Rng) -> io::Result<()> {
        xml.within("Mixer", |xml| self.mixer(xml, random))?;
        match self.kind {
            Kind::Midi | Kind::Audio => {
                xml.within("MainSequencer", |xml| self.main_sequencer(xml, random))?;
                xml.within("FreezeSequencer", |xml| self.freeze_sequencer(xml, random))?;
                device::chain(xml, self.spec, random)
            }
            Kind::Group | Kind::Return => {
                device::chain(xml, self.spec, random)?;
                xml.within("FreezeSequencer", |xml| self.freeze_sequencer(xml, random))
            }
            Kind::Main => {
                xml.within("FreezeSequencer", |xml| {
                    xml.element("AudioSequencer", &[("Id", &0)], |xml| {
                        self.freeze_sequencer(xml, random)
                    })
                })?;
                device::empty_chain(xml)
            }
            Kind::PreHear => device::empty_chain(xml),
        }
    }

    fn mixer(&self, xml: &mut Xml<'_>, random: &mut Rng) -> io::Result<()> {
        device::head(xml, "", true)?;
        let sends = match self.kind {
            Kind::Main | Kind::PreHear => 0,
            _ => self.spec.returns,
        };
        xml.within("Sends", |xml| (0..sends).try_for_each(|id| send(xml, id, random)))?;
        xml.automatable("Speaker", random.usize(..10) > 0, None)?;
        xml.value("SoloSink", random.usize(..20) == 0)?;
        xml.value("PanMode", 0)?;
        xml.automatable("Pan", share(random) * 2.0 - 1.0, Some((-1.0, 1.0)))?;
        xml.automatable("Volume", share(random), Some((0.000_316_227_757_1, 1.995_262_38)))?;
        xml.value("ViewStateSessionTrackWidth", 93)?;
        xml.automatable("CrossFadeState", random.usize(..3), None)?;
        xml.empty("SendsListWrapper", &[("LomId", &0)])?;
        if self.kind == Kind::Main {
            xml.automatable("Tempo", self.spec.tempo, Some((60.0, 200.0)))?;
            xml.automatable("TimeSignature", FOUR_FOUR, None)?;
        }
        Ok(())
    }

    fn main_sequencer(&self, xml: &mut Xml<'_>, random: &mut Rng) -> io::Result<()> {
        device::head(xml, "", true)?;
        let holds_clip = choose(random, self.spec.clips, self.spec.scenes);
        xml.within("ClipSlotList", |xml| {
            for (row, holds_clip) in holds_clip.into_iter().enumerate() {
                let has_stop = random.usize(..16) > 0;
                slot(xml, row, has_stop, |xml| {
                    if holds_clip { self.clip(xml, row, random) } else { Ok(()) }
                })?;
            }
            Ok(())
        })?;
        xml.value("MonitoringEnum", 1)?;
        match self.kind {
            Kind::Midi => xml.within("ClipTimeable", |xml| self.arrangement(xml, random))?,
            _ => xml.within("Sample", |xml| self.arrangement(xml, random))?,
        }
        xml.within("Recorder", |xml| {
            xml.value("IsArmed", self.id.is_multiple_of(11))?;
            xml.value("TakeCounter", 1)
        })
    }

    /// A frozen track has its rendered audio here: clips that are not part of the session.
    fn freeze_sequencer(&self, xml: &mut Xml<'_>, random: &mut Rng) -> io::Result<()> {
        device::head(xml, "", true)?;
        if matches!(self.kind, Kind::Midi | Kind::Audio) && self.spec.scenes > 0 {
            xml.within("ClipSlotList", |xml| {
                (0..self.spec.scenes).try_for_each(|row| {
                    slot(xml, row, true, |xml| match row {
                        0 if self.is_frozen() => {
                            Clip::in_slot("Freeze").audio(xml, "Freeze.wav", random)
                        }
                        _ => Ok(()),
                    })
                })
            })?;
        } else {
            xml.empty("ClipSlotList", &[])?;
        }
        xml.within("Sample", |xml| events(xml, "ArrangerAutomation", 0, |_, _| Ok(())))?;
        xml.within("Recorder", |xml| xml.value("IsArmed", false))
    }

    fn clip(&self, xml: &mut Xml<'_>, row: usize, random: &mut Rng) -> io::Result<()> {
        let name = format!("{} {}", self.name, row + 1);
        self.write_clip(xml, Clip::in_slot(&name), row, random)
    }

    fn write_clip(
        &self,
        xml: &mut Xml<'_>,
        clip: Clip<'_>,
        number: usize,
        random: &mut Rng,
    ) -> io::Result<()> {
        match self.kind {
            Kind::Midi => clip.midi(xml, self.spec.notes, random),
            _ => clip.audio(xml, &format!("{}-{}.wav", self.id, number + 1), random),
        }
    }

    /// One clip after another, with a gap between them.
    fn arrangement(&self, xml: &mut Xml<'_>, random: &mut Rng) -> io::Result<()> {
        events(xml, "ArrangerAutomation", self.spec.arrangement, |xml, number| {
            let name = format!("{} part {}", self.name, number + 1);
            let clip = Clip { id: number, time: number * 20, name: &name };
            self.write_clip(xml, clip, number, random)
        })
    }

    fn take_lanes(&self, xml: &mut Xml<'_>, random: &mut Rng) -> io::Result<()> {
        let takes = if self.has_clips() { self.spec.takes } else { 0 };
        xml.within("TakeLanes", |xml| {
            if takes == 0 {
                return xml.empty("TakeLanes", &[]);
            }
            xml.within("TakeLanes", |xml| {
                (0..takes).try_for_each(|lane| {
                    let name = format!("{} take {}", self.name, lane + 1);
                    xml.element("TakeLane", &[("Id", &lane)], |xml| {
                        events(xml, "ClipAutomation", 1, |xml, id| {
                            let clip = Clip { id, time: 8, name: &name };
                            self.write_clip(xml, clip, id, random)
                        })?;
                        xml.value("Audition", false)
                    })
                })
            })?;
            xml.value("AreTakeLanesFolded", true)
        })
    }

    const fn has_clips(&self) -> bool {
        matches!(self.kind, Kind::Midi | Kind::Audio)
    }
}

fn send(xml: &mut Xml<'_>, id: usize, random: &mut Rng) -> io::Result<()> {
    xml.element("TrackSendHolder", &[("Id", &id)], |xml| {
        xml.automatable("Send", share(random), Some((0.000_316_227_757_1, 1.0)))?;
        let flag = if xml.is_since(Version::Live12) { "EnabledByUser" } else { "Active" };
        // Looks ahead with a clone, so that the random parts of a document stay the same as without
        // this.
        xml.value(flag, random.clone().usize(..8) > 0)
    })
}

fn group_slots(xml: &mut Xml<'_>, scenes: usize) -> io::Result<()> {
    if scenes == 0 {
        return xml.empty("Slots", &[]);
    }
    xml.within("Slots", |xml| {
        (0..scenes).try_for_each(|row| {
            xml.element("GroupTrackSlot", &[("Id", &row)], |xml| xml.value("LomId", 0))
        })
    })
}

/// The outer slot has the stop button, the inner one the clip.
fn slot(
    xml: &mut Xml<'_>,
    row: usize,
    has_stop: bool,
    clip: impl FnOnce(&mut Xml<'_>) -> io::Result<()>,
) -> io::Result<()> {
    xml.element("ClipSlot", &[("Id", &row)], |xml| {
        xml.value("LomId", 0)?;
        xml.within("ClipSlot", |xml| xml.within("Value", clip))?;
        xml.value("HasStop", has_stop)?;
        xml.value("NeedRefreeze", true)
    })
}

/// Timed content: as many clips as requested.
fn events(
    xml: &mut Xml<'_>,
    element: &str,
    count: usize,
    mut write: impl FnMut(&mut Xml<'_>, usize) -> io::Result<()>,
) -> io::Result<()> {
    xml.within(element, |xml| {
        if count == 0 {
            return xml.empty("Events", &[]);
        }
        xml.within("Events", |xml| (0..count).try_for_each(|number| write(xml, number)))
    })
}
