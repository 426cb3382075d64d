//! A sliding window in steps, plus the total of everything that has left it.
//!
//! A sample is folded once, into the current step. A step that leaves the window is added to the
//! closed total, so lifetime = closed + window. The collector numbers the steps; a step without
//! samples takes no space.

use std::time::{Duration, SystemTime};

use crate::sync::fault;

/// The window step that samples go to, and the window that statistics cover.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// The current step's number; `None` for a collector without windows.
    pub(crate) now: Option<u64>,
    /// Steps in the window.
    pub(crate) width: u64,
    /// The time of the pass, by the wall clock.
    pub(crate) wall: SystemTime,
}

/// Values that can be added up.
pub(crate) trait Accumulate: Default {
    fn absorb(&mut self, other: &Self);
    fn is_empty(&self) -> bool;
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Windowed<T> {
    closed: T,
    /// Steps with samples, oldest first.
    steps: Vec<(u64, T)>,
}

impl<T: Accumulate> Windowed<T> {
    /// The accumulator for samples of step `now`; `None` for a collector without windows.
    pub(crate) fn current(&mut self, now: Option<u64>) -> &mut T {
        let Some(now) = now else { return &mut self.closed };
        // Step numbers only increase, so a late caller adds to the newest step.
        if self.steps.last().is_none_or(|(step, _)| *step < now) {
            // Reserves one at a time: there are few steps, and spare capacity would double the size
            // of a counter.
            self.steps.reserve_exact(1);
            self.steps.push((now, T::default()));
        }
        match self.steps.last_mut() {
            Some((_, current)) => current,
            None => &mut self.closed,
        }
    }

    /// Closes the steps that have left a window of `width` steps that ends with `now`; returns
    /// whether there were any.
    pub(crate) fn slide(&mut self, now: u64, width: u64) -> bool {
        let mut moved = false;
        while let Some((step, left)) = self.steps.first()
            && step + width <= now
        {
            fault::point("window: a step closes");
            self.closed.absorb(left);
            // There are few steps, and this happens once per step.
            self.steps.remove(0);
            moved = true;
        }
        moved
    }

    /// The steps in the window.
    pub(crate) fn window(&self) -> impl Iterator<Item = &T> {
        self.steps.iter().map(|(_, step)| step)
    }

    /// The total of everything that has left the window.
    pub(crate) fn closed(&self) -> &T {
        &self.closed
    }

    /// Everything since the start or the last reset.
    pub(crate) fn lifetime(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.closed).chain(self.window())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lifetime().all(T::is_empty)
    }
}

/// The time that steps cover.
impl Accumulate for Duration {
    fn absorb(&mut self, other: &Self) {
        *self += *other;
    }

    fn is_empty(&self) -> bool {
        self.is_zero()
    }
}

/// The sum of some steps.
pub(crate) fn sum<'a, T: Accumulate + 'a>(parts: impl Iterator<Item = &'a T>) -> T {
    let mut total = T::default();
    parts.for_each(|part| total.absorb(part));
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Clone, Copy, PartialEq)]
    struct Count(u64);

    impl Accumulate for Count {
        fn absorb(&mut self, other: &Self) {
            self.0 += other.0;
        }
        fn is_empty(&self) -> bool {
            self.0 == 0
        }
    }

    #[test]
    fn steps_leave_the_window_and_stay_in_the_lifetime() {
        let mut windowed = Windowed::<Count>::default();
        for step in [0, 1, 1, 2, 9] {
            windowed.slide(step, 6);
            windowed.current(Some(step)).0 += 1;
        }
        assert_eq!(sum(windowed.window()), Count(1));
        assert_eq!(sum(windowed.lifetime()), Count(5));
        assert!(windowed.slide(1_000, 6));
        assert_eq!((sum(windowed.window()), *windowed.closed()), (Count(0), Count(5)));
    }

    #[test]
    fn without_windows_everything_is_lifetime() {
        let mut windowed = Windowed::<Count>::default();
        windowed.current(None).0 += 3;
        assert_eq!(sum(windowed.window()), Count(0));
        assert_eq!(sum(windowed.lifetime()), Count(3));
    }
}
