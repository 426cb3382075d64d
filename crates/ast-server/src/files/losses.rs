//! Events that never came: what they changed, the next save that is newer makes good.

use live_set::Mark;

/// Gaps that are remembered one by one.
const GAPS_MAX: usize = 1_024;

#[derive(Debug, Default)]
pub(crate) struct Losses {
    /// When events were found to be missing, and how many.
    gaps: Vec<(Mark, u64)>,
    /// Events that were missing when a save made them good, and may come yet.
    made_good: u64,
}

impl Losses {
    pub(crate) fn lose(&mut self, missing: u32, now: Mark) {
        let missing = u64::from(missing);
        // Fewer saves are newer than the later of two gaps.
        let last = if self.gaps.len() < GAPS_MAX { None } else { self.gaps.pop() };
        self.gaps.push((now, missing + last.map_or(0, |last| last.1)));
    }

    /// One of the missing events has come and was applied. Which gap it was in is not known: it
    /// counts for those that are made good already, so that none is forgotten.
    pub(crate) fn fill(&mut self) {
        if self.made_good > 0 {
            self.made_good -= 1;
        } else if let Some(last) = self.gaps.last_mut() {
            last.1 -= 1;
            self.gaps.retain(|gap| gap.1 > 0);
        }
    }

    /// Whether a save that began at a mark knows more than the events told.
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
