//! Matches the nodes of two trees.

use std::collections::{HashMap, VecDeque};

use crate::compare::class::is_class_of;
use crate::compare::numbers::{Numbers, numbered};
use crate::path::Path;
use crate::tree::{Clip, ClipSlot, Device, FileRef, Hash, Locator, Scene, Track, TreeNode};

/// Stands for no counterpart in the lists of positions here.
const NONE: usize = usize::MAX;

/// What identifies a sibling when ids differ: Live assigns its own `Id` to a track that an event
/// announced when it saves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Identity<'a> {
    /// A node of a kind, by its name.
    Named(&'static str, &'a str),
    /// A device, by its class and its name.
    Device(&'a str, &'a str),
    /// A node of a kind in the arrangement, by its name and its exact start.
    Placed(&'static str, &'a str, u64),
    /// The node in a row.
    Row(usize),
}

/// A node among others of its type.
pub(crate) trait Sibling: TreeNode {
    fn hash(&self) -> Hash;

    fn identity(&self) -> Identity<'_>;

    /// Its identity under an earlier name; edits rename tracks and scenes.
    fn identity_as<'a>(&'a self, _: &'a str) -> Identity<'a> {
        self.identity()
    }

    /// Its path, given its owner and its position.
    fn path(&self, owner: &Owner, position: usize) -> Path;

    /// Whether the file may use this name for a node that an event announced under another one.
    fn may_be(&self, _: &Self) -> bool {
        false
    }

    /// Whether it can match another node, regardless of names.
    fn is_of_a_kind(&self, _: &Self) -> bool {
        true
    }
}

/// The owner of siblings: a track, and the racks inside it, from the outermost inwards. Empty for
/// tracks, scenes and references to files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owner {
    pub(crate) track: usize,
    pub(crate) racks: Vec<usize>,
}

impl Owner {
    pub(crate) const fn track(track: usize) -> Self {
        Self { track, racks: Vec::new() }
    }

    /// The rack at a position in this owner.
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
    fn hash(&self) -> Hash {
        self.hash()
    }

    fn identity(&self) -> Identity<'_> {
        self.identity_as(&self.name)
    }

    fn identity_as<'a>(&'a self, name: &'a str) -> Identity<'a> {
        Identity::Named(self.track_type.as_str(), name)
    }

    fn path(&self, _: &Owner, position: usize) -> Path {
        Path::Track { track: position }
    }

    fn is_of_a_kind(&self, other: &Self) -> bool {
        self.track_type == other.track_type
    }
}

impl Sibling for Device {
    fn hash(&self) -> Hash {
        self.hash
    }

    fn identity(&self) -> Identity<'_> {
        Identity::Device(&self.device_type, &self.name)
    }

    fn path(&self, owner: &Owner, position: usize) -> Path {
        owner.device_path(position)
    }

    fn may_be(&self, announced: &Self) -> bool {
        self.name == announced.name || is_class_of(&self.device_type, &announced.name)
    }
}

impl Sibling for ClipSlot {
    fn hash(&self) -> Hash {
        self.hash
    }

    fn identity(&self) -> Identity<'_> {
        Identity::Row(self.scene_index)
    }

    fn path(&self, owner: &Owner, _: usize) -> Path {
        Path::ClipSlot { track: owner.track, scene: self.scene_index }
    }
}

/// A clip of the arrangement. A slot's clip has no siblings.
impl Sibling for Clip {
    fn hash(&self) -> Hash {
        self.hash
    }

    fn identity(&self) -> Identity<'_> {
        Identity::Placed(self.content.clip_type(), &self.name, self.start_time.to_bits())
    }

    fn path(&self, owner: &Owner, position: usize) -> Path {
        Path::ArrangementClip { track: owner.track, clip: position }
    }
}

impl Sibling for FileRef {
    fn hash(&self) -> Hash {
        self.hash
    }

    fn identity(&self) -> Identity<'_> {
        Identity::Named("file_ref", &self.path)
    }

    fn path(&self, _: &Owner, position: usize) -> Path {
        Path::FileRef { file_ref: position }
    }
}

impl Sibling for Locator {
    fn hash(&self) -> Hash {
        self.hash
    }

    fn identity(&self) -> Identity<'_> {
        Identity::Placed("locator", &self.name, self.time.to_bits())
    }

    fn path(&self, _: &Owner, position: usize) -> Path {
        Path::Locator { locator: position }
    }
}

impl Sibling for Scene {
    fn hash(&self) -> Hash {
        self.hash
    }

    fn identity(&self) -> Identity<'_> {
        self.identity_as(&self.name)
    }

    /// Most scenes have no name; these are distinguished by their rows.
    fn identity_as<'a>(&'a self, name: &'a str) -> Identity<'a> {
        match name.trim() {
            "" => Identity::Row(self.index),
            name => Identity::Named("scene", name),
        }
    }

    fn path(&self, _: &Owner, position: usize) -> Path {
        Path::Scene { scene: position }
    }
}

/// The nodes to match, and what is known about them.
pub(crate) struct Candidates<'a, T> {
    pub(crate) old: &'a [T],
    pub(crate) new: &'a [T],
    /// The file's ids of the old ones.
    pub(crate) numbers: &'a Numbers,
    /// Whether a node with a number cannot match one with another number.
    pub(crate) keeps_numbers: bool,
    /// Whether an old node, by position, came too late for the new state to know about it. Only
    /// identity can match it then.
    pub(crate) is_late: &'a dyn Fn(usize) -> bool,
    /// The name of an old node, by position, when the new state was written, if it has been renamed
    /// since.
    pub(crate) earlier_name: &'a dyn Fn(usize) -> Option<&'a str>,
    /// Whether a new node, by position, is known not to match any of the old ones unless it was
    /// moved.
    pub(crate) is_taken: &'a dyn Fn(usize) -> bool,
}

impl<'a, T: Sibling> Candidates<'a, T> {
    pub(crate) fn all(old: &'a [T], new: &'a [T], numbers: &'a Numbers) -> Self {
        Self {
            old,
            new,
            numbers,
            keeps_numbers: false,
            is_late: &|_| false,
            earlier_name: &|_| None,
            is_taken: &|_| false,
        }
    }

    /// The identity of an old node when the new state was written.
    fn identity(&self, old: usize) -> Identity<'a> {
        let sibling = &self.old[old];
        match (self.earlier_name)(old) {
            Some(name) => sibling.identity_as(name),
            None => sibling.identity(),
        }
    }

    fn is_announced(&self, old: usize) -> bool {
        self.numbers.is_announced(self.old[old].id())
    }

    fn has_number_of_its_own(&self, old: usize) -> bool {
        self.keeps_numbers && numbered(self.numbers.local(self.old[old].id())).is_some()
    }
}

/// The old sibling that each new one matches, both by position.
#[derive(Debug)]
pub(crate) struct Pairs {
    old_of_new: Vec<usize>,
    is_paired: Vec<bool>,
}

impl Pairs {
    /// Matches siblings only by id.
    pub(crate) fn exact<T: Sibling>(old: &[T], new: &[T]) -> Self {
        let mut pairs = Self::none(old, new);
        pairs.pair_by(old, new, |it| Some(it.id().local()), |it| Some(it.id().local()));
        pairs
    }

    /// Matches siblings by the file's own `Id`s first, then by identity. Among several that are
    /// alike, the first matches the first.
    ///
    /// A remaining node that only events announced matches one that may have its name, or else the
    /// new one between the same siblings: the save contains the rest of its data, and events may
    /// use another name for it. Nodes without an `Id` are finally matched by position.
    pub(crate) fn alike<'a, T: Sibling>(of: &Candidates<'a, T>) -> Self {
        let &Candidates { old, new, numbers, .. } = of;
        let mut pairs = Self::none(old, new);
        let old_key = |it: &'a T| numbered(numbers.local(it.id()));
        pairs.pair_by(old, new, old_key, |it| numbered(it.id().local()));
        // A node that a file has numbered keeps its number. So among nodes that are alike, one that
        // is new to the file more likely matches one that only events announced, which is found by
        // its place.
        pairs.pair_between(of, |old, new| of.identity(old) == new.identity());
        pairs.pair_by_identity(of, |old| !(of.is_late)(old) && of.is_announced(old));
        pairs.pair_by_identity(of, |old| !(of.is_late)(old));
        pairs.pair_by_name(of);
        pairs.pair_between(of, |at, it| old[at].is_of_a_kind(it));
        pairs.pair_by_identity(of, of.is_late);
        pairs.pair_by_position(of);
        pairs
    }

    /// The old sibling that a new one matches.
    pub(crate) fn old_of(&self, new: usize) -> Option<usize> {
        Some(self.old_of_new[new]).filter(|old| *old != NONE)
    }

    /// Drops pairs that changed places, as few as possible, so that the rest is in order.
    pub(crate) fn drop_moved(&mut self) {
        let kept = longest_rise(&self.old_of_new);
        let mut kept = kept.into_iter().peekable();
        for new in 0..self.old_of_new.len() {
            if kept.next_if_eq(&new).is_none() {
                self.old_of_new[new] = NONE;
            }
        }
    }

    /// The old siblings without a match, in order.
    pub(crate) fn unpaired_old(&self, old_len: usize) -> Vec<usize> {
        let mut is_paired = vec![false; old_len];
        for old in self.old_of_new.iter().filter(|old| **old != NONE) {
            is_paired[*old] = true;
        }
        (0..old_len).filter(|old| !is_paired[*old]).collect()
    }

    fn none<T>(old: &[T], new: &[T]) -> Self {
        Self { old_of_new: vec![NONE; new.len()], is_paired: vec![false; old.len()] }
    }

    fn pair(&mut self, old: usize, new: usize) {
        self.old_of_new[new] = old;
        self.is_paired[old] = true;
    }

    /// Pairs by keys that are unique among the old ones; nodes without a key are left out.
    fn pair_by<'a, T>(
        &mut self,
        old: &'a [T],
        new: &'a [T],
        old_key: impl Fn(&'a T) -> Option<&'a str>,
        new_key: impl Fn(&'a T) -> Option<&'a str>,
    ) {
        // Most siblings have not moved, so only the others go into a map.
        let mut moved = HashMap::new();
        for (position, sibling) in old.iter().enumerate() {
            let Some(key) = old_key(sibling) else { continue };
            if new.get(position).is_some_and(|new| new_key(new) == Some(key)) {
                self.pair(position, position);
            } else {
                moved.insert(key, position);
            }
        }
        if moved.is_empty() {
            return;
        }
        for (position, sibling) in new.iter().enumerate() {
            if self.old_of_new[position] == NONE
                && let Some(found) = new_key(sibling).and_then(|key| moved.get(key))
            {
                self.pair(*found, position);
            }
        }
    }

    fn pair_by_identity<T: Sibling>(
        &mut self,
        of: &Candidates<'_, T>,
        is_asked: impl Fn(usize) -> bool,
    ) {
        let mut waiting: HashMap<Identity<'_>, VecDeque<usize>> = HashMap::new();
        let old = (0..of.old.len()).filter(|old| {
            !self.is_paired[*old] && !of.has_number_of_its_own(*old) && is_asked(*old)
        });
        for position in old {
            waiting.entry(of.identity(position)).or_default().push_back(position);
        }
        for (position, sibling) in of.new.iter().enumerate() {
            if waiting.is_empty() || self.old_of_new[position] != NONE || (of.is_taken)(position) {
                continue;
            }
            let alike = waiting.get_mut(&sibling.identity()).and_then(VecDeque::pop_front);
            if let Some(found) = alike {
                self.pair(found, position);
            }
        }
    }

    /// Pairs nodes that events announced with the first new sibling that may have that name.
    fn pair_by_name<T: Sibling>(&mut self, of: &Candidates<'_, T>) {
        for (old, sibling) in of.old.iter().enumerate() {
            let is_asked = !(of.is_late)(old) && of.is_announced(old);
            if self.is_paired[old] || !is_asked {
                continue;
            }
            let free = |new: &usize| self.old_of_new[*new] == NONE && !(of.is_taken)(*new);
            let named = (0..of.new.len()).find(|at| free(at) && of.new[*at].may_be(sibling));
            if let Some(new) = named {
                self.pair(old, new);
            }
        }
    }

    /// Pairs nodes that events announced with the new ones between the same two siblings.
    fn pair_between<T: Sibling>(
        &mut self,
        of: &Candidates<'_, T>,
        may_be: impl Fn(usize, &T) -> bool,
    ) {
        // For each new sibling, the old match of the next new one that has one.
        let mut ends = vec![of.old.len(); of.new.len()];
        for at in (1..of.new.len()).rev() {
            ends[at - 1] = self.old_of(at).unwrap_or(ends[at]);
        }
        let mut first = 0;
        for (new, end) in ends.into_iter().enumerate() {
            if let Some(old) = self.old_of(new) {
                first = old + 1;
            } else if !(of.is_taken)(new) {
                let fits = |old: &usize| {
                    !self.is_paired[*old]
                        && of.is_announced(*old)
                        && !(of.is_late)(*old)
                        && may_be(*old, &of.new[new])
                };
                if let Some(old) = (first..end.max(first)).find(fits) {
                    self.pair(old, new);
                    first = old + 1;
                }
            }
        }
    }

    fn pair_by_position<T: Sibling>(&mut self, of: &Candidates<'_, T>) {
        for at in 0..of.old.len().min(of.new.len()) {
            let local = of.new[at].id().local();
            let is_same = local == of.old[at].id().local();
            if is_same && !self.is_paired[at] && self.old_of_new[at] == NONE {
                self.pair(at, at);
            }
        }
    }
}

/// The positions of a longest increasing subsequence, without `NONE`s, by patience sorting.
fn longest_rise(values: &[usize]) -> Vec<usize> {
    // The position of the least value that ends an increasing run of each length.
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
