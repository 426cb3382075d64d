//! The edits since the set's file was seen to change: what is read from it is older than they are.
//!
//! A file says what the set was when its writing began. It is read once it has been still for a
//! moment, and events go on meanwhile. So from the first sign of a save on every edit is noted,
//! and done again to what was read. A sign after a pause is that of another save, which knows of
//! everything that was noted before.

use std::time::{Duration, Instant};

use live_set::Edit;

/// How long a file has to be as it is before it counts as written.
pub(crate) const STILL: Duration = Duration::from_millis(100);
/// Edits that are noted: ten seconds of the fastest sender.
const EDITS_MAX: usize = 1 << 16;

#[derive(Debug)]
pub(crate) struct Journal {
    edits: Vec<Edit>,
    /// More came than are noted.
    is_full: bool,
    last_sign: Instant,
    /// Signs since the journal was begun.
    signs: u64,
}

impl Journal {
    pub(crate) fn begin(now: Instant) -> Self {
        Self { edits: Vec::new(), is_full: false, last_sign: now, signs: 1 }
    }

    /// Something has happened to the file again.
    pub(crate) fn sign(&mut self, now: Instant) {
        if now.saturating_duration_since(self.last_sign) >= STILL {
            self.edits.clear();
            self.is_full = false;
        }
        self.last_sign = now;
        self.signs += 1;
    }

    pub(crate) const fn signs(&self) -> u64 {
        self.signs
    }

    pub(crate) fn note(&mut self, edit: Edit) {
        if self.edits.len() < EDITS_MAX {
            self.edits.push(edit);
        } else {
            self.is_full = true;
        }
    }

    /// What to do again, in its order. Nothing where some of it is missing: the rest may point at
    /// something else then.
    pub(crate) fn edits(&self) -> &[Edit] {
        if self.is_full { &[] } else { &self.edits }
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.is_full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(position: usize) -> Edit {
        Edit::TransportPosition { position: position as f64 }
    }

    #[test]
    fn signs_of_one_save_keep_what_was_noted_and_another_save_forgets_it() {
        let start = Instant::now();
        let mut journal = Journal::begin(start);
        journal.note(edit(0));
        journal.sign(start + STILL / 2);
        journal.note(edit(1));
        journal.sign(start + STILL);
        assert_eq!(journal.edits(), [edit(0), edit(1)]);
        journal.sign(start + 2 * STILL);
        journal.note(edit(2));
        assert_eq!((journal.edits(), journal.signs()), (&[edit(2)][..], 4));
    }

    #[test]
    fn of_more_edits_than_are_noted_none_is_done_again_until_the_next_save() {
        let start = Instant::now();
        let mut journal = Journal::begin(start);
        (0..=EDITS_MAX).for_each(|i| journal.note(edit(i)));
        assert!(journal.is_full() && journal.edits().is_empty());
        journal.sign(start + STILL);
        journal.note(edit(7));
        assert_eq!((journal.edits(), journal.is_full()), (&[edit(7)][..], false));
    }
}
