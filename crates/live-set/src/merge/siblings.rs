//! Tracks, scenes and devices: which are the same, which come and go, and in what order they are.

use std::collections::{HashMap, HashSet};

use super::Merge;
use super::order::{is_rising, weave};
use crate::inherit::Inherit;
use crate::matching::{Candidates, Pairs};
use crate::numbers::numbered;
use crate::touched::What;
use crate::tree::NodeId;

/// Nodes that both edits and files make, change and take out.
pub(super) trait Merged: Inherit {
    /// Takes in what the file changed. `old` is what the file is compared with, `known` the node
    /// in the file as it was read last.
    fn merge(
        &mut self,
        old: Option<&Self>,
        known: Option<&Self>,
        file: &mut Self,
        merge: &mut Merge<'_>,
    );

    /// Equal but for ids and positions.
    fn is_same(&self, other: &Self) -> bool;

    /// A node of the file as it comes into the set.
    fn arrive(&mut self, _: &mut Merge<'_>) -> Self {
        self.clone()
    }
}

/// One of the merged siblings, by its position among those of the set or of the file.
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
        let pairs = self.pairs((&set, known), file, &gone);
        let (old, known_by_id) = (by_id(old), by_id(known));
        let mut ids: HashSet<_> = set.iter().chain(known).map(|it| it.id().clone()).collect();
        // Who is in the set only: the file has taken it out, or does not have it yet.
        let stays = |it: &T| !old.contains_key(it.id()) || self.is_newer(it.id(), What::Life);
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
        // Edits move nothing that a file knows: of two orders it is the file's that is new, unless
        // an edit has since put something where it belongs.
        let is_moved = !is_rising(pairs_in_set.iter().map(|pair| pair.0))
            && pairs_in_set.iter().all(|(_, is_newer)| !is_newer);
        let order = if is_moved { weave(&in_file, &in_set) } else { weave(&in_set, &in_file) };
        let node = |place| match place {
            Place::Set(at) => set[at].take(),
            Place::File(at) => arrived.remove(&at),
        };
        order.into_iter().filter_map(node).collect()
    }

    /// Gives a node of the file that the set does not have its id; says whether it comes into the
    /// set. It does not where an edit took it out, and the file has not changed it since.
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
        node.inherit(known, &mut self.ids);
        !self.is_newer(known.id(), What::Life) && (self.as_it_is || !known.is_same(node))
    }

    /// Which nodes of the file are known, but not in the set any more: an edit took them out.
    fn taken_out<T: Merged>(&self, set: &[T], known: &[T], file: &[T]) -> Vec<Option<usize>> {
        let there: HashSet<_> = set.iter().map(T::id).collect();
        let gone = known.iter().enumerate().filter(|(_, it)| !there.contains(it.id()));
        let gone = gone.map(|(at, it)| (self.ids.earlier.local(it.id()), at));
        let gone: HashMap<_, _> = gone.filter(|(local, _)| numbered(local).is_some()).collect();
        file.iter().map(|it| gone.get(it.id().local()).copied()).collect()
    }

    /// Which nodes of the set and of the file are the same thing. What was taken out after the save
    /// began is none that came since: a file that old knows of neither.
    fn pairs<T: Merged>(
        &self,
        (set, known): (&[T], &[T]),
        file: &[T],
        gone: &[Option<usize>],
    ) -> Pairs {
        let is_new = |it: &T| self.is_newer(it.id(), What::Life);
        Pairs::alike(&Candidates {
            old: set,
            new: file,
            numbers: self.ids.earlier,
            is_late: &|at| is_new(&set[at]),
            is_taken: &|at| gone[at].is_some_and(|at| is_new(&known[at])),
        })
    }
}

/// Nodes by id.
fn by_id<T: Merged>(nodes: &[T]) -> HashMap<&NodeId, &T> {
    nodes.iter().map(|it| (it.id(), it)).collect()
}
