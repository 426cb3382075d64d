//! Edits of slots and of the clips in them.

use super::set;
use crate::compare::change::{Change, Changed};
use crate::edit::Rejected;
use crate::path::Path;
use crate::set::Set;
use crate::tree::{Clip, ClipContent, ClipSlot, Key, Signal, Track};

/// The state of a slot that an event announces.
#[derive(Clone, Copy, Debug)]
pub(super) struct SlotState {
    pub(super) has_clip: bool,
    pub(super) has_stop_button: bool,
    pub(super) playing_status: i32,
}

impl SlotState {
    fn put_into(self, slot: &mut ClipSlot) -> Vec<Changed> {
        let changed = [
            set("has_clip", &mut slot.has_clip, self.has_clip),
            set("has_stop_button", &mut slot.has_stop_button, self.has_stop_button),
            set("playing_status", &mut slot.playing_status, self.playing_status),
        ];
        changed.into_iter().flatten().collect()
    }
}

impl Set {
    /// Updates a slot, or creates it. An update gives one record of type `modified`, whichever
    /// attributes changed; a clip removed by it gives a record of its own.
    pub(super) fn set_slot(
        &mut self,
        track: usize,
        scene: usize,
        state: SlotState,
    ) -> Result<Vec<Change>, Rejected> {
        let scenes = self.num_scenes();
        let owner = self.track_mut(track)?;
        if scene >= scenes {
            return Err(Rejected::NoSuchScene { scene, scenes });
        }
        match owner.slot_position(scene) {
            Ok(position) => {
                let slot = &mut owner.slots[position];
                let path = Path::ClipSlot { track, scene };
                let clip = if state.has_clip { None } else { slot.clip.take() };
                let mut records: Vec<_> = clip
                    .map(|clip| Change::removed(&*clip, Path::Clip { track, scene }, &slot.id))
                    .into_iter()
                    .collect();
                let changed = state.put_into(slot);
                records.extend(Change::modified(slot, path, changed));
                self.rehash_slot(track, position, &records);
                Ok(records)
            }
            Err(position) => {
                let key = self.next_key();
                Ok(vec![self.make_slot(track, scene, position, key, state)])
            }
        }
    }

    pub(super) fn edit_slot(
        &mut self,
        track: usize,
        scene: usize,
        edit: impl FnOnce(&mut ClipSlot) -> Option<Changed>,
    ) -> Result<Vec<Change>, Rejected> {
        let (slot, position) = self.slot_mut(track, scene)?;
        let changed = edit(slot);
        let records = Change::attribute(slot, Path::ClipSlot { track, scene }, changed);
        self.rehash_slot(track, position, &records);
        Ok(records)
    }

    pub(super) fn edit_clip(
        &mut self,
        track: usize,
        scene: usize,
        edit: impl FnOnce(&mut Clip) -> Option<Changed>,
    ) -> Result<Vec<Change>, Rejected> {
        let (slot, position) = self.slot_mut(track, scene)?;
        let clip = slot.clip.as_mut().ok_or(Rejected::NoSuchClip { track, scene })?;
        let changed = edit(clip);
        let records = Change::attribute(&**clip, Path::Clip { track, scene }, changed);
        self.rehash_slot(track, position, &records);
        Ok(records)
    }

    /// Adds a new clip, of which only the name is known; its type follows from the track's.
    pub(super) fn add_clip(
        &mut self,
        track: usize,
        scene: usize,
        name: &str,
    ) -> Result<Vec<Change>, Rejected> {
        let (_, position) = self.slot_mut(track, scene)?;
        let key = self.next_key();
        let Track { slots, signal, .. } = &mut self.project.tracks[track];
        let slot = &mut slots[position];
        let content = match signal {
            Signal::Midi => ClipContent::Midi { note_count: 0 },
            Signal::Audio => ClipContent::Audio { sample_name: String::new() },
        };
        let mut clip = Box::new(Clip::new(slot.id.child("clip", key), content));
        name.clone_into(&mut clip.name);
        clip.rehash(&mut self.hasher);
        let path = Path::Clip { track, scene };
        let mut records = Vec::new();
        if let Some(old) = slot.clip.take() {
            records.push(Change::removed(&*old, path.clone(), &slot.id));
        }
        records.push(Change::added(&*clip, path, &slot.id));
        slot.clip = Some(clip);
        let changed = set("has_clip", &mut slot.has_clip, true);
        records.extend(Change::attribute(slot, Path::ClipSlot { track, scene }, changed));
        self.rehash_slot(track, position, &records);
        Ok(records)
    }

    /// A slot may hold a clip of which nothing is known: then only `has_clip` changes.
    pub(super) fn remove_clip(
        &mut self,
        track: usize,
        scene: usize,
    ) -> Result<Vec<Change>, Rejected> {
        let (slot, position) = self.slot_mut(track, scene)?;
        if slot.clip.is_none() && !slot.has_clip {
            return Err(Rejected::NoSuchClip { track, scene });
        }
        let mut records = Vec::new();
        if let Some(clip) = slot.clip.take() {
            records.push(Change::removed(&*clip, Path::Clip { track, scene }, &slot.id));
        }
        let changed = set("has_clip", &mut slot.has_clip, false);
        records.extend(Change::attribute(slot, Path::ClipSlot { track, scene }, changed));
        self.rehash_slot(track, position, &records);
        Ok(records)
    }

    fn make_slot(
        &mut self,
        track: usize,
        scene: usize,
        position: usize,
        key: Key,
        state: SlotState,
    ) -> Change {
        let owner = &mut self.project.tracks[track];
        let mut slot = ClipSlot::new(owner.id.child("slot", key), track, scene);
        state.put_into(&mut slot);
        slot.rehash(&mut self.hasher);
        let record = Change::added(&slot, Path::ClipSlot { track, scene }, &owner.id);
        owner.slots.insert(position, slot);
        self.forget_hashes(track);
        record
    }

    /// A slot and its position among the track's slots.
    fn slot_mut(&mut self, track: usize, scene: usize) -> Result<(&mut ClipSlot, usize), Rejected> {
        let scenes = self.num_scenes();
        let owner = self.track_mut(track)?;
        if scene >= scenes {
            return Err(Rejected::NoSuchScene { scene, scenes });
        }
        match owner.slot_position(scene) {
            Ok(position) => Ok((&mut owner.slots[position], position)),
            Err(_) => Err(Rejected::NoSuchSlot { track, scene }),
        }
    }

    /// Rehashes a slot and its clip if there is a record of any change.
    fn rehash_slot(&mut self, track: usize, position: usize, records: &[Change]) {
        if !records.is_empty() {
            self.project.tracks[track].slots[position].rehash_all(&mut self.hasher);
            self.forget_hashes(track);
        }
    }
}
