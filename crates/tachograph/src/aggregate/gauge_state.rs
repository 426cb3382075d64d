//! The aggregator's state of one gauge.

use crate::aggregate::window::{Accumulate, Step, Windowed};
use crate::lane::spill::Levels;
use crate::read::stats::GaugeStats;

/// A gauge's values, and the current one.
#[derive(Debug)]
pub(crate) struct GaugeState {
    pub(super) levels: Windowed<Levels>,
    pub(super) current: Option<f64>,
    /// The sample drained last, until the pass has determined `current`.
    last: Option<f64>,
    /// The shared word's value when the last reset cleared it, until the gauge is set again; then
    /// NaN.
    cleared: f64,
    /// Whether a sample since that reset has this value.
    again: bool,
    /// The overflow gauge that took its samples, and that the next pass sets to its value.
    pub(super) lent: Option<u32>,
}

impl Default for GaugeState {
    fn default() -> Self {
        Self {
            levels: Windowed::default(),
            current: None,
            last: None,
            cleared: f64::NAN,
            again: false,
            lent: None,
        }
    }
}

impl GaugeState {
    /// Starts after a reset that found this value in the shared word.
    pub(super) fn begin_after(&mut self, cleared: f64) {
        self.cleared = cleared;
    }

    /// Adds a drained sample.
    pub(super) fn set(&mut self, value: f64, step: Step) {
        self.levels.current(step.now).set(value);
        self.last = Some(value);
        self.again |= value.to_bits() == self.cleared.to_bits();
    }

    /// Adds the gain of a row.
    pub(super) fn set_in_place(&mut self, gained: &Levels, step: Step) {
        self.levels.current(step.now).absorb(gained);
    }

    /// Determines the current value, given what the shared word held before the drain; returns
    /// whether it changed.
    pub(super) fn settle(&mut self, loaded: f64) -> bool {
        let last = self.last.take();
        if self.levels.is_empty() {
            return false;
        }
        let current = if loaded.is_nan() {
            // No thread has finished setting it since the reset cleared the word. The last one to
            // finish before that is current if its sample was not discarded; otherwise the sample
            // of a thread that is about to finish. If all were coalesced, none was drained.
            let cleared = Some(self.cleared).filter(|cleared| !cleared.is_nan());
            cleared.filter(|_| self.again).or(last).or(self.current).or(cleared)
        } else {
            self.cleared = f64::NAN;
            Some(loaded)
        };
        let changed = current.is_some() && current != self.current;
        if changed {
            self.current = current;
        }
        changed
    }
}

impl Levels {
    fn set(&mut self, value: f64) {
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.count += 1;
        if value.is_finite() {
            self.sum = self.sum.plus(value);
            self.finite += 1;
        }
    }

    pub(super) fn stats(&self, current: Option<f64>) -> GaugeStats {
        let known = |value: f64| (self.count > 0).then_some(value);
        GaugeStats {
            current,
            min: known(self.min),
            max: known(self.max),
            mean: (self.finite > 0).then(|| self.sum.over(self.finite)),
            count: self.count,
            finite: self.finite,
            sum: self.sum,
        }
    }
}

impl Accumulate for Levels {
    fn absorb(&mut self, other: &Self) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum = self.sum.sum(other.sum);
        self.finite += other.finite;
        self.count += other.count;
    }

    fn is_empty(&self) -> bool {
        self.count == 0
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    const STEP: Step = Step { now: None, width: 0, wall: SystemTime::UNIX_EPOCH };

    // Not a model: loom lets a swap read a value that another store has already replaced, which no
    // machine does.
    #[test]
    fn of_what_was_set_just_before_a_reset_cleared_the_word_the_last_is_current() {
        let mut gauge = GaugeState::default();
        // Both set after the last drain; the second one to finish is in the lane drained first.
        gauge.begin_after(1.0);
        gauge.set(1.0, STEP);
        gauge.set(0.0, STEP);
        assert!(gauge.settle(f64::NAN));
        assert_eq!(gauge.current, Some(1.0));
        assert!(!gauge.settle(f64::NAN), "and stays so");
        assert!(gauge.settle(5.0));
        assert_eq!(gauge.current, Some(5.0));
    }

    #[test]
    fn what_was_forgotten_with_a_reset_is_never_current() {
        let mut gauge = GaugeState::default();
        gauge.begin_after(1.0);
        assert!(!gauge.settle(f64::NAN));
        assert_eq!(gauge.current, None);
        gauge.set(0.0, STEP);
        assert!(gauge.settle(f64::NAN));
        assert_eq!(gauge.current, Some(0.0));
    }
}
