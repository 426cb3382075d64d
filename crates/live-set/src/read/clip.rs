//! Reading clips.

use super::document::Document;
use super::file_ref::referred;
use super::value::set;
use crate::error::ReadError;
use crate::tree::{Clip, ClipContent, NodeId, SiblingKeys};

/// Reads the `Value` of an inner slot: a clip or nothing.
pub(super) fn slot_value(
    document: &mut Document<'_>,
    slot: &NodeId,
) -> Result<Option<Clip>, ReadError> {
    let level = document.level();
    let mut clip = None;
    while document.next_child(level)? {
        let Some(content) = content(document.name()) else { continue };
        if clip.is_none() {
            let key = SiblingKeys::default().next(document.file_id()?);
            clip = Some(read_clip(document, Clip::new(slot.child("clip", key), content))?);
        }
    }
    Ok(clip)
}

/// Reads the clips of `Events`, in the arrangement or in a take lane. The kind at the start of
/// their ids says which, and their type.
pub(super) fn events(
    document: &mut Document<'_>,
    (track, kind): (&NodeId, &str),
    clips: &mut Vec<Clip>,
) -> Result<(), ReadError> {
    let level = document.level();
    let mut keys = SiblingKeys::default();
    while document.next_child(level)? {
        let Some(content) = content(document.name()) else { continue };
        let key = keys.next(document.file_id()?);
        let id = track.child(&format!("{kind}.{}", content.clip_type()), key);
        clips.push(read_clip(document, Clip::new(id, content))?);
    }
    Ok(())
}

/// The content type of a clip, by the name of its element.
fn content(element: &str) -> Option<ClipContent> {
    match element {
        "MidiClip" => Some(ClipContent::Midi { note_count: 0 }),
        "AudioClip" => Some(ClipContent::Audio { sample_name: String::new() }),
        _ => None,
    }
}

fn read_clip(document: &mut Document<'_>, mut clip: Clip) -> Result<Clip, ReadError> {
    document.keep(size_of::<Clip>() + super::ID_BYTES)?;
    let outer = document.file_refs.enter(&clip.id);
    let level = document.level();
    while document.next_child(level)? {
        match document.name() {
            "Name" => set(&mut clip.name, document.text()?),
            "CurrentStart" => set(&mut clip.start_time, document.number()?),
            "CurrentEnd" => set(&mut clip.end_time, document.number()?),
            "Color" | "ColorIndex" => set(&mut clip.color, document.whole()?),
            "Disabled" => set(&mut clip.is_muted, document.flag()?),
            "Loop" => read_loop(document, &mut clip)?,
            "Notes" => {
                if let ClipContent::Midi { note_count } = &mut clip.content {
                    *note_count = notes(document)?;
                }
            }
            "SampleRef" => {
                if let ClipContent::Audio { sample_name } = &mut clip.content {
                    set(sample_name, referred(document)?);
                }
            }
            _ => {}
        }
    }
    document.file_refs.leave(outer);
    Ok(clip)
}

fn read_loop(document: &mut Document<'_>, clip: &mut Clip) -> Result<(), ReadError> {
    let level = document.level();
    while document.next_child(level)? {
        match document.name() {
            "LoopStart" => set(&mut clip.loop_start, document.number()?),
            "LoopEnd" => set(&mut clip.loop_end, document.number()?),
            "LoopOn" => set(&mut clip.is_looped, document.flag()?),
            _ => {}
        }
    }
    Ok(())
}

/// Counts `Notes/KeyTracks/KeyTrack/Notes/MidiNoteEvent`.
fn notes(document: &mut Document<'_>) -> Result<usize, ReadError> {
    const PATH: [&str; 4] = ["KeyTracks", "KeyTrack", "Notes", "MidiNoteEvent"];
    fn count(document: &mut Document<'_>, path: &[&str]) -> Result<usize, ReadError> {
        let Some((first, rest)) = path.split_first() else { return Ok(1) };
        let level = document.level();
        let mut notes = 0;
        while document.next_child(level)? {
            if document.name() == *first {
                notes += count(document, rest)?;
            }
        }
        Ok(notes)
    }
    count(document, &PATH)
}
