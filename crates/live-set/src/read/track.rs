//! Reading a track: its chain, its mixer, its slots.

use super::document::Document;
use super::value::set;
use super::{clip, device};
use crate::error::ReadError;
use crate::tree::{ClipSlot, Mixer, SiblingKeys, Track};

/// Reads a track; gives the tempo, which only the main track's mixer has.
pub(super) fn track(
    document: &mut Document<'_>,
    track: &mut Track,
) -> Result<Option<f64>, ReadError> {
    document.keep(size_of::<Track>() + 2 * super::ID_BYTES)?;
    let level = document.level();
    let mut tempo = None;
    while document.next_child(level)? {
        match document.name() {
            "Name" => track.name = name(document)?,
            "Color" => set(&mut track.color, document.whole()?),
            "Freeze" => set(&mut track.is_frozen, document.flag()?),
            "DeviceChain" => tempo = chain(document, track)?,
            _ => {}
        }
    }
    Ok(tempo)
}

/// What Live shows, else what the user typed: an old set may have only that.
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

/// The outer chain. `FreezeSequencer` has a slot list too, which holds what freezing rendered: it
/// is not the session's, and is passed over.
fn chain(document: &mut Document<'_>, track: &mut Track) -> Result<Option<f64>, ReadError> {
    let level = document.level();
    let mut tempo = None;
    while document.next_child(level)? {
        match document.name() {
            "Mixer" => tempo = mixer(document, &mut track.mixer)?,
            "MainSequencer" => sequencer(document, track)?,
            "DeviceChain" => devices(document, track)?,
            _ => {}
        }
    }
    Ok(tempo)
}

fn mixer(document: &mut Document<'_>, mixer: &mut Mixer) -> Result<Option<f64>, ReadError> {
    let level = document.level();
    let mut tempo = None;
    while document.next_child(level)? {
        match document.name() {
            "Volume" => set(&mut mixer.volume, document.manual(Document::number)?),
            "Pan" => set(&mut mixer.pan, document.manual(Document::number)?),
            // The speaker is on where the track is not muted.
            "Speaker" => {
                set(&mut mixer.is_muted, document.manual(Document::flag)?.map(|is_on| !is_on))
            }
            "SoloSink" => set(&mut mixer.is_soloed, document.flag()?),
            "CrossFadeState" => set(&mut mixer.crossfader, document.manual(Document::whole)?),
            "Sends" => sends(document, &mut mixer.sends)?,
            "Tempo" => tempo = document.manual(Document::number)?,
            _ => {}
        }
    }
    Ok(tempo)
}

fn sends(document: &mut Document<'_>, sends: &mut Vec<f64>) -> Result<(), ReadError> {
    let level = document.level();
    while document.next_child(level)? {
        if document.name() != "TrackSendHolder" {
            continue;
        }
        let mut gain = 0.0;
        let holder = document.level();
        while document.next_child(holder)? {
            if document.name() == "Send" {
                set(&mut gain, document.manual(Document::number)?);
            }
        }
        sends.push(gain);
        document.keep(size_of::<f64>())?;
        document.within("sends of one mixer", sends.len(), document.limits.sends)?;
    }
    Ok(())
}

fn devices(document: &mut Document<'_>, track: &mut Track) -> Result<(), ReadError> {
    let level = document.level();
    while document.next_child(level)? {
        if document.name() == "Devices" {
            device::devices(document, &track.id, &mut track.devices)?;
        }
    }
    Ok(())
}

fn sequencer(document: &mut Document<'_>, track: &mut Track) -> Result<(), ReadError> {
    let level = document.level();
    while document.next_child(level)? {
        match document.name() {
            "ClipSlotList" => slots(document, track)?,
            "Recorder" => recorder(document, &mut track.is_armed)?,
            _ => {}
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

fn slots(document: &mut Document<'_>, track: &mut Track) -> Result<(), ReadError> {
    let level = document.level();
    let mut keys = SiblingKeys::default();
    track.slots.clear();
    while document.next_child(level)? {
        if document.name() != "ClipSlot" {
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

/// The outer slot has the stop button; the clip is in the slot inside it, in a `Value`.
fn read_slot(document: &mut Document<'_>, slot: &mut ClipSlot) -> Result<(), ReadError> {
    document.keep(size_of::<ClipSlot>() + super::ID_BYTES)?;
    let level = document.level();
    while document.next_child(level)? {
        match document.name() {
            "HasStop" => set(&mut slot.has_stop_button, document.flag()?),
            "ClipSlot" => {
                let inner = document.level();
                while document.next_child(inner)? {
                    if document.name() == "Value" {
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
