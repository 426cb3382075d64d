//! The aggregator's state of one gauge.

use crate::aggregate::window::Step;
use crate::aggregate::window::{Accumulate, Windowed};
use crate::lane::spill::GaugeReading;
use crate::lane::wide::Wide;
use crate::read::stats::GaugeStats;

/// A gauge's values, and which one is current.
#[derive(Debug)]
pub(crate) struct GaugeState {
    pub(super) levels: Windowed<Levels>,
    pub(super) current: Option<f64>,
    /// The sample drained last, until the pass has settled `current`.
    last: Option<f64>,
    /// What the shared word held when the last reset cleared it, until it is set again; NaN then.
    cleared: f64,
    /// Whether a sample since that reset has that value.
    again: bool,
}

impl Default for GaugeState {
    fn default() -> Self {
        Self {
            levels: Windowed::default(),
            current: None,
            last: None,
            cleared: f64::NAN,
            again: false,
        }
    }
}

impl GaugeState {
    /// Begins after a reset that has found this in the shared word.
    pub(super) fn begin_after(&mut self, cleared: f64) {
        self.cleared = cleared;
    }

    /// A drained sample.
    pub(super) fn set(&mut self, value: f64, step: Step) {
        self.levels.current(step.now).set(value);
        self.last = Some(value);
        self.again |= value.to_bits() == self.cleared.to_bits();
    }

    /// What a row has gained.
    pub(super) fn set_in_place(&mut self, gained: GaugeReading, step: Step) {
        let GaugeReading { sum, finite, count, min, max } = gained;
        let levels = Levels { min, max, sum, finite, count };
        self.levels.current(step.now).absorb(&levels);
    }

    /// Settles which value is current, from what the shared word held before the drain; says
    /// whether another one is.
    pub(super) fn settle(&mut self, loaded: f64, step: Step) -> bool {
        let last = self.last.take();
        if self.levels.is_empty() {
            return false;
        }
        let current = if loaded.is_nan() {
            // Nobody has finished setting it since the reset cleared the word. The last to finish
            // before that is current if its sample was not forgotten; else the sample of somebody
            // who is about to finish. Where all were coalesced, none was drained.
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
        if let Some(current) = current.filter(|_| !self.levels.current(step.now).is_empty()) {
            self.levels.current(step.now).widen(current);
        }
        changed
    }
}

/// The values that a gauge was set to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Levels {
    min: f64,
    max: f64,
    sum: Wide,
    finite: u64,
    pub(super) count: u64,
}

impl Default for Levels {
    fn default() -> Self {
        Self {
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            sum: Wide::default(),
            finite: 0,
            count: 0,
        }
    }
}

impl Levels {
    fn set(&mut self, value: f64) {
        self.widen(value);
        self.count += 1;
        if value.is_finite() {
            self.sum = self.sum.plus(value);
            self.finite += 1;
        }
    }

    fn widen(&mut self, value: f64) {
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    pub(super) fn stats(&self, current: Option<f64>) -> GaugeStats {
        // Samples that were all coalesced have no range of their own.
        let known = |value: f64| (self.min <= self.max).then_some(value);
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

    // Not a model: loom lets a swap read a value that another has followed, which no machine does.
    #[test]
    fn of_what_was_set_just_before_a_reset_cleared_the_word_the_last_is_current() {
        let mut gauge = GaugeState::default();
        // Both set after the last drain, the second one to finish in the lane that is drained first.
        gauge.begin_after(1.0);
        gauge.set(1.0, STEP);
        gauge.set(0.0, STEP);
        assert!(gauge.settle(f64::NAN, STEP));
        assert_eq!(gauge.current, Some(1.0));
        assert!(!gauge.settle(f64::NAN, STEP), "and stays so");
        assert!(gauge.settle(5.0, STEP));
        assert_eq!(gauge.current, Some(5.0));
    }

    #[test]
    fn what_was_forgotten_with_a_reset_is_never_current() {
        let mut gauge = GaugeState::default();
        gauge.begin_after(1.0);
        assert!(!gauge.settle(f64::NAN, STEP));
        assert_eq!(gauge.current, None);
        gauge.set(0.0, STEP);
        assert!(gauge.settle(f64::NAN, STEP));
        assert_eq!(gauge.current, Some(0.0));
    }
}
