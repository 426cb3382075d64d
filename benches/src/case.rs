//! An operation under measurement.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::stamps::Stamps;

/// Repeats an operation the given number of times.
type Repeat<'a> = Box<dyn FnMut(u64) + 'a>;

/// Runs the preparation, then times only the operation with the given number; returns ticks.
pub(crate) type Single<'a> = Box<dyn FnMut(&Stamps, &mut dyn FnMut(), u64) -> u64 + 'a>;

/// The work done so far, including warm-ups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// The number of operations.
    pub operations: u64,
    /// The sum of their numbers.
    pub sum: u64,
}

/// An operation, the state each measuring thread keeps for it, and the check that it worked.
pub struct Case<'a> {
    name: &'static str,
    before: Box<dyn Fn() + Sync + 'a>,
    start: Box<dyn Fn() -> Repeat<'a> + Sync + 'a>,
    single: Box<dyn Fn() -> Single<'a> + Sync + 'a>,
    pub(crate) between: Box<dyn Fn() + Sync + 'a>,
    check: Box<dyn Fn(Done) + Sync + 'a>,
    coalesced: Box<dyn Fn() -> Option<f64> + Sync + 'a>,
    /// Operations so far. Measuring threads add to it; it is read after they end.
    operations: AtomicU64,
    /// The sum of their numbers, accessed like `operations`.
    sum: AtomicU64,
}

impl std::fmt::Debug for Case<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Case").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<'a> Case<'a> {
    /// Measures `operation`, which gets the state that `subject` created on its thread, and the
    /// operation's number in its burst.
    pub fn new<S: 'a>(
        name: &'static str,
        subject: impl Fn() -> S + Send + Sync + 'a,
        operation: impl Fn(&S, u64) + Copy + Sync + 'a,
    ) -> Self {
        let subject = Arc::new(subject);
        let subject_of_single = Arc::clone(&subject);
        let start = move || -> Repeat<'a> {
            let subject = subject();
            // `black_box` hides the subject's address on every call, so nothing that the operation
            // reads from it can stay in a register.
            Box::new(move |times| (0..times).for_each(|i| operation(black_box(&subject), i)))
        };
        let single = move || -> Single<'a> {
            let subject = subject_of_single();
            Box::new(move |stamps, prepare, i| {
                prepare();
                let before = stamps.now();
                operation(black_box(&subject), i);
                stamps.now().wrapping_sub(before)
            })
        };
        Self {
            name,
            before: Box::new(|| ()),
            start: Box::new(start),
            single: Box::new(single),
            between: Box::new(|| ()),
            check: Box::new(|_| ()),
            coalesced: Box::new(|| None),
            operations: AtomicU64::new(0),
            sum: AtomicU64::new(0),
        }
    }

    /// Renames the case.
    pub fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Runs `act` on each measuring thread before its first operation.
    pub fn before(mut self, act: impl Fn() + Sync + 'a) -> Self {
        self.before = Box::new(act);
        self
    }

    /// Runs `act` between bursts, while the clock stands still.
    pub fn between(mut self, act: impl Fn() + Sync + 'a) -> Self {
        self.between = Box::new(act);
        self
    }

    /// Runs `check` with the work done so far, before the first figure is taken and after the last
    /// one. It panics if the operations have not all done what they should.
    pub fn check(mut self, check: impl Fn(Done) + Sync + 'a) -> Self {
        self.check = Box::new(check);
        self
    }

    /// Says how `share` finds the samples that were coalesced.
    pub fn coalesces(mut self, share: impl Fn() -> Option<f64> + Sync + 'a) -> Self {
        self.coalesced = Box::new(share);
        self
    }

    /// The percentage of the samples so far that were coalesced; `None` if that cannot happen.
    pub fn coalesced(&self) -> Option<f64> {
        (self.coalesced)()
    }

    /// The operation's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn start(&self) -> impl FnMut(u64) {
        (self.before)();
        let mut repeat = (self.start)();
        move |times| {
            self.add(Done { operations: times, sum: times * times.saturating_sub(1) / 2 });
            repeat(times);
        }
    }

    /// The operation, one at a time. The caller reports it with `add`, while nothing is timed.
    pub(crate) fn single(&self) -> Single<'a> {
        (self.before)();
        (self.single)()
    }

    /// Adds to the work done.
    pub(crate) fn add(&self, done: Done) {
        // Relaxed, both: read after the thread has been joined.
        self.operations.fetch_add(done.operations, Ordering::Relaxed);
        self.sum.fetch_add(done.sum, Ordering::Relaxed);
    }

    /// Runs the check.
    pub(crate) fn assert_done(&self) {
        // Relaxed, both: see `add`.
        let operations = self.operations.load(Ordering::Relaxed);
        (self.check)(Done { operations, sum: self.sum.load(Ordering::Relaxed) });
    }
}

/// Asserts that a series holds one record per operation, or nothing if recording was compiled out.
pub fn every_record(found: Option<impl TryInto<u64>>, operations: u64) {
    let found = found.and_then(|found| found.try_into().ok()).unwrap_or(0);
    assert_eq!(found, if cfg!(feature = "record") { operations } else { 0 });
}
