//! Tracks, scenes and devices: matching them, adding and removing them, and their order.

use std::collections::{HashMap, HashSet};

use super::Merge;
use super::order::{is_rising, put_back, weave};
use crate::compare::inherit::Inherit;
use crate::compare::matching::{Candidates, Pairs};
use crate::compare::numbers::numbered;
use crate::touched::{Taken, What};
use crate::tree::{Node, NodeId};

/// Nodes that both edits and files create, change and remove.
pub(super) trait Merged: Inherit {
    /// Applies the file's changes. `old` is what the file is compared with, `known` the node in the
    /// file as last read.
    fn merge(
        &mut self,
        old: Option<&Self>,
        known: Option<&Self>,
        file: &mut Self,
        merge: &mut Merge<'_>,
    );

    /// Whether they are equal except for ids and positions.
    fn is_same(&self, other: &Self) -> bool;

    /// Casts a node, if it is of this type.
    fn of(node: &Node) -> Option<&Self>;

    /// Gives the nodes below a node of the file the ids that they had in the file as last read.
    fn take_ids(&mut self, known: &Self, merge: &mut Merge<'_>) {
        self.inherit(known, &mut merge.ids);
    }

    /// Prepares a node of the file for entering the set.
    fn arrive(&mut self, _: &mut Merge<'_>) -> Self {
        self.clone()
    }
}

/// One of the merged siblings, by its position in the set or in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    Set(usize),
    File(usize),
}

impl Merge<'_> {
    /// Merges siblings of one type in an owner.
    pub(super) fn siblings<T: Merged>(
        &mut self,
        owner: &NodeId,
        set: Vec<T>,
        (old, known): (&[T], &[T]),
        file: &mut [T],
    ) -> Vec<T> {
        let gone = self.taken_out(&set, known, file);
        let (set, taken) = self.with_taken(owner, set);
        let pairs = self.pairs((&set, known), file, &gone, &taken);
        let (old, known_by_id) = (by_id(old), by_id(known));
        let mut ids: HashSet<_> = set.iter().chain(known).map(|it| it.id().clone()).collect();
        // Only in the set: the file has removed it, or does not have it yet.
        let stays = |it: &T| {
            let is_newer = || self.is_newer(it.id(), What::Life);
            !taken.contains_key(it.id()) && (!old.contains_key(it.id()) || is_newer())
        };
        let mut stays: Vec<_> = set.iter().map(stays).collect();
        let mut set: Vec<_> = set.into_iter().map(Some).collect();
        let mut arrived = HashMap::new();
        let mut in_file = Vec::with_capacity(file.len());
        let mut pairs_in_set = Vec::with_capacity(file.len());
        for (at, node) in file.iter_mut().enumerate() {
            let pair = pairs.old_of(at);
            if let Some((pair, own)) = pair.and_then(|pair| Some((pair, set[pair].as_mut()?))) {
                let id = own.id().clone();
                self.ids.rename(node, id.clone());
                let (old, known) = (old.get(&id), known_by_id.get(&id));
                // It stays removed: the next save will not have it.
                if taken.contains_key(&id) {
                    known.into_iter().for_each(|known| node.take_ids(known, self));
                    continue;
                }
                own.merge(old.copied(), known.copied(), node, self);
                pairs_in_set.push((pair, self.is_newer(&id, What::Life)));
                stays[pair] = true;
                in_file.push(Place::Set(pair));
            } else if self.comes(node, gone[at].map(|at| &known[at]), owner, &mut ids) {
                arrived.insert(at, node.arrive(self));
                in_file.push(Place::File(at));
            }
        }
        let in_set = (0..set.len()).filter(|at| stays[*at]).map(Place::Set);
        let in_set: Vec<_> = in_set.collect();
        // Edits do not move nodes that a file knows. Of two orders the file's is therefore the
        // newer, unless an edit has since put something back in its place.
        let is_moved = !is_rising(pairs_in_set.iter().map(|pair| pair.0))
            && pairs_in_set.iter().all(|(_, is_newer)| !is_newer);
        let order = if is_moved { weave(&in_file, &in_set) } else { weave(&in_set, &in_file) };
        let node = |place| match place {
            Place::Set(at) => set[at].take(),
            Place::File(at) => arrived.remove(&at),
        };
        let mut merged = Vec::with_capacity(order.len());
        merged.extend(order.into_iter().filter_map(node));
        merged
    }

    /// Gives a node of the file that is not in the set its id; returns whether it enters the set.
    /// It does not if an edit removed it and the file has not changed it since.
    fn comes<T: Merged>(
        &mut self,
        node: &mut T,
        known: Option<&T>,
        owner: &NodeId,
        ids: &mut HashSet<NodeId>,
    ) -> bool {
        let Some(known) = known else {
            self.ids.name(node, owner, ids);
            return true;
        };
        self.ids.rename(node, known.id().clone());
        node.take_ids(known, self);
        !self.is_newer(known.id(), What::Life) && (self.terms.as_it_is || !known.is_same(node))
    }

    /// The nodes of the file that are known but no longer in the set, because an edit removed them.
    fn taken_out<T: Merged>(&self, set: &[T], known: &[T], file: &[T]) -> Vec<Option<usize>> {
        let there: HashSet<_> = set.iter().map(T::id).collect();
        let gone = known.iter().enumerate().filter(|(_, it)| !there.contains(it.id()));
        let gone = gone.map(|(at, it)| (self.ids.earlier.local(it.id()), at));
        let gone: HashMap<_, _> = gone.filter(|(local, _)| numbered(local).is_some()).collect();
        file.iter().map(|it| gone.get(it.id().local()).copied()).collect()
    }

    /// The siblings, plus, in their old places, those that edits removed after the save began. The
    /// file still has these, and they must not count as new. The map holds their ids, and whether
    /// they also came after the save began.
    fn with_taken<T: Merged>(
        &self,
        owner: &NodeId,
        set: Vec<T>,
    ) -> (Vec<T>, HashMap<NodeId, bool>) {
        let began = self.terms.began;
        let taken = self.terms.touched.taken_after(began, owner);
        let taken = taken.filter_map(|taken| Some((T::of(&taken.node)?, taken)));
        // A save may have restored one that an edit then removed again: the last removal counts.
        let mut taken: HashMap<_, _> =
            taken.map(|(node, taken)| (node.id(), (node, taken))).collect();
        set.iter().for_each(|it| _ = taken.remove(it.id()));
        if taken.is_empty() {
            return (set, HashMap::new());
        }
        let mut gone: Vec<_> = taken.values().map(|(node, taken)| (node.id(), *taken)).collect();
        gone.sort_unstable_by_key(|(_, taken)| taken.went);
        let gone: Vec<_> = gone.iter().map(|(id, taken)| (*id, taken.after.as_ref())).collect();
        let there: Vec<_> = set.iter().map(|it| it.id().clone()).collect();
        let order = put_back(&there.iter().collect::<Vec<_>>(), &gone);
        let mut set = set.into_iter();
        let node = |id| taken.get(id).map_or_else(|| set.next(), |(node, _)| Some((*node).clone()));
        let all = order.into_iter().filter_map(node).collect();
        let is_late = |(node, taken): &(&T, &Taken)| (node.id().clone(), taken.came_after(began));
        (all, taken.values().map(is_late).collect())
    }

    /// Matches nodes of the set and of the file. The file has the old names of nodes renamed after
    /// the save began. A node removed after the save began does not match one that came since: a
    /// file that old contains neither.
    fn pairs<T: Merged>(
        &self,
        (set, known): (&[T], &[T]),
        file: &[T],
        gone: &[Option<usize>],
        taken: &HashMap<NodeId, bool>,
    ) -> Pairs {
        let is_new = |it: &T| self.is_newer(it.id(), What::Life);
        let is_late = |it: &T| taken.get(it.id()).copied().unwrap_or_else(|| is_new(it));
        Pairs::alike(&Candidates {
            old: set,
            new: file,
            numbers: self.ids.earlier,
            keeps_numbers: self.terms.keeps_numbers,
            is_late: &|at| is_late(&set[at]),
            earlier_name: &|at| {
                let it = &set[at];
                self.terms.touched.name_at(self.terms.began, it.id()).filter(|_| !is_late(it))
            },
            is_taken: &|at| gone[at].is_some_and(|at| is_new(&known[at])),
        })
    }
}

/// Nodes by id.
fn by_id<T: Merged>(nodes: &[T]) -> HashMap<&NodeId, &T> {
    nodes.iter().map(|it| (it.id(), it)).collect()
}
