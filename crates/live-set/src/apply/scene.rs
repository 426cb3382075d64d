//! Edits of scenes.

use super::room_for_one;
use crate::compare::change::{Change, Changed};
use crate::edit::Rejected;
use crate::path::Path;
use crate::set::Set;
use crate::tree::{NodeId, Scene};

/// The direction in which an edit moves rows.
#[derive(Clone, Copy, Debug)]
enum Way {
    Up,
    Down,
}

impl Way {
    const fn of(self, row: usize) -> usize {
        match self {
            Self::Up => row + 1,
            Self::Down => row - 1,
        }
    }
}

impl Set {
    /// The records of moved slots and scenes come first: a scene is added once there is room for
    /// it.
    pub(super) fn add_scene(&mut self, row: usize, name: &str) -> Result<Vec<Change>, Rejected> {
        let scenes = self.num_scenes();
        if row > scenes {
            return Err(Rejected::NoSuchScene { scene: row, scenes });
        }
        room_for_one("scenes", scenes, self.limits.scenes)?;
        let mut scene = Scene::new(NodeId::top("scene", self.next_key()), row);
        name.clone_into(&mut scene.name);
        scene.rehash(&mut self.hasher);
        let mut records = Vec::new();
        self.move_rows(row, Way::Up, &mut records);
        records.push(Change::added(&scene, Path::Scene { scene: row }, &self.project.id));
        self.project.scenes.insert(row, scene);
        self.project.hash.forget();
        Ok(records)
    }

    /// The records of removed nodes come first, then those of moved nodes.
    pub(super) fn remove_scene(&mut self, row: usize) -> Result<Vec<Change>, Rejected> {
        let scenes = self.num_scenes();
        if row >= scenes {
            return Err(Rejected::NoSuchScene { scene: row, scenes });
        }
        let mut records = Vec::new();
        for (index, track) in self.project.tracks.iter_mut().enumerate() {
            if let Ok(position) = track.slot_position(row) {
                let slot = track.slots.remove(position);
                let path = Path::ClipSlot { track: index, scene: row };
                records.push(Change::taken(slot, path, &track.id));
                // Also if none of its slots moves.
                track.hash.forget();
            }
        }
        let scene = self.project.scenes.remove(row);
        records.push(Change::taken(scene, Path::Scene { scene: row }, &self.project.id));
        self.move_rows(row, Way::Down, &mut records);
        self.project.hash.forget();
        Ok(records)
    }

    pub(super) fn edit_scene(
        &mut self,
        row: usize,
        edit: impl FnOnce(&mut Scene) -> Option<Changed>,
    ) -> Result<Vec<Change>, Rejected> {
        let scenes = self.num_scenes();
        let scene =
            self.project.scenes.get_mut(row).ok_or(Rejected::NoSuchScene { scene: row, scenes })?;
        let changed = edit(scene);
        let records = Change::attribute(scene, Path::Scene { scene: row }, changed);
        if !records.is_empty() {
            scene.rehash(&mut self.hasher);
            self.project.hash.forget();
        }
        Ok(records)
    }

    /// Moves the slots and scenes from row `first` on by one row, and rehashes them. The lists do
    /// not contain the added or removed scene and its slots.
    fn move_rows(&mut self, first: usize, way: Way, records: &mut Vec<Change>) {
        let Self { project, hasher, .. } = self;
        for (index, track) in project.tracks.iter_mut().enumerate() {
            let position = track.slots.partition_point(|slot| slot.scene_index < first);
            let moving = &mut track.slots[position..];
            if moving.is_empty() {
                continue;
            }
            records.reserve(moving.len());
            for slot in moving {
                let scene = way.of(slot.scene_index);
                let moved = (std::mem::replace(&mut slot.scene_index, scene), scene);
                slot.rehash(hasher);
                let path = Path::ClipSlot { track: index, scene };
                records.push(Change::moved(slot, path, "scene_index", moved));
            }
            track.hash.forget();
        }
        for scene in &mut project.scenes[first..] {
            let row = way.of(scene.index);
            let moved = (std::mem::replace(&mut scene.index, row), row);
            scene.rehash(hasher);
            records.push(Change::moved(scene, Path::Scene { scene: row }, "index", moved));
        }
    }
}
