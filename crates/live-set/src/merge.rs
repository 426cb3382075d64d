//! Merges a save into a set, from three trees: the set's, the file's as last read, and the file's
//! as it is now.

mod order;
mod siblings;
mod slots;
mod values;

use std::collections::HashSet;
use std::mem;
use std::rc::Rc;

use self::slots::Rows;
use crate::compare::inherit::{self, Ids, Inherit};
use crate::set::Set;
use crate::touched::{Touched, What};
use crate::tree::{NodeId, Project};

/// A value of a node: a mixer's volume, a device's name, or the colour of a track, a scene or a clip.
pub(crate) type Told = (NodeId, &'static str);
/// Files have a gain and events the position of a fader.
pub(crate) const VOLUME: &str = "volume";
/// Files have a device's class and events the name that Live shows.
pub(crate) const NAME: &str = "name";
/// Files have an index into Live's palette and events RGB.
pub(crate) const COLOR: &str = "color";

/// How a save relates to the set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) touched: &'a Touched,
    /// Values that events have set and of which a file stores something else.
    pub(crate) told: &'a HashSet<Told>,
    /// The number of the last edit before the save began.
    pub(crate) began: u64,
    /// Whether the file overrides everything that is not newer than it.
    pub(crate) as_it_is: bool,
    /// Whether the set has been open since the last save, in which case Live keeps its numbers.
    pub(crate) keeps_numbers: bool,
}

/// The data for merging all nodes.
#[derive(Debug)]
struct Merge<'a> {
    ids: Ids<'a>,
    terms: Terms<'a>,
    rows: Rc<Rows>,
}

impl Set {
    /// The set with the changes of a save. Nodes of `file` get their ids from the tree; those of
    /// `known` have them already.
    pub(crate) fn merged(&self, known: &Self, file: &mut Self, terms: Terms<'_>) -> Self {
        let mut merged = self.clone();
        let ids = Ids::new(&self.numbers, self.made);
        let rows = Rc::default();
        let mut merge = Merge { ids, terms, rows };
        // If the file overrides, it is treated as if it had changed everything that differs from
        // it.
        let old = if terms.as_it_is { self } else { known };
        merge.project(&mut merged.project, &old.project, &known.project, &mut file.project);
        (merged.numbers, merged.made) = merge.ids.into_parts();
        merged.ids += 1;
        merged.renumber();
        merged.rehash();
        merged.bytes = merged.root().bytes();
        merged
    }

    /// Updates the positions of tracks, scenes and slots.
    fn renumber(&mut self) {
        for (index, track) in self.project.tracks.iter_mut().enumerate() {
            track.index = index;
            track.slots.iter_mut().for_each(|slot| slot.track_index = index);
        }
        for (index, scene) in self.project.scenes.iter_mut().enumerate() {
            scene.index = index;
        }
    }
}

impl Merge<'_> {
    fn project(&mut self, set: &mut Project, old: &Project, known: &Project, file: &mut Project) {
        let id = set.id.clone();
        let value = |old, file| (Some(old), file);
        self.value(&id, "tempo", &mut set.tempo, value(&old.tempo, &file.tempo));
        let signature = (Some(&old.time_signature_id), &file.time_signature_id);
        self.value(&id, "time_signature_id", &mut set.time_signature_id, signature);
        let ids = |project: &Project| project.scenes.iter().map(|it| it.id.clone()).collect();
        let mut rows = Rows { set: ids(set), old: ids(old), known: ids(known), ..Rows::default() };
        let scenes = (old.scenes.as_slice(), known.scenes.as_slice());
        set.scenes = self.siblings(&id, mem::take(&mut set.scenes), scenes, &mut file.scenes);
        rows.file = ids(file);
        rows.merged = set.scenes.iter().enumerate().map(|(at, it)| (it.id.clone(), at)).collect();
        self.rows = Rc::new(rows);
        let tracks = (old.tracks.as_slice(), known.tracks.as_slice());
        set.tracks = self.siblings(&id, mem::take(&mut set.tracks), tracks, &mut file.tracks);
        set.file_refs = self.follow(&id, &set.file_refs, &mut file.file_refs);
        set.locators = self.follow(&id, &set.locators, &mut file.locators);
    }

    /// Merges siblings that no edit changes: they follow the file.
    fn follow<T: Inherit>(&mut self, owner: &NodeId, set: &[T], file: &mut [T]) -> Vec<T> {
        inherit::siblings(&mut self.ids, file, set, owner);
        file.to_vec()
    }

    /// Whether an edit has changed this since the save began.
    fn is_newer(&self, id: &NodeId, what: What) -> bool {
        self.terms.touched.is_newer(id, what, self.terms.began)
    }

    /// Sets one value of a node: to the file's value if the file changed it and no edit has since.
    fn value<T: Clone + PartialEq>(
        &self,
        id: &NodeId,
        attribute: &'static str,
        value: &mut T,
        (old, file): (Option<&T>, &T),
    ) {
        self.value_of(id, What::Attribute(attribute), value, (old, file));
    }

    /// The same for a value that stays once an event has set it: what the file stores instead is
    /// not news.
    fn value_unless_told<T: Clone + PartialEq>(
        &self,
        id: &NodeId,
        attribute: &'static str,
        value: &mut T,
        both: (Option<&T>, &T),
    ) {
        if !self.terms.told.contains(&(id.clone(), attribute)) {
            self.value(id, attribute, value, both);
        }
    }

    fn value_of<T: Clone + PartialEq>(
        &self,
        id: &NodeId,
        what: What,
        value: &mut T,
        (old, file): (Option<&T>, &T),
    ) {
        if old != Some(file) && value != file && !self.is_newer(id, what) {
            value.clone_from(file);
        }
    }
}
