//! Applying edits.

mod device;
mod room;
mod scene;
mod slot;
mod track;

use crate::compare::change::{Change, Changed, Changes};
use crate::edit::{Edit, Rejected};
use crate::path::Path;
use crate::set::Set;
use crate::tree::{Project, Value};

use self::slot::SlotState;

impl Set {
    /// Applies an edit and rehashes the nodes it changed. Hashes of tracks and of the whole tree
    /// are computed again when they are next asked for.
    ///
    /// Returns the records that the deployed viewers expect for the event. An edit that changes
    /// nothing gives no record, with these exceptions, which always do: volume and pan, because
    /// every position of a fader is passed on, and launching a scene, because it is a new event
    /// each time. Mute, solo, volume and pan show on both the track and its mixer, so they give two
    /// records, the track's first. A clip that comes or goes also gives a record of its slot's
    /// `has_clip`, if that changes.
    ///
    /// Costs about a microsecond on 50 tracks of 100 scenes.
    pub fn apply(&mut self, edit: &Edit) -> Result<Changes, Rejected> {
        self.check_room(edit)?;
        let changes = Changes::from(self.edit(edit)?);
        self.count_bytes(&changes);
        Ok(changes)
    }

    fn edit(&mut self, edit: &Edit) -> Result<Vec<Change>, Rejected> {
        use Edit as E;
        Ok(match *edit {
            E::TrackName { track, ref name } => self.name_track(track, name)?,
            E::TrackMute { track, is_muted } => self.mute(track, is_muted)?,
            E::TrackArm { track, is_armed } => self.arm(track, is_armed)?,
            E::TrackSolo { track, is_soloed } => self.solo(track, is_soloed)?,
            E::TrackVolume { track, volume } => self.set_volume(track, volume)?,
            E::TrackPan { track, pan } => self.set_pan(track, pan)?,
            E::TrackColor { track, color } => self.color_track(track, color)?,
            E::TrackAdded { track, ref name, kind } => self.add_track(track, name, kind)?,
            E::TrackDeleted { track } => self.delete_track(track)?,
            E::DeviceAdded { track, device, ref name } => self.add_device(track, device, name)?,
            E::DeviceDeleted { track, device } => self.delete_device(track, device)?,
            E::DeviceParameter { track, device, parameter, value } => {
                self.set_parameter(track, device, parameter, value)?
            }
            E::SceneAdded { scene, ref name } => self.add_scene(scene, name)?,
            E::SceneRemoved { scene } => self.remove_scene(scene)?,
            E::SceneName { scene, ref name } => {
                self.edit_scene(scene, |scene| rename(&mut scene.name, name))?
            }
            E::SceneColor { scene, color } => {
                self.edit_scene(scene, |scene| set("color", &mut scene.color, color))?
            }
            E::SceneTriggered { scene } => self.edit_scene(scene, |scene| {
                Some(set_always("is_triggered", &mut scene.is_triggered, true))
            })?,
            E::ClipSlotState { track, scene, has_clip, has_stop_button, playing_status } => self
                .set_slot(track, scene, SlotState { has_clip, has_stop_button, playing_status })?,
            E::ClipSlotStopButton { track, scene, has_stop_button } => {
                self.edit_slot(track, scene, |slot| {
                    set("has_stop_button", &mut slot.has_stop_button, has_stop_button)
                })?
            }
            E::ClipSlotPlayingStatus { track, scene, playing_status } => {
                self.edit_slot(track, scene, |slot| {
                    set("playing_status", &mut slot.playing_status, playing_status)
                })?
            }
            E::ClipSlotColor { track, scene, color } => {
                self.edit_slot(track, scene, |slot| set("color", &mut slot.color, color))?
            }
            E::ClipName { track, scene, ref name } => {
                self.edit_clip(track, scene, |clip| rename(&mut clip.name, name))?
            }
            E::ClipColor { track, scene, color } => {
                self.edit_clip(track, scene, |clip| set("color", &mut clip.color, color))?
            }
            E::ClipMuted { track, scene, is_muted } => {
                self.edit_clip(track, scene, |clip| set("is_muted", &mut clip.is_muted, is_muted))?
            }
            E::ClipLooping { track, scene, is_looped } => self
                .edit_clip(track, scene, |clip| set("is_looped", &mut clip.is_looped, is_looped))?,
            E::ClipAdded { track, scene, ref name } => self.add_clip(track, scene, name)?,
            E::ClipRemoved { track, scene } => self.remove_clip(track, scene)?,
            E::TransportPlay { is_playing } => {
                self.edit_project(|project| set("is_playing", &mut project.is_playing, is_playing))
            }
            E::TransportTempo { tempo } => {
                let tempo = finite("tempo", tempo)?;
                self.edit_project(|project| set("tempo", &mut project.tempo, tempo))
            }
            E::TransportPosition { position } => {
                let position = finite("position", position)?;
                self.edit_project(|project| set("position", &mut project.position, position))
            }
        })
    }

    fn edit_project(&mut self, edit: impl FnOnce(&mut Project) -> Option<Changed>) -> Vec<Change> {
        let changed = edit(&mut self.project);
        let records = Change::attribute(&self.project, Path::Project, changed);
        if !records.is_empty() {
            self.project.hash.forget();
        }
        records
    }
}

/// Rejects NaN and infinities, which JSON cannot represent.
fn finite(what: &'static str, value: f64) -> Result<f64, Rejected> {
    if value.is_finite() { Ok(value) } else { Err(Rejected::NotFinite { what }) }
}

/// Sets an attribute; `None` if it already has that value.
fn set<T>(attribute: &'static str, field: &mut T, value: T) -> Option<Changed>
where
    T: Copy,
    Value: From<T>,
{
    let changed = set_always(attribute, field, value);
    (changed.1 != changed.2).then_some(changed)
}

/// Sets an attribute, and reports it even if it already has that value.
fn set_always<T>(attribute: &'static str, field: &mut T, value: T) -> Changed
where
    T: Copy,
    Value: From<T>,
{
    let old = std::mem::replace(field, value);
    (attribute, old.into(), value.into())
}

/// Rejects an addition beyond `limit`, given the present `count`.
fn room_for_one(what: &'static str, count: usize, limit: usize) -> Result<(), Rejected> {
    if count < limit { Ok(()) } else { Err(Rejected::Full { what, limit }) }
}

/// Sets a name; `None` if it already is that.
fn rename(field: &mut String, name: &str) -> Option<Changed> {
    if field == name {
        return None;
    }
    let old = std::mem::replace(field, name.to_owned());
    Some(("name", old.into(), name.to_owned().into()))
}
