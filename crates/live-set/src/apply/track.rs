//! Edits of tracks, their mixers and devices.

use super::{finite, rename, set, set_always};
use crate::change::{Change, Changed};
use crate::edit::Rejected;
use crate::path::Path;
use crate::set::Set;
use crate::tree::{Mixer, Track};

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

    pub(super) fn set_parameter(
        &mut self,
        track: usize,
        device: usize,
        parameter: usize,
        value: f64,
    ) -> Result<Vec<Change>, Rejected> {
        let value = finite("parameter", value)?;
        let owner = self.track_mut(track)?;
        let devices = owner.devices.len();
        let found = owner.devices.get_mut(device).ok_or(Rejected::NoSuchDevice {
            track,
            device,
            devices,
        })?;
        let parameters = found.parameters.len();
        let field = found.parameters.get_mut(parameter).ok_or(Rejected::NoSuchParameter {
            track,
            device,
            parameter,
            parameters,
        })?;
        let changed = set("value", &mut field.value, value);
        let path = Path::Parameter { track, device, parameter };
        let records = Change::attribute(found, path, changed);
        if !records.is_empty() {
            self.project.tracks[track].devices[device].rehash(&mut self.hasher);
            self.rehash_track(track);
        }
        Ok(records)
    }

    pub(super) fn track_mut(&mut self, track: usize) -> Result<&mut Track, Rejected> {
        let tracks = self.num_tracks();
        self.project.tracks.get_mut(track).ok_or(Rejected::NoSuchTrack { track, tracks })
    }

    /// Hashes a track, whose children's hashes are right, and the project.
    pub(super) fn rehash_track(&mut self, track: usize) {
        self.project.tracks[track].rehash(&mut self.hasher);
        self.project.rehash(&mut self.hasher);
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
            self.rehash_track(index);
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
            self.rehash_track(index);
        }
        Ok(records)
    }
}
