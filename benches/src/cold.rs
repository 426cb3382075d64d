//! The cost of a call that finds none of its data in the core's caches.

use std::hint::black_box;

use crate::case::{Case, Done, Single};
use crate::figures::Figures;
use crate::limits::empty;
use crate::stamps::Stamps;

/// Memory that other work touches between two calls: four times the second-level cache per core of
/// the larger machines.
const OTHER_WORK_BYTES: usize = 4 << 20;
const LINE_BYTES: usize = 64;

/// Reads and writes a word of each cache line.
fn other_work(memory: &mut [u64]) {
    for word in memory.iter_mut().step_by(LINE_BYTES / size_of::<u64>()) {
        *word = black_box(*word).wrapping_add(1);
    }
}

/// Calls per figure.
pub const COLD_CALLS: u64 = 60;
/// The number of calls that a figure averages. The slowest are left out, and the interrupts with
/// them: an interrupt takes as long as a hundred calls.
pub const COLD_KEPT: usize = 54;

/// Measures single operations with other work before each. A figure is the mean of the fastest
/// [`COLD_KEPT`] of [`COLD_CALLS`], over the same without an operation. Cases take turns from round
/// to round.
///
/// # Panics
/// If a case's check fails.
pub fn cold(cases: &[Case<'_>], rounds: usize) -> Vec<Figures> {
    let stamps = Stamps::new();
    let mut memory = vec![0; OTHER_WORK_BYTES / size_of::<u64>()];
    let mut mean = |case: &Case<'_>, single: &mut Single<'_>| {
        (case.between)();
        let mut ticks: Vec<u64> =
            (0..COLD_CALLS).map(|i| single(&stamps, &mut || other_work(&mut memory), i)).collect();
        case.add(Done { operations: COLD_CALLS, sum: COLD_CALLS * (COLD_CALLS - 1) / 2 });
        ticks.sort_unstable();
        let kept: u64 = ticks.iter().take(COLD_KEPT).sum();
        stamps.nanos(kept as f64 / COLD_KEPT as f64)
    };
    let nothing = empty();
    let mut single_nothing = nothing.single();
    for case in cases {
        mean(case, &mut case.single());
        // Its state has gone, so that a rival that buffers has passed everything on.
        case.assert_done();
    }
    let mut singles: Vec<_> = cases.iter().map(Case::single).collect();
    let mut figures: Vec<_> = cases.iter().map(|_| Vec::with_capacity(rounds)).collect();
    for _ in 0..rounds {
        let of_nothing = mean(&nothing, &mut single_nothing);
        for ((case, single), figures) in cases.iter().zip(&mut singles).zip(&mut figures) {
            figures.push(mean(case, single) - of_nothing);
        }
    }
    drop(singles);
    cases.iter().for_each(Case::assert_done);
    figures.into_iter().map(Figures::of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::own_word;

    #[test]
    fn a_cold_word_takes_longer_than_nothing() {
        let figures = cold(&[own_word()], 9)[0];
        assert!(figures.median > 0.0);
    }

    #[test]
    fn other_work_goes_through_every_line() {
        let mut memory = vec![0; 64];
        other_work(&mut memory);
        assert_eq!(memory.iter().sum::<u64>(), 64 / 8);
    }
}
