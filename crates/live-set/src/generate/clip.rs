//! Clips.

use std::io;

use fastrand::Rng;

use super::Version;
use super::document::{follow_action, lom_ids};
use super::xml::Xml;

/// How long a clip is, in beats.
const BEATS: f64 = 16.0;

/// A clip being written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clip<'a> {
    /// A slot holds only one.
    pub(super) id: usize,
    /// Its start in the arrangement; 0 in a slot.
    pub(super) time: usize,
    pub(super) name: &'a str,
}

impl<'a> Clip<'a> {
    pub(super) const fn in_slot(name: &'a str) -> Self {
        Self { id: 0, time: 0, name }
    }

    pub(super) fn midi(self, xml: &mut Xml<'_>, notes: usize, random: &mut Rng) -> io::Result<()> {
        self.element(xml, "MidiClip", |xml| {
            self.common(xml, random)?;
            xml.within("Notes", |xml| {
                xml.within("KeyTracks", |xml| key_tracks(xml, notes))?;
                xml.within("PerNoteEventStore", |xml| xml.empty("EventLists", &[]))?;
                xml.within("NoteIdGenerator", |xml| xml.value("NextId", notes + 1))
            })?;
            xml.value("BankSelectCoarse", -1)
        })
    }

    pub(super) fn audio(self, xml: &mut Xml<'_>, sample: &str, random: &mut Rng) -> io::Result<()> {
        self.element(xml, "AudioClip", |xml| {
            self.common(xml, random)?;
            xml.within("SampleRef", |xml| {
                xml.file_ref(&["Samples", "Recorded"], sample)?;
                xml.value("DefaultDuration", 352_800)?;
                xml.value("DefaultSampleRate", 44_100)
            })?;
            xml.value("WarpMode", 0)
        })
    }

    fn element(
        self,
        xml: &mut Xml<'_>,
        name: &str,
        inside: impl FnOnce(&mut Xml<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        if xml.is_since(Version::Live10) {
            return xml.element(name, &[("Id", &self.id), ("Time", &self.time)], inside);
        }
        xml.element(name, &[("Time", &self.time)], inside)
    }

    fn common(self, xml: &mut Xml<'_>, random: &mut Rng) -> io::Result<()> {
        lom_ids(xml)?;
        xml.value("CurrentStart", self.time)?;
        xml.value("CurrentEnd", self.time as f64 + BEATS)?;
        xml.within("Loop", |xml| {
            xml.value("LoopStart", 0)?;
            xml.value("LoopEnd", BEATS)?;
            xml.value("StartRelative", 0)?;
            xml.value("LoopOn", random.usize(..4) > 0)?;
            xml.value("OutMarker", BEATS)?;
            xml.value("HiddenLoopStart", 0)?;
            xml.value("HiddenLoopEnd", BEATS)
        })?;
        xml.value("Name", self.name)?;
        xml.value("Annotation", "")?;
        xml.color(random.usize(..70))?;
        xml.value("LaunchMode", 0)?;
        xml.value("Disabled", random.usize(..16) == 0)?;
        xml.within("FollowAction", follow_action)?;
        xml.value("IsWarped", true)
    }
}

/// Up to four notes per key, from C1 upwards, cycling through the keys.
fn key_tracks(xml: &mut Xml<'_>, notes: usize) -> io::Result<()> {
    for (key, first) in (0..notes).step_by(4).enumerate() {
        xml.element("KeyTrack", &[("Id", &key)], |xml| {
            xml.within("Notes", |xml| {
                (first..notes.min(first + 4)).try_for_each(|note| note_event(xml, note))
            })?;
            xml.value("MidiKey", 36 + key % 64)
        })?;
    }
    Ok(())
}

fn note_event(xml: &mut Xml<'_>, note: usize) -> io::Result<()> {
    let time = note as f64 * 0.25;
    xml.empty(
        "MidiNoteEvent",
        &[
            ("Time", &time),
            ("Duration", &0.25),
            ("Velocity", &100),
            ("VelocityDeviation", &0),
            ("OffVelocity", &64),
            ("Probability", &1),
            ("IsEnabled", &true),
            ("NoteId", &(note + 1)),
        ],
    )
}
