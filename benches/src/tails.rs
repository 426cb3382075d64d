//! The slowest of many single operations.

use hdrhistogram::Histogram;

use crate::case::{Case, Done};
use crate::limits::empty;
use crate::stamps::Stamps;

/// Single operations, and the machine's own pauses in the same run.
#[derive(Clone, Debug)]
pub struct Tail {
    calls: Histogram<u64>,
    nothing: Histogram<u64>,
    nanos_per_tick: f64,
}

impl Tail {
    fn new(stamps: &Stamps) -> Self {
        // Of a fixed size, some minutes wide: growing would disturb the measurement, and with
        // saturation a growable histogram caps values at its initial range.
        let histogram = || Histogram::new_with_max(1 << 40, 3).expect("three digits are valid");
        Self { calls: histogram(), nothing: histogram(), nanos_per_tick: stamps.nanos(1.0) }
    }

    /// A quantile of the calls in nanoseconds, including the pair of stamps.
    pub fn of_calls(&self, quantile: f64) -> f64 {
        self.calls.value_at_quantile(quantile) as f64 * self.nanos_per_tick
    }

    /// The same quantile of two stamps with nothing in between: the machine's own.
    pub fn of_nothing(&self, quantile: f64) -> f64 {
        self.nothing.value_at_quantile(quantile) as f64 * self.nanos_per_tick
    }

    /// The number of calls, and of empty pairs.
    pub fn count(&self) -> u64 {
        self.calls.len()
    }
}

/// Times `calls` single operations of each case, a thousand at a time and in turns. An empty
/// operation follows each one, so whatever hits the thread hits both alike.
///
/// # Panics
/// If a case's check fails.
pub fn tails(cases: &[Case<'_>], calls: u64) -> Vec<Tail> {
    const TURN: u64 = 1_000;
    let stamps = Stamps::new();
    let nothing = empty();
    let mut nothing = nothing.single();
    let mut singles: Vec<_> = cases.iter().map(Case::single).collect();
    let mut tails = vec![Tail::new(&stamps); cases.len()];
    for turn in 0..=calls / TURN {
        for ((case, single), tail) in cases.iter().zip(&mut singles).zip(&mut tails) {
            (case.between)();
            for i in 0..TURN {
                let of_call = single(&stamps, &mut || (), i);
                let of_nothing = nothing(&stamps, &mut || (), i);
                // The first turn is a warm-up.
                if turn > 0 {
                    tail.calls.saturating_record(of_call);
                    tail.nothing.saturating_record(of_nothing);
                }
            }
            case.add(Done { operations: TURN, sum: TURN * (TURN - 1) / 2 });
        }
        if turn == 0 {
            cases.iter().for_each(Case::assert_done);
        }
    }
    cases.iter().for_each(Case::assert_done);
    tails
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn slow_calls_are_told_as_slow() {
        let nap = std::time::Duration::from_micros(50);
        let case = Case::new("nap", || (), |(), _| std::thread::sleep(nap));
        let tail = &tails(&[case], 1_000)[0];
        assert!(tail.of_calls(0.0) > 49_000.0, "{} ns", tail.of_calls(0.0));
    }

    #[test]
    fn every_call_is_made_and_counted() {
        let (calls, sum) = (AtomicU64::new(0), AtomicU64::new(0));
        let add = |(): &(), i| {
            // Relaxed: the count guards no other data.
            calls.fetch_add(1, Ordering::Relaxed);
            sum.fetch_add(i, Ordering::Relaxed);
        };
        let case = Case::new("add", || (), add).check(|done| {
            // Relaxed: neither count guards other data.
            let found = [&calls, &sum].map(|word| word.load(Ordering::Relaxed));
            assert_eq!(found, [done.operations, done.sum]);
        });
        let tail = &tails(&[case], 2_000)[0];
        // Relaxed: the count guards no other data.
        assert_eq!((tail.count(), calls.load(Ordering::Relaxed)), (2_000, 3_000));
    }
}
