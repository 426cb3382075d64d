//! Spaces out broadcasts of the same thing, without ever losing its last value.
//!
//! Time is an argument. The first value is sent at once; values within the interval are merged, and
//! sent when the interval is over, even while more keep arriving. Memory depends on the number of
//! things that changed within the last interval.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use foldhash::{HashMap, HashMapExt};
use live_set::{Change, ChangeKind, Changes, Path};

/// A change waiting for its turn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Held {
    pub(crate) changes: Changes,
    /// The version of the tree that the changes lead to.
    pub(crate) version: u64,
}

#[derive(Debug)]
pub(crate) struct Throttle {
    interval: Duration,
    /// What was sent within the last interval, and what has arrived since.
    slots: HashMap<Path, Option<Held>>,
    /// When each slot's interval ends, soonest first.
    ends: VecDeque<(Instant, Path)>,
}

impl Throttle {
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, slots: HashMap::new(), ends: VecDeque::new() }
    }

    /// Adds changes of the thing at `key`: returns them if they may be sent now.
    pub(crate) fn offer(&mut self, key: Path, new: Held, now: Instant) -> Option<Held> {
        match self.slots.get_mut(&key) {
            None => {
                self.slots.insert(key.clone(), None);
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
        while self.ends.front().is_some_and(|(end, _)| *end <= now) {
            let Some((end, key)) = self.ends.pop_front() else { break };
            match self.slots.get_mut(&key).and_then(Option::take) {
                Some(held) => {
                    // The next interval starts with what is sent now, late or not.
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

    /// Everything that waits, oldest version first. Changes within the interval are held back
    /// again.
    pub(crate) fn take_all(&mut self) -> Vec<Held> {
        let mut all: Vec<_> = self.slots.values_mut().filter_map(Option::take).collect();
        all.sort_unstable_by_key(|held| held.version);
        all
    }

    /// When to ask again; `None` while nothing was sent within the last interval.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.ends.front().map(|(end, _)| *end)
    }

    /// Drops what waits, because viewers are sent the whole tree.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.ends.clear();
    }
}

/// Merges two records of the same attribute: from the value sent last to the newest. A device's
/// switch changes two attributes, but not always both.
fn merge(held: &mut Held, new: Held) {
    held.version = new.version;
    for new in new.changes.changes {
        let mut records = held.changes.changes.iter_mut();
        match records.find(|old| old.path == new.path) {
            Some(old) => merge_record(old, new),
            None => held.changes.changes.push(new),
        }
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

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use live_set::generate::Spec;
    use live_set::{Edit, Set, Value};
    use proptest::prelude::*;

    use super::*;

    const INTERVAL: Duration = Duration::from_millis(100);

    static SET: LazyLock<Set> = LazyLock::new(|| {
        let mut file = Vec::new();
        let spec = Spec { tracks: 1, scenes: 1, clips: 0, ..Spec::default() };
        spec.write_als(&mut file).expect("a vector takes it");
        Set::read(file.as_slice()).expect("the set reads")
    });

    /// What was sent: when, the key, the old and the new value, the version.
    type Sent = (Instant, Path, f64, f64, u64);

    fn said(now: Instant, held: &Held) -> Sent {
        let change = &held.changes.changes[0];
        let ChangeKind::StateChanged { old_value, new_value, .. } = &change.kind else {
            panic!("not one attribute: {change:?}");
        };
        let (Value::Float(old), Value::Float(new)) = (old_value, new_value) else {
            panic!("not a float: {change:?}");
        };
        (now, change.path.clone(), *old, *new, held.version)
    }

    /// Runs edits of parameters, each so long after the previous one; returns what was sent, and
    /// the last version and value of each parameter.
    fn run(edits: &[(usize, u64)]) -> (Vec<Sent>, Vec<(u64, f64)>) {
        let (mut set, mut throttle) = (SET.clone(), Throttle::new(INTERVAL));
        let mut now = Instant::now();
        let (mut sent, mut last) = (Vec::new(), vec![(0, f64::NAN); 4]);
        let flush = |throttle: &mut Throttle, until: Instant, sent: &mut Vec<Sent>| {
            while let Some(due) = throttle.next_due().filter(|due| *due <= until) {
                sent.extend(throttle.take_due(due).map(|held| said(due, &held)));
            }
        };
        for (version, &(parameter, pause)) in (1..).zip(edits) {
            now += Duration::from_millis(pause);
            flush(&mut throttle, now, &mut sent);
            // A value that no parameter starts with: a switch is 0 or 1.
            let value = version as f64 + 0.5;
            let edit = Edit::DeviceParameter { track: 0, device: 0, parameter, value };
            let changes = set.apply(&edit).expect("it has that parameter");
            let key = changes.changes[0].path.clone();
            let offered = throttle.offer(key, Held { changes, version }, now);
            sent.extend(offered.map(|held| said(now, &held)));
            last[parameter] = (version, value);
        }
        flush(&mut throttle, now + 10 * INTERVAL, &mut sent);
        assert!(throttle.slots.is_empty() && throttle.next_due().is_none(), "nothing is kept");
        (sent, last)
    }

    proptest! {
        #[test]
        fn sent_apart_in_order_and_the_last_value_always(
            edits in prop::collection::vec((0..4_usize, 0..60_u64), 1..100),
        ) {
            let (sent, last) = run(&edits);
            for (parameter, (version, value)) in last.into_iter().enumerate() {
                let path = Path::Parameter { track: 0, device: 0, parameter };
                let own: Vec<_> = sent.iter().filter(|sent| sent.1 == path).collect();
                for pair in own.windows(2) {
                    prop_assert!(pair[1].0 - pair[0].0 >= INTERVAL, "{pair:?}");
                    prop_assert_eq!(pair[0].3, pair[1].2, "from the value that was sent last");
                }
                prop_assert_eq!(own.last().map_or(0, |sent| sent.4), version);
                prop_assert!(own.last().is_none_or(|sent| sent.3 == value));
            }
        }
    }

    #[test]
    fn a_continuous_stream_is_sent_once_an_interval_while_it_lasts() {
        let edits = [(0, 1); 1_000];
        let (sent, _) = run(&edits);
        assert_eq!(sent.len(), 11, "at once, then once every 100 of 1,000 ms");
    }
}
