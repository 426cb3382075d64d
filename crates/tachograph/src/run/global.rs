//! The collector of the whole process, for code that was not given one.
//!
//! # Synchronization
//! It is set once (`OnceBox`: set by compare-and-swap, read by one Acquire load), so even the
//! first use waits for no other thread: racing threads each create one, and the first one stays.
//! Samples that an allocator records during the creation are counted in `EARLY` until there is a
//! collector that can count them as dropped.

use std::fmt;

use crate::run::collector::MetricsCollector;
use crate::series::warning::DropReason;
use crate::sync::ColdPath;
use crate::sync::{AtomicU64, OnceBox, Ordering};

static GLOBAL: OnceBox<MetricsCollector> = OnceBox::new();

/// Samples recorded before there was a collector. Added to by any thread, taken by the thread that
/// finds one.
static EARLY: AtomicU64 = AtomicU64::new(0);

/// The process's collector: the one passed to [`set_global`], or else one created now, enabled and
/// with its background thread.
///
/// Costs one load after the first use; takes no lock and waits for no other thread. It is never
/// dropped: a program that needs its last samples calls [`MetricsCollector::shutdown`] at its end.
/// An allocator must not call this before a collector exists, because creating one allocates; it
/// can use the static handles, such as [`LazyCounter`](crate::LazyCounter).
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
    count_early(collector);
    collector
}

/// Makes a collector the process's own; only once, and before its first use.
///
/// Without it, [`global`] creates one with the default settings. Waits for no other thread.
///
/// # Errors
/// Returns the collector if the process already has one.
pub fn set_global(collector: MetricsCollector) -> Result<(), AlreadySet> {
    GLOBAL.set(Box::new(collector)).map_err(|collector| AlreadySet(*collector))?;
    GLOBAL.get().into_iter().for_each(count_early);
    Ok(())
}

/// The process's collector, if it has been set or used.
pub(crate) fn existing() -> Option<&'static MetricsCollector> {
    GLOBAL.get()
}

/// Counts a sample that needs a series while this thread is creating the collector or another
/// series: as dropped, once there is a collector to count it.
pub(crate) fn drop_early() {
    // AcqRel: orders this with the swap in `count_early`; whichever comes second sees the collector
    // that was set before, or the count.
    EARLY.fetch_add(1, Ordering::AcqRel);
    existing().into_iter().for_each(count_early);
}

fn count_early(collector: &MetricsCollector) {
    // AcqRel: pairs with the addition in `drop_early`.
    let early = EARLY.swap(0, Ordering::AcqRel);
    collector.core().inlet.shared.tallies.drop_samples(DropReason::NoLane, early);
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
            "the process has a global collector already: set one before the first use of `global` \
             or of a static handle",
        )
    }
}

impl std::error::Error for AlreadySet {}
