//! Events that never arrived: the next newer save makes up for their changes.

use live_set::Mark;

/// The number of gaps that are remembered individually.
const GAPS_MAX: usize = 1_024;

#[derive(Debug, Default)]
pub(crate) struct Losses {
    /// When events were found missing, and how many.
    gaps: Vec<(Mark, u64)>,
    /// Events that were missing when a save made up for them, and may still arrive.
    made_good: u64,
}

impl Losses {
    pub(crate) fn lose(&mut self, missing: u32, now: Mark) {
        let missing = u64::from(missing);
        // Merged into the later gap, because fewer saves are newer than that one.
        let last = if self.gaps.len() < GAPS_MAX { None } else { self.gaps.pop() };
        self.gaps.push((now, missing + last.map_or(0, |last| last.1)));
    }

    /// A missing event has arrived and was applied. It is unknown which gap it belonged to, so it
    /// counts for gaps that are already made up for; that way none is forgotten.
    pub(crate) fn fill(&mut self) {
        if self.made_good > 0 {
            self.made_good -= 1;
        } else if let Some(last) = self.gaps.last_mut() {
            last.1 -= 1;
            self.gaps.retain(|gap| gap.1 > 0);
        }
    }

    /// Whether a save that began at a mark contains more than the events reported.
    pub(crate) fn are_before(&self, mark: Mark) -> bool {
        self.gaps.iter().any(|gap| gap.0 <= mark)
    }

    /// A save that began at a mark was taken as it is.
    pub(crate) fn make_good(&mut self, mark: Mark) {
        let older = self.gaps.iter().filter(|gap| gap.0 <= mark);
        self.made_good += older.map(|gap| gap.1).sum::<u64>();
        self.gaps.retain(|gap| gap.0 > mark);
    }
}
