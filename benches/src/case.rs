//! An operation under measurement.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::stamps::Stamps;

/// Repeats an operation as often as it is told.
type Repeat<'a> = Box<dyn FnMut(u64) + 'a>;

/// Prepares, then times the operation of that number alone; gives ticks.
pub(crate) type Single<'a> = Box<dyn FnMut(&Stamps, &mut dyn FnMut(), u64) -> u64 + 'a>;

/// What has been done so far, warm-ups included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Operations.
    pub operations: u64,
    /// The sum of the numbers that they were given.
    pub sum: u64,
}

/// An operation, what each measuring thread holds for it, and how to tell that it has worked.
pub struct Case<'a> {
    name: &'static str,
    before: Box<dyn Fn() + Sync + 'a>,
    start: Box<dyn Fn() -> Repeat<'a> + Sync + 'a>,
    single: Box<dyn Fn() -> Single<'a> + Sync + 'a>,
    pub(crate) between: Box<dyn Fn() + Sync + 'a>,
    check: Box<dyn Fn(Done) + Sync + 'a>,
    /// Operations so far. Added to by measuring threads, read when they have ended.
    operations: AtomicU64,
    /// The sum of their numbers. As `operations`.
    sum: AtomicU64,
}

impl std::fmt::Debug for Case<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Case").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<'a> Case<'a> {
    /// Measures `operation`, which is given what its thread holds, as `subject` made it on that
    /// thread, and the operation's number in its burst.
    pub fn new<S: 'a>(
        name: &'static str,
        subject: impl Fn() -> S + Send + Sync + 'a,
        operation: impl Fn(&S, u64) + Copy + Sync + 'a,
    ) -> Self {
        let subject = Arc::new(subject);
        let subject_of_single = Arc::clone(&subject);
        let start = move || -> Repeat<'a> {
            let subject = subject();
            // The subject's address is hidden anew each time: nothing that the operation reads
            // of it can be kept in a register.
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
            operations: AtomicU64::new(0),
            sum: AtomicU64::new(0),
        }
    }

    /// Gives it another name.
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

    /// Runs `check` with what has been done so far, before the first figure is taken and after
    /// the last one. It panics if the operations have not all done what they should.
    pub fn check(mut self, check: impl Fn(Done) + Sync + 'a) -> Self {
        self.check = Box::new(check);
        self
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

    /// The operation one at a time. Who calls it says so by `add`, when no figure is at stake.
    pub(crate) fn single(&self) -> Single<'a> {
        (self.before)();
        (self.single)()
    }

    /// Counts what was done.
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

/// Asserts what was read back of a series: one for each operation; nothing where recording was
/// compiled out.
pub fn every_record(found: Option<impl TryInto<u64>>, operations: u64) {
    let found = found.and_then(|found| found.try_into().ok()).unwrap_or(0);
    assert_eq!(found, if cfg!(feature = "record") { operations } else { 0 });
}
