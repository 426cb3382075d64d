//! The collector for code that was not given one: the process's, or a thread's own in a test.
//!
//! # Synchronization
//! It is set once (`OnceBox`: set by compare-and-swap, read by one Acquire load), so even the
//! first use waits for no other thread: racing threads each create one, and the first one stays.

use std::cell::{Cell, RefCell};
use std::fmt;

use crate::run::collector::MetricsCollector;
use crate::sync::{ColdPath, OnceBox, thread_local};
use crate::time::stamp::Stamp;

static GLOBAL: OnceBox<MetricsCollector> = OnceBox::new();

thread_local! {
    /// Whether there is a `LOCAL`. Without a destructor, so that reading it registers none.
    static IS_LOCAL: Cell<bool> = const { Cell::new(false) };
    /// This thread's own collector, in a test.
    static LOCAL: RefCell<Option<MetricsCollector>> = const { RefCell::new(None) };
}

/// The process's collector: the one passed to [`set_global`], or else one created now, enabled and
/// with its background thread.
///
/// For an application. A library that leaves it to the application whether anything is recorded
/// uses [`try_global`], or macros such as [`increment!`](crate::increment).
///
/// Costs one load after the first use; takes no lock and waits for no other thread. It is never
/// dropped: a program that needs its last samples calls [`MetricsCollector::shutdown`] at its end.
/// An allocator must not call this before a collector exists, because creating one allocates.
pub fn global() -> &'static MetricsCollector {
    match GLOBAL.get() {
        Some(collector) => collector,
        None => make(),
    }
}

#[cold]
fn make() -> &'static MetricsCollector {
    // Turns records made by an allocator inside this function into counted drops.
    let _cold = ColdPath::enter_again();
    let fresh = MetricsCollector::builder().assemble();
    let first = GLOBAL.set(Box::new(fresh.clone())).is_ok();
    // The loser of a race drops its own, which has started no thread.
    let collector = GLOBAL.get_or_init(|| Box::new(fresh));
    if first {
        collector.start_driver();
    }
    collector
}

/// Makes a collector the process's own; only once, and before its first use.
///
/// Without it, [`global`] creates one with the default settings. Waits for no other thread.
///
/// # Errors
/// Returns the collector if the process already has one.
pub fn set_global(collector: MetricsCollector) -> Result<(), AlreadySet> {
    GLOBAL.set(Box::new(collector)).map_err(|collector| AlreadySet(*collector))
}

/// The collector that a library records into without being given one: the process's, if the
/// application has set or used it. Creates none.
///
/// Inside [`testing::with_local`](crate::testing::with_local) it is the test's collector.
pub fn try_global() -> Option<MetricsCollector> {
    if is_local() {
        LOCAL.try_with(|local| local.borrow().clone()).ok()?
    } else {
        existing().cloned()
    }
}

/// This moment by the clock of the collector that [`try_global`] returns; no moment without one, or
/// while its recording is off.
///
/// ```
/// let start = tachograph::now();
/// // ... work ...
/// tachograph::timing!("work.duration", since start);
/// ```
#[inline]
pub fn now() -> Stamp {
    match existing() {
        Some(collector) if !is_local() => collector.now(),
        None if !is_local() => Stamp::default(),
        _ => try_global().map(|collector| collector.now()).unwrap_or_default(),
    }
}

/// The process's collector, if it has been set or used.
#[inline]
pub(crate) fn existing() -> Option<&'static MetricsCollector> {
    GLOBAL.get()
}

/// Whether this thread has a collector of its own.
#[inline]
pub(crate) fn is_local() -> bool {
    IS_LOCAL.get()
}

/// Gives this thread a collector of its own, or takes it away; returns the one before.
pub(crate) fn set_local(collector: Option<MetricsCollector>) -> Option<MetricsCollector> {
    let is_local = collector.is_some();
    // Err: the thread ends, and its collector is gone.
    let before = LOCAL.try_with(|local| local.replace(collector)).ok().flatten();
    IS_LOCAL.set(is_local);
    before
}

/// The process already has a collector; see [`set_global`].
#[derive(Debug)]
pub struct AlreadySet(MetricsCollector);

impl AlreadySet {
    /// The collector that was not set.
    pub fn into_collector(self) -> MetricsCollector {
        self.0
    }
}

impl fmt::Display for AlreadySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the process has a global collector already: set one before the first use of `global`",
        )
    }
}

impl std::error::Error for AlreadySet {}
