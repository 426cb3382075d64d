//! The cost of a new thread's first operation.

use std::thread;

use crate::case::{Case, Done};
use crate::figures::Figures;
use crate::limits::empty;
use crate::stamps::Stamps;

/// Times the first operation of new threads, one thread at a time; cases take turns. Figures are
/// over two stamps with nothing in between, also on a new thread.
///
/// # Panics
/// If a case's check fails.
pub fn first_on_new_threads(cases: &[Case<'_>], rounds: usize) -> Vec<Figures> {
    let stamps = Stamps::new();
    let first = |case: &Case<'_>| {
        let once = || case.single()(&stamps, &mut || (), 0);
        let ticks = thread::scope(|scope| scope.spawn(once).join().expect("no operation panics"));
        case.add(Done { operations: 1, sum: 0 });
        (case.between)();
        stamps.nanos(ticks as f64)
    };
    for case in cases {
        first(case);
        case.assert_done();
    }
    let nothing = empty();
    let mut of_nothing = Vec::with_capacity(rounds);
    let mut figures: Vec<_> = cases.iter().map(|_| Vec::with_capacity(rounds)).collect();
    for _ in 0..rounds {
        of_nothing.push(first(&nothing));
        for (case, figures) in cases.iter().zip(&mut figures) {
            figures.push(first(case));
        }
    }
    cases.iter().for_each(Case::assert_done);
    let of_nothing = Figures::of(of_nothing);
    figures.into_iter().map(|figures| Figures::of(figures).over(of_nothing)).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    thread_local! {
        static CALLS: Cell<u64> = const { Cell::new(0) };
    }

    #[test]
    fn every_call_is_its_threads_first() {
        let calls = AtomicU64::new(0);
        let count = |(): &(), _| {
            assert_eq!(CALLS.replace(1), 0);
            // Relaxed: the count guards no other data.
            calls.fetch_add(1, Ordering::Relaxed);
        };
        let case = Case::new("first", || (), count)
            .check(|done| assert_eq!(calls.load(Ordering::Relaxed), done.operations));
        first_on_new_threads(&[case], 10);
        // Relaxed: the count guards no other data.
        assert_eq!(calls.load(Ordering::Relaxed), 11);
    }
}
