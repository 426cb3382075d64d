//! Tracks signs that the set's file is being saved: when a save began, and which events are newer.
//!
//! A file contains the state of the set at the time when writing began, and is read once it has
//! been still for a moment, while events continue. Live first writes to another file, which then
//! takes the set's name: such a save began when that file was first seen. So every file in the
//! folder that is written to is remembered for a while, and if it takes the set's name, its first
//! sign counts as the save's.

use std::ffi::{OsStr, OsString};
use std::time::{Duration, Instant};

use live_set::Mark;

/// How long a file must be unchanged before it counts as written.
pub(crate) const STILL: Duration = Duration::from_millis(100);
/// How long after its last sign another file may still take the set's name.
const PATIENCE: Duration = Duration::from_secs(60);
/// The number of files that are remembered.
const FILES_MAX: usize = 64;

/// An event in the set's folder.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sign<'a> {
    /// A file exists, or was written to.
    Written(&'a OsStr),
    /// A file took another name.
    Renamed { from: &'a OsStr, to: &'a OsStr },
}

#[derive(Debug)]
struct Begun {
    name: OsString,
    /// The first sign.
    mark: Mark,
    last: Instant,
}

#[derive(Debug, Default)]
pub(crate) struct Journal {
    begun: Vec<Begun>,
}

impl Journal {
    pub(crate) fn note(&mut self, sign: Sign<'_>, mark: Mark, now: Instant) {
        match sign {
            Sign::Written(name) => self.begin(name, mark, now),
            Sign::Renamed { from, to } => {
                let began = self.take(from).map_or(mark, |begun| begun.mark);
                // The new name may have been seen before the file's origin was known.
                let since = self.take(to).map_or(began, |begun| begun.mark.min(began));
                self.begin(to, since, now);
            }
        }
    }

    /// When the save of a file began, if there was any sign of one.
    pub(crate) fn began(&self, name: &OsStr) -> Option<Mark> {
        self.begun.iter().find(|begun| begun.name == name).map(|begun| begun.mark)
    }

    /// The save of a file is over. Returns whether others may be in progress.
    pub(crate) fn is_over(&mut self, name: &OsStr, now: Instant) -> bool {
        self.take(name);
        self.begun.retain(|begun| now.saturating_duration_since(begun.last) < PATIENCE);
        !self.begun.is_empty()
    }

    fn begin(&mut self, name: &OsStr, mark: Mark, now: Instant) {
        match self.begun.iter_mut().find(|begun| begun.name == name) {
            Some(begun) => begun.last = now,
            None => {
                if self.begun.len() >= FILES_MAX {
                    self.begun.remove(0);
                }
                self.begun.push(Begun { name: name.to_owned(), mark, last: now });
            }
        }
    }

    fn take(&mut self, name: &OsStr) -> Option<Begun> {
        let at = self.begun.iter().position(|begun| begun.name == name)?;
        Some(self.begun.remove(at))
    }
}

#[cfg(test)]
mod tests {
    use live_set::{Edit, Mirror};

    use super::*;

    #[test]
    fn a_save_began_with_the_first_sign_of_the_file_that_took_the_sets_name() {
        let document = b"<Ableton MinorVersion=\"12.0_1\"><LiveSet/></Ableton>";
        let mut mirror = Mirror::new(live_set::Set::read(&document[..]).expect("a set"));
        let mut marks = (0..4).map(|at| {
            let mark = mirror.mark();
            let edit = Edit::TransportPosition { position: f64::from(at) + 1.0 };
            mirror.apply(&edit).expect("accepted");
            mark
        });
        let mut next = || marks.next().expect("enough");
        let (first, second, third, fourth) = (next(), next(), next(), next());
        let (set, other) = (OsStr::new("a.als"), OsStr::new("a.tmp"));
        let start = Instant::now();
        let mut journal = Journal::default();
        journal.note(Sign::Written(other), first, start);
        assert_eq!(journal.began(set), None);
        journal.note(Sign::Written(other), second, start + STILL * 3);
        // The new name is reported before the renaming.
        journal.note(Sign::Written(set), third, start + STILL * 4);
        journal.note(Sign::Renamed { from: other, to: set }, third, start + STILL * 4);
        assert_eq!(journal.began(set), Some(first));
        assert!(!journal.is_over(set, start + STILL * 5), "nothing else is under way");
        assert_eq!(journal.began(set), None);

        journal.note(Sign::Written(other), second, start);
        assert!(journal.is_over(set, start + STILL), "it may take the set's name yet");
        assert!(!journal.is_over(set, start + PATIENCE));
        journal.note(Sign::Renamed { from: other, to: set }, fourth, start + PATIENCE);
        assert_eq!(journal.began(set), Some(fourth), "too late");
    }
}
