//! Which nodes of two trees are the same thing.

use std::collections::{HashMap, VecDeque};

use crate::path::Path;
use crate::tree::{Clip, ClipSlot, Device, FileRef, Locator, Scene, Track, TreeNode};

/// Stands for no counterpart in the lists of positions here.
const NONE: usize = usize::MAX;

/// What makes two siblings the same thing where their ids differ. Live gives a track that an
/// event announced an `Id` of its own when it saves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Identity<'a> {
    /// Something of a kind, by its name.
    Named(&'static str, &'a str),
    /// A device, by its class and its name.
    Device(&'a str, &'a str),
    /// Something of a kind in the arrangement, by its name, and where it starts, to the bit.
    Placed(&'static str, &'a str, u64),
    /// What is in a row.
    Row(usize),
}

/// A node among others of its type.
pub(crate) trait Sibling: TreeNode {
    fn identity(&self) -> Identity<'_>;

    /// Where it is: in an owner, at a position.
    fn path(&self, owner: &Owner, position: usize) -> Path;

    /// The name it was announced by, where an event told of it and not of all that its identity
    /// is made of.
    fn announced(&self) -> Option<&str> {
        None
    }

    /// Whether it may be what an event announced by that name.
    fn has_name(&self, _: &str) -> bool {
        false
    }
}

/// What siblings are in: a track, and the racks inside it, from the outermost inwards. Says
/// nothing for tracks, scenes and references to files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owner {
    pub(crate) track: usize,
    pub(crate) racks: Vec<usize>,
}

impl Owner {
    pub(crate) const fn track(track: usize) -> Self {
        Self { track, racks: Vec::new() }
    }

    /// The rack that is in this owner at a position.
    pub(crate) fn rack(&self, position: usize) -> Self {
        Self { track: self.track, racks: self.devices(position) }
    }

    pub(crate) fn device_path(&self, device: usize) -> Path {
        let track = self.track;
        match self.racks.as_slice() {
            [] => Path::Device { track, device },
            _ => Path::RackDevice { track, devices: self.devices(device).into() },
        }
    }

    pub(crate) fn parameter_path(&self, device: usize, parameter: usize) -> Path {
        let track = self.track;
        match self.racks.as_slice() {
            [] => Path::Parameter { track, device, parameter },
            _ => Path::RackParameter { track, devices: self.devices(device).into(), parameter },
        }
    }

    fn devices(&self, device: usize) -> Vec<usize> {
        self.racks.iter().copied().chain([device]).collect()
    }
}

impl Sibling for Track {
    fn identity(&self) -> Identity<'_> {
        Identity::Named(self.track_type.as_str(), &self.name)
    }

    fn path(&self, _: &Owner, position: usize) -> Path {
        Path::Track { track: position }
    }
}

impl Sibling for Device {
    fn identity(&self) -> Identity<'_> {
        Identity::Device(&self.device_type, &self.name)
    }

    fn path(&self, owner: &Owner, position: usize) -> Path {
        owner.device_path(position)
    }

    fn announced(&self) -> Option<&str> {
        self.device_type.is_empty().then_some(self.name.as_str())
    }

    fn has_name(&self, name: &str) -> bool {
        self.name == name
    }
}

impl Sibling for ClipSlot {
    fn identity(&self) -> Identity<'_> {
        Identity::Row(self.scene_index)
    }

    fn path(&self, owner: &Owner, _: usize) -> Path {
        Path::ClipSlot { track: owner.track, scene: self.scene_index }
    }
}

/// A clip of the arrangement. The clip of a slot has no siblings.
impl Sibling for Clip {
    fn identity(&self) -> Identity<'_> {
        Identity::Placed(self.content.clip_type(), &self.name, self.start_time.to_bits())
    }

    fn path(&self, owner: &Owner, position: usize) -> Path {
        Path::ArrangementClip { track: owner.track, clip: position }
    }
}

impl Sibling for FileRef {
    fn identity(&self) -> Identity<'_> {
        Identity::Named("file_ref", &self.path)
    }

    fn path(&self, _: &Owner, position: usize) -> Path {
        Path::FileRef { file_ref: position }
    }
}

impl Sibling for Locator {
    fn identity(&self) -> Identity<'_> {
        Identity::Placed("locator", &self.name, self.time.to_bits())
    }

    fn path(&self, _: &Owner, position: usize) -> Path {
        Path::Locator { locator: position }
    }
}

impl Sibling for Scene {
    /// Most scenes have no name: these are told apart by their rows.
    fn identity(&self) -> Identity<'_> {
        match self.name.trim() {
            "" => Identity::Row(self.index),
            name => Identity::Named("scene", name),
        }
    }

    fn path(&self, _: &Owner, position: usize) -> Path {
        Path::Scene { scene: position }
    }
}

/// Which old sibling each new one is, both by position.
#[derive(Debug)]
pub(crate) struct Pairs {
    old_of_new: Vec<usize>,
}

impl Pairs {
    /// Pairs siblings by id first, then by what makes them the same thing. Of several that are
    /// alike, the first goes with the first.
    ///
    /// What is left of those that only events told of goes with what has its name, else with what
    /// is in its place: a save is what says the rest of them, and a name may be longer in events.
    pub(crate) fn of<T: Sibling>(old: &[T], new: &[T]) -> Self {
        let mut pairs = Self { old_of_new: vec![NONE; new.len()] };
        let mut is_paired = vec![false; old.len()];
        pairs.pair_by_id(old, new, &mut is_paired);
        pairs.pair_by_identity(old, new, &mut is_paired);
        let named =
            |was: usize, is: usize| old[was].announced().is_some_and(|it| new[is].has_name(it));
        pairs.pair_announced(old, &mut is_paired, named);
        pairs.pair_announced(old, &mut is_paired, |was, is| was == is);
        pairs
    }

    /// The old sibling that a new one is.
    pub(crate) fn old_of(&self, new: usize) -> Option<usize> {
        Some(self.old_of_new[new]).filter(|old| *old != NONE)
    }

    /// Drops pairs that changed places, as few as can be, so that the rest is in one order.
    pub(crate) fn drop_moved(&mut self) {
        let kept = longest_rise(&self.old_of_new);
        let mut kept = kept.into_iter().peekable();
        for new in 0..self.old_of_new.len() {
            if kept.next_if_eq(&new).is_none() {
                self.old_of_new[new] = NONE;
            }
        }
    }

    /// The old siblings that no new one is, in their order.
    pub(crate) fn unpaired_old(&self, old_len: usize) -> Vec<usize> {
        let mut is_paired = vec![false; old_len];
        for old in self.old_of_new.iter().filter(|old| **old != NONE) {
            is_paired[*old] = true;
        }
        (0..old_len).filter(|old| !is_paired[*old]).collect()
    }

    fn pair_by_id<T: Sibling>(&mut self, old: &[T], new: &[T], is_paired: &mut [bool]) {
        // Owners that were paired by identity have other ids: only the local parts compare.
        let same = |old: &T, new: &T| old.id().local() == new.id().local();
        // Most siblings have not moved: a map of the others only.
        let mut moved = HashMap::new();
        for (position, sibling) in old.iter().enumerate() {
            if new.get(position).is_some_and(|new| same(sibling, new)) {
                self.old_of_new[position] = position;
                is_paired[position] = true;
            } else {
                moved.insert(sibling.id().local(), position);
            }
        }
        for (position, sibling) in new.iter().enumerate() {
            if self.old_of_new[position] != NONE {
                continue;
            }
            if let Some(&found) = moved.get(sibling.id().local()) {
                self.old_of_new[position] = found;
                is_paired[found] = true;
            }
        }
    }

    fn pair_by_identity<T: Sibling>(&mut self, old: &[T], new: &[T], is_paired: &mut [bool]) {
        let mut waiting: HashMap<Identity<'_>, VecDeque<usize>> = HashMap::new();
        for (position, sibling) in old.iter().enumerate().filter(|(old, _)| !is_paired[*old]) {
            waiting.entry(sibling.identity()).or_default().push_back(position);
        }
        for (position, sibling) in new.iter().enumerate() {
            if waiting.is_empty() || self.old_of_new[position] != NONE {
                continue;
            }
            let alike = waiting.get_mut(&sibling.identity()).and_then(VecDeque::pop_front);
            if let Some(found) = alike {
                self.old_of_new[position] = found;
                is_paired[found] = true;
            }
        }
    }

    /// Pairs what events announced with the first new sibling that fits it and goes with no other.
    fn pair_announced<T: Sibling>(
        &mut self,
        old: &[T],
        is_paired: &mut [bool],
        fits: impl Fn(usize, usize) -> bool,
    ) {
        for (position, sibling) in old.iter().enumerate() {
            if is_paired[position] || sibling.announced().is_none() {
                continue;
            }
            let mut new = self.old_of_new.iter().enumerate();
            let fitting = new.find(|(new, old)| **old == NONE && fits(position, *new));
            if let Some((new, _)) = fitting {
                self.old_of_new[new] = position;
                is_paired[position] = true;
            }
        }
    }
}

/// The positions of a longest subsequence that rises, `NONE`s left out: patience sorting.
fn longest_rise(values: &[usize]) -> Vec<usize> {
    // The position of the least value that ends a rise of each length.
    let mut ends: Vec<usize> = Vec::new();
    let mut before = vec![NONE; values.len()];
    for (position, value) in values.iter().enumerate().filter(|(_, value)| **value != NONE) {
        let length = ends.partition_point(|end| values[*end] < *value);
        if length > 0 {
            before[position] = ends[length - 1];
        }
        match ends.get_mut(length) {
            Some(end) => *end = position,
            None => ends.push(position),
        }
    }
    let mut rise: Vec<_> = std::iter::successors(ends.last().copied(), |last| {
        Some(before[*last]).filter(|b| *b != NONE)
    })
    .collect();
    rise.reverse();
    rise
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_rise_leaves_out_what_moved_and_what_is_new() {
        assert_eq!(longest_rise(&[]), []);
        assert_eq!(longest_rise(&[0, 1, 2]), [0, 1, 2]);
        assert_eq!(longest_rise(&[3, 0, 1, 2]), [1, 2, 3]);
        assert_eq!(longest_rise(&[1, NONE, 2, 0]), [0, 2]);
        assert_eq!(longest_rise(&[NONE]), []);
    }
}
