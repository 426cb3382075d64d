//! Slots: each belongs to its track and its scene, wherever these are in each tree.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::Merge;
use crate::compare::inherit::Inherit;
use crate::touched::What;
use crate::tree::{Clip, ClipSlot, NodeId};

/// The scenes in the rows of each tree, and their places in the merged one.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) set: Vec<NodeId>,
    pub(super) old: Vec<NodeId>,
    pub(super) known: Vec<NodeId>,
    pub(super) file: Vec<NodeId>,
    pub(super) merged: HashMap<NodeId, usize>,
}

/// A row, regardless of its position.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Row {
    Scene(NodeId),
    /// This many rows below the last scene: a file may have slots there.
    Below(usize),
}

impl Row {
    fn of(scenes: &[NodeId], index: usize) -> Self {
        scenes
            .get(index)
            .cloned()
            .map_or(Self::Below(index.saturating_sub(scenes.len())), Self::Scene)
    }
}

impl Rows {
    /// The place of a row in the merged tree, if its scene is there.
    fn place(&self, row: &Row) -> Option<usize> {
        match row {
            Row::Scene(scene) => self.merged.get(scene).copied(),
            Row::Below(rows) => Some(self.merged.len() + rows),
        }
    }
}

fn by_row<'a>(slots: &'a [ClipSlot], scenes: &[NodeId]) -> HashMap<Row, &'a ClipSlot> {
    slots.iter().map(|slot| (Row::of(scenes, slot.scene_index), slot)).collect()
}

impl Merge<'_> {
    /// Merges the slots of a track.
    pub(super) fn slots(
        &mut self,
        track: &NodeId,
        set: Vec<ClipSlot>,
        (old, known): (&[ClipSlot], &[ClipSlot]),
        file: &mut [ClipSlot],
    ) -> Vec<ClipSlot> {
        let rows = Rc::clone(&self.rows);
        let mut ids: HashSet<_> = set.iter().chain(known).map(|slot| slot.id.clone()).collect();
        let (old, known) = (by_row(old, &rows.old), by_row(known, &rows.known));
        let keyed = set.into_iter().map(|slot| (Row::of(&rows.set, slot.scene_index), slot));
        let mut merged: HashMap<_, _> = keyed.collect();
        let mut in_file = HashSet::with_capacity(file.len());
        for slot in file {
            let row = Row::of(&rows.file, slot.scene_index);
            let known = known.get(&row).copied();
            if let Some(own) = merged.get_mut(&row) {
                slot.set_id(own.id.clone());
                self.slot(own, (old.get(&row).copied(), known), slot);
            } else {
                match known {
                    Some(known) => {
                        slot.set_id(known.id.clone());
                        slot.inherit(known, &mut self.ids);
                    }
                    None => self.ids.name(slot, track, &mut ids),
                }
                merged.insert(row.clone(), slot.clone());
            }
            in_file.insert(row);
        }
        let stays = |row: &Row, slot: &ClipSlot| {
            in_file.contains(row) || !old.contains_key(row) || self.is_newer(&slot.id, What::Life)
        };
        let placed = merged.into_iter().filter(|(row, slot)| stays(row, slot));
        let placed = placed
            .filter_map(|(row, slot)| Some(ClipSlot { scene_index: rows.place(&row)?, ..slot }));
        let mut placed: Vec<_> = placed.collect();
        placed.sort_unstable_by_key(|slot| slot.scene_index);
        placed.shrink_to_fit();
        placed
    }

    fn slot(
        &mut self,
        own: &mut ClipSlot,
        (old, known): (Option<&ClipSlot>, Option<&ClipSlot>),
        file: &mut ClipSlot,
    ) {
        let id = &own.id;
        let stop = (old.map(|it| &it.has_stop_button), &file.has_stop_button);
        self.value(id, "has_stop_button", &mut own.has_stop_button, stop);
        let has_clip = (old.map(|it| &it.has_clip), &file.has_clip);
        self.value(id, "has_clip", &mut own.has_clip, has_clip);
        let old = old.and_then(|slot| slot.clip.as_deref());
        let known = known.and_then(|slot| slot.clip.as_deref());
        let taken = own.clip.take();
        // An edit has emptied the slot, but the file still has its content.
        let is_emptied = !own.has_clip && self.is_newer(id, What::Attribute("has_clip"));
        own.clip = self.clip_of(taken, (old, known), file).filter(|_| !is_emptied);
        own.has_clip |= own.clip.is_some();
    }

    /// The final clip of a slot: the set's, the file's, or none.
    fn clip_of(
        &mut self,
        own: Option<Box<Clip>>,
        (old, known): (Option<&Clip>, Option<&Clip>),
        slot: &mut ClipSlot,
    ) -> Option<Box<Clip>> {
        let Some(file) = &mut slot.clip else {
            // The file has removed its clip.
            return own.filter(|own| {
                old.is_none_or(|old| old.id != own.id) || self.is_newer(&own.id, What::Life)
            });
        };
        let is_unchanged = !self.terms.as_it_is && old.is_some_and(|old| old.hash == file.hash);
        let Some(mut own) = own else {
            // An edit has removed it, or the file has a new one.
            let known = known.inspect(|known| file.set_id(known.id.clone()));
            let is_gone = known.is_some_and(|known| self.is_newer(&known.id, What::Life));
            return (!is_gone && !is_unchanged).then(|| file.clone());
        };
        let same = old.filter(|old| old.id == own.id);
        let is_newer = self.is_newer(&own.id, What::Life);
        let name = self.terms.touched.name_at(self.terms.began, &own.id).unwrap_or(&own.name);
        // If the save may know of a clip with the same name, it is the one in the file, even if the
        // file has not changed: the clip was removed and put back.
        let is_another =
            if *name == file.name { is_unchanged && is_newer } else { is_unchanged || is_newer };
        if same.is_none() && is_another {
            // An edit has replaced it with another that the file does not know yet.
            if let Some(known) = known {
                file.set_id(known.id.clone());
            }
            return Some(own);
        }
        if !own.is_like(file) {
            return Some(file.clone());
        }
        file.set_id(own.id.clone());
        self.clip(&mut own, same, file);
        Some(own)
    }
}
