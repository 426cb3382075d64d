//! Reads a track: its chain, its mixer, its slots.

use super::document::Document;
use super::value::set;
use super::{clip, device};
use crate::error::ReadError;
use crate::tree::{Clip, ClipSlot, Mixer, NodeId, SiblingKeys, Track};

/// What only the main track's mixer has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Song {
    pub(super) tempo: Option<f64>,
    pub(super) time_signature_id: Option<i32>,
}

/// Reads a track.
pub(super) fn track(document: &mut Document<'_>, track: &mut Track) -> Result<Song, ReadError> {
    document.keep(size_of::<Track>() + 2 * super::ID_BYTES)?;
    let outer = document.file_refs.enter(&track.id);
    let level = document.level();
    let mut song = Song::default();
    let mut takes = Vec::new();
    while document.next_child(level)? {
        match document.name() {
            "Name" => track.name = name(document)?,
            "Color" | "ColorIndex" => set(&mut track.color, document.whole()?),
            "Freeze" => set(&mut track.is_frozen, document.flag()?),
            "TrackGroupId" => set(&mut track.group_id, document.whole()?),
            "TakeLanes" => take_lanes(document, &track.id, &mut takes)?,
            // The slots of a group, which have no content of their own.
            "Slots" if track.slots.is_empty() => slots(document, track, "GroupTrackSlot")?,
            "DeviceChain" => chain(document, track, &mut song)?,
            _ => {}
        }
    }
    track.arrangement.append(&mut takes);
    // The set stays in memory for hours, and lists have grown by doubling.
    track.devices.shrink_to_fit();
    track.slots.shrink_to_fit();
    track.arrangement.shrink_to_fit();
    document.file_refs.leave(outer);
    Ok(song)
}

/// The name that Live shows, or else the one that the user typed: an old set may have only that.
fn name(document: &mut Document<'_>) -> Result<String, ReadError> {
    let level = document.level();
    let (mut effective, mut user) = (None, None);
    while document.next_child(level)? {
        match document.name() {
            "EffectiveName" => effective = document.text()?,
            "UserName" => user = document.text()?,
            _ => {}
        }
    }
    Ok(effective.filter(|name| !name.is_empty()).or(user).unwrap_or_default())
}

/// The outer chain. `FreezeSequencer` also has a slot list, with frozen audio: it does not belong
/// to the session, and is skipped.
fn chain(document: &mut Document<'_>, track: &mut Track, song: &mut Song) -> Result<(), ReadError> {
    let level = document.level();
    while document.next_child(level)? {
        match document.name() {
            "Mixer" => mixer(document, &mut track.mixer, song)?,
            "MainSequencer" => sequencer(document, track)?,
            "DeviceChain" => devices(document, track)?,
            _ => {}
        }
    }
    Ok(())
}

fn mixer(document: &mut Document<'_>, mixer: &mut Mixer, song: &mut Song) -> Result<(), ReadError> {
    let level = document.level();
    while document.next_child(level)? {
        match document.name() {
            "Volume" => set(&mut mixer.volume, document.manual(Document::number)?),
            "Pan" => set(&mut mixer.pan, document.manual(Document::number)?),
            // The speaker is on if the track is not muted.
            "Speaker" => {
                set(&mut mixer.is_muted, document.manual(Document::flag)?.map(|is_on| !is_on))
            }
            "SoloSink" => set(&mut mixer.is_soloed, document.flag()?),
            "CrossFadeState" => set(&mut mixer.crossfader, document.manual(Document::whole)?),
            "Sends" => sends(document, mixer)?,
            "Tempo" => song.tempo = document.manual(Document::number)?,
            "TimeSignature" => song.time_signature_id = document.manual(Document::whole)?,
            _ => {}
        }
    }
    Ok(())
}

fn sends(document: &mut Document<'_>, mixer: &mut Mixer) -> Result<(), ReadError> {
    let level = document.level();
    while document.next_child(level)? {
        if document.name() != "TrackSendHolder" {
            continue;
        }
        let (mut gain, mut is_enabled) = (0.0, true);
        let holder = document.level();
        while document.next_child(holder)? {
            match document.name() {
                "Send" => set(&mut gain, document.manual(Document::number)?),
                // `Active` up to Live 11.
                "EnabledByUser" | "Active" => set(&mut is_enabled, document.flag()?),
                _ => {}
            }
        }
        mixer.sends.push(gain);
        mixer.sends_enabled.push(is_enabled);
        document.keep(size_of::<f64>() + size_of::<bool>())?;
        document.within("sends of one mixer", mixer.sends.len(), document.limits.sends)?;
    }
    Ok(())
}

fn devices(document: &mut Document<'_>, track: &mut Track) -> Result<(), ReadError> {
    let level = document.level();
    while document.next_child(level)? {
        // The first, if there are more: ids are unique in a list.
        if document.name() == "Devices" && track.devices.is_empty() {
            device::devices(document, track)?;
        }
    }
    Ok(())
}

fn sequencer(document: &mut Document<'_>, track: &mut Track) -> Result<(), ReadError> {
    let level = document.level();
    while document.next_child(level)? {
        match document.name() {
            "ClipSlotList" if track.slots.is_empty() => slots(document, track, "ClipSlot")?,
            "ClipTimeable" | "Sample" => arrangement(document, track)?,
            "Recorder" => recorder(document, &mut track.is_armed)?,
            _ => {}
        }
    }
    Ok(())
}

/// The clips of the arrangement are in `ArrangerAutomation/Events`.
fn arrangement(document: &mut Document<'_>, track: &mut Track) -> Result<(), ReadError> {
    let level = document.level();
    while document.next_child(level)? {
        if document.name() == "ArrangerAutomation" && track.arrangement.is_empty() {
            let owner = (&track.id, "arrangement");
            events(document, owner, &mut track.arrangement)?;
        }
    }
    Ok(())
}

fn events(
    document: &mut Document<'_>,
    owner: (&NodeId, &str),
    clips: &mut Vec<Clip>,
) -> Result<(), ReadError> {
    let mut is_read = false;
    let level = document.level();
    while document.next_child(level)? {
        if document.name() == "Events" && !is_read {
            is_read = true;
            clip::events(document, owner, clips)?;
        }
    }
    Ok(())
}

/// The clips of the take lanes: `TakeLanes/TakeLane/ClipAutomation/Events`.
fn take_lanes(
    document: &mut Document<'_>,
    track: &NodeId,
    clips: &mut Vec<Clip>,
) -> Result<(), ReadError> {
    let level = document.level();
    let mut keys = SiblingKeys::default();
    while document.next_child(level)? {
        if document.name() != "TakeLanes" || !clips.is_empty() {
            continue;
        }
        let lanes = document.level();
        while document.next_child(lanes)? {
            if document.name() != "TakeLane" {
                continue;
            }
            let kind = format!("take:{}", keys.next(document.file_id()?));
            let lane = document.level();
            let mut is_read = false;
            while document.next_child(lane)? {
                if document.name() == "ClipAutomation" && !is_read {
                    is_read = true;
                    events(document, (track, &kind), clips)?;
                }
            }
        }
    }
    Ok(())
}

fn recorder(document: &mut Document<'_>, is_armed: &mut bool) -> Result<(), ReadError> {
    let level = document.level();
    while document.next_child(level)? {
        if document.name() == "IsArmed" {
            set(is_armed, document.flag()?);
        }
    }
    Ok(())
}

fn slots(document: &mut Document<'_>, track: &mut Track, element: &str) -> Result<(), ReadError> {
    let level = document.level();
    let mut keys = SiblingKeys::default();
    while document.next_child(level)? {
        if document.name() != element {
            continue;
        }
        let id = track.id.child("slot", keys.next(document.file_id()?));
        let mut slot = ClipSlot::new(id, track.index, track.slots.len());
        read_slot(document, &mut slot)?;
        track.slots.push(slot);
        document.within("slots of one track", track.slots.len(), document.limits.scenes)?;
    }
    Ok(())
}

/// The outer slot has the stop button; the clip is in the inner slot, in a `Value`.
fn read_slot(document: &mut Document<'_>, slot: &mut ClipSlot) -> Result<(), ReadError> {
    document.keep(size_of::<ClipSlot>() + super::ID_BYTES)?;
    let level = document.level();
    while document.next_child(level)? {
        match document.name() {
            "HasStop" => set(&mut slot.has_stop_button, document.flag()?),
            "ClipSlot" => {
                let inner = document.level();
                while document.next_child(inner)? {
                    if document.name() == "Value" && slot.clip.is_none() {
                        slot.clip = clip::slot_value(document, &slot.id)?.map(Box::new);
                    }
                }
            }
            _ => {}
        }
    }
    slot.has_clip = slot.clip.is_some();
    Ok(())
}
