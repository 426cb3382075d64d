//! Keeps broadcasts of one thing apart in time, and never loses its last value.
//!
//! Time comes in as an argument. The first value goes out at once; what comes within the interval
//! is merged, and goes out when the interval is over, also while more keeps coming. Memory follows
//! the number of things that changed within the last interval.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use foldhash::{HashMap, HashMapExt};
use live_set::{Change, ChangeKind, Changes, Path};

/// What waits for its turn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Held {
    pub(crate) changes: Changes,
    /// The version of the tree that the changes lead to.
    pub(crate) version: u64,
}

#[derive(Debug)]
pub(crate) struct Throttle {
    interval: Duration,
    /// What was sent within the last interval, and what has come since.
    slots: HashMap<Path, Option<Held>>,
    /// When each slot's interval ends, the soonest first.
    ends: VecDeque<(Instant, Path)>,
}

impl Throttle {
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, slots: HashMap::new(), ends: VecDeque::new() }
    }

    /// Takes changes of the thing at `key`: gives them back where they may go out now.
    pub(crate) fn offer(&mut self, key: Path, new: Held, now: Instant) -> Option<Held> {
        match self.slots.get_mut(&key) {
            None => {
                self.slots.insert(key, None);
                self.ends.push_back((now + self.interval, key));
                Some(new)
            }
            Some(Some(held)) => {
                merge(held, new);
                None
            }
            Some(empty) => {
                *empty = Some(new);
                None
            }
        }
    }

    /// The next changes whose interval is over.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Held> {
        while let Some(&(end, key)) = self.ends.front().filter(|(end, _)| *end <= now) {
            self.ends.pop_front();
            match self.slots.get_mut(&key).and_then(Option::take) {
                Some(held) => {
                    // Late or not, the next interval starts with what goes out now.
                    self.ends.push_back((end.max(now) + self.interval, key));
                    return Some(held);
                }
                None => {
                    self.slots.remove(&key);
                }
            }
        }
        None
    }

    /// When to ask again; `None` while nothing was sent within the last interval.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.ends.front().map(|(end, _)| *end)
    }

    /// Forgets what waits: viewers are sent the whole tree.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.ends.clear();
    }
}

/// Makes one record of two of the same attribute: from the value that was sent last to the newest.
fn merge(held: &mut Held, new: Held) {
    held.version = new.version;
    for (old, new) in held.changes.changes.iter_mut().zip(new.changes.changes) {
        merge_record(old, new);
    }
}

fn merge_record(old: &mut Change, new: Change) {
    old.seq_num = new.seq_num;
    if let ChangeKind::StateChanged { new_value, .. } = &mut old.kind
        && let ChangeKind::StateChanged { new_value: newest, .. } = new.kind
    {
        *new_value = newest;
    }
}
