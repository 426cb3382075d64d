//! Edits of tracks and their mixers.

use super::{finite, rename, room_for_one, set, set_always};
use crate::compare::change::{Change, Changed};
use crate::edit::Rejected;
use crate::path::Path;
use crate::set::Set;
use crate::tree::{Mixer, NodeId, Track, TrackKind};

impl Set {
    pub(super) fn name_track(&mut self, track: usize, name: &str) -> Result<Vec<Change>, Rejected> {
        self.edit_track(track, |track| rename(&mut track.name, name))
    }

    pub(super) fn arm(&mut self, track: usize, is_armed: bool) -> Result<Vec<Change>, Rejected> {
        self.edit_track(track, |track| set("is_armed", &mut track.is_armed, is_armed))
    }

    pub(super) fn color_track(
        &mut self,
        track: usize,
        color: i32,
    ) -> Result<Vec<Change>, Rejected> {
        self.edit_track(track, |track| set("color", &mut track.color, color))
    }

    pub(super) fn mute(&mut self, track: usize, is_muted: bool) -> Result<Vec<Change>, Rejected> {
        self.edit_mixer(track, |mixer| set("is_muted", &mut mixer.is_muted, is_muted))
    }

    pub(super) fn solo(&mut self, track: usize, is_soloed: bool) -> Result<Vec<Change>, Rejected> {
        self.edit_mixer(track, |mixer| set("is_soloed", &mut mixer.is_soloed, is_soloed))
    }

    pub(super) fn set_volume(
        &mut self,
        track: usize,
        volume: f64,
    ) -> Result<Vec<Change>, Rejected> {
        let volume = finite("volume", volume)?;
        self.edit_mixer(track, |mixer| Some(set_always("volume", &mut mixer.volume, volume)))
    }

    pub(super) fn set_pan(&mut self, track: usize, pan: f64) -> Result<Vec<Change>, Rejected> {
        let pan = finite("pan", pan)?;
        self.edit_mixer(track, |mixer| Some(set_always("pan", &mut mixer.pan, pan)))
    }

    /// Adds a track with a new track's default mixer.
    pub(super) fn add_track(
        &mut self,
        index: usize,
        name: &str,
        kind: TrackKind,
    ) -> Result<Vec<Change>, Rejected> {
        let tracks = self.num_tracks();
        if index > tracks {
            return Err(Rejected::NoSuchTrack { track: index, tracks });
        }
        room_for_one("tracks", tracks, self.limits.tracks)?;
        let id = NodeId::top("track", self.next_key());
        let mut track = Track::new(id, index, kind.track_type(), kind.signal());
        name.clone_into(&mut track.name);
        track.rehash_all(&mut self.hasher);
        let mut records =
            vec![Change::added(&track, Path::Track { track: index }, &self.project.id)];
        self.project.tracks.insert(index, track);
        self.renumber_tracks(index + 1, &mut records);
        Ok(records)
    }

    pub(super) fn delete_track(&mut self, index: usize) -> Result<Vec<Change>, Rejected> {
        self.track_mut(index)?;
        let track = self.project.tracks.remove(index);
        let mut records =
            vec![Change::taken(track, Path::Track { track: index }, &self.project.id)];
        self.renumber_tracks(index, &mut records);
        Ok(records)
    }

    /// Updates the positions of the tracks from `first` on, and of their slots, and rehashes what
    /// that changes. Devices, mixers and clips do not store positions.
    fn renumber_tracks(&mut self, first: usize, records: &mut Vec<Change>) {
        let Self { project, hasher, .. } = self;
        let slots = |track: &Track| 1 + track.slots.len();
        records.reserve(project.tracks[first..].iter().map(slots).sum());
        for (index, track) in project.tracks.iter_mut().enumerate().skip(first) {
            let moved = (std::mem::replace(&mut track.index, index), index);
            records.push(Change::moved(track, Path::Track { track: index }, "index", moved));
            for slot in &mut track.slots {
                slot.track_index = index;
                slot.rehash(hasher);
                let path = Path::ClipSlot { track: index, scene: slot.scene_index };
                records.push(Change::moved(slot, path, "track_index", moved));
            }
            track.hash.forget();
        }
        project.hash.forget();
    }

    pub(super) fn track_mut(&mut self, track: usize) -> Result<&mut Track, Rejected> {
        let tracks = self.num_tracks();
        self.project.tracks.get_mut(track).ok_or(Rejected::NoSuchTrack { track, tracks })
    }

    /// Forgets the hashes of a track, in which something has changed, and of the project.
    pub(super) fn forget_hashes(&mut self, track: usize) {
        self.project.tracks[track].hash.forget();
        self.project.hash.forget();
    }

    fn edit_track(
        &mut self,
        index: usize,
        edit: impl FnOnce(&mut Track) -> Option<Changed>,
    ) -> Result<Vec<Change>, Rejected> {
        let track = self.track_mut(index)?;
        let changed = edit(track);
        let records = Change::attribute(track, Path::Track { track: index }, changed);
        if !records.is_empty() {
            self.forget_hashes(index);
        }
        Ok(records)
    }

    /// Edits what a track's mixer holds and the track shows too.
    fn edit_mixer(
        &mut self,
        index: usize,
        edit: impl FnOnce(&mut Mixer) -> Option<Changed>,
    ) -> Result<Vec<Change>, Rejected> {
        let track = self.track_mut(index)?;
        let changed = edit(&mut track.mixer);
        let mut records = Change::attribute(track, Path::Track { track: index }, changed.clone());
        records.extend(Change::attribute(&track.mixer, Path::Mixer { track: index }, changed));
        if !records.is_empty() {
            self.project.tracks[index].mixer.rehash(&mut self.hasher);
            self.forget_hashes(index);
        }
        Ok(records)
    }
}
