//! The collector of the whole process, for code that has none handed to it.
//!
//! # Synchronization
//! It is set once (`OnceBox`: set by compare-and-swap, got by one Acquire load), so even the
//! first use waits for nobody: threads that race to it each make one, and the first one stays.
//! Samples from inside the making, which an allocator may record, are counted in `EARLY` until
//! there is a collector that can count them as dropped.

use std::fmt;

use crate::run::collector::MetricsCollector;
use crate::series::warning::DropReason;
use crate::sync::ColdPath;
use crate::sync::{AtomicU64, OnceBox, Ordering};

static GLOBAL: OnceBox<MetricsCollector> = OnceBox::new();

/// Samples that came before there was a collector. Added to by any thread, taken by whoever
/// finds one.
static EARLY: AtomicU64 = AtomicU64::new(0);

/// The process's collector: the one given to [`set_global`], else one that is made now, enabled
/// and with its background thread.
///
/// Costs one load after the first use; takes no lock and waits for nobody. It is never dropped:
/// a program that wants its last samples read calls [`MetricsCollector::shutdown`] at its end.
/// Not for an allocator's own use before a collector exists: making one allocates. The static
/// handles, such as [`LazyCounter`](crate::LazyCounter), are.
pub fn global() -> &'static MetricsCollector {
    match GLOBAL.get() {
        Some(collector) => collector,
        None => make(),
    }
}

#[cold]
fn make() -> &'static MetricsCollector {
    // What allocates in here and records is kept out meanwhile.
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

/// Makes a collector the process's own; before its first use, and once.
///
/// Without it, [`global`] makes one with the default settings. Waits for nobody.
///
/// # Errors
/// Gives the collector back where the process has one already.
pub fn set_global(collector: MetricsCollector) -> Result<(), AlreadySet> {
    GLOBAL.set(Box::new(collector)).map_err(|collector| AlreadySet(*collector))?;
    GLOBAL.get().into_iter().for_each(count_early);
    Ok(())
}

/// The process's collector, if it has been set or used.
pub(crate) fn existing() -> Option<&'static MetricsCollector> {
    GLOBAL.get()
}

/// Counts a sample that needs a series while this thread is making the collector or another
/// series: as dropped, once there is a collector to count it.
pub(crate) fn drop_early() {
    // AcqRel: with the swap in `count_early` there is an order of both; whichever comes second
    // sees the collector that was set before, or the count.
    EARLY.fetch_add(1, Ordering::AcqRel);
    existing().into_iter().for_each(count_early);
}

fn count_early(collector: &MetricsCollector) {
    // AcqRel: pairs with itself in `drop_early`.
    let early = EARLY.swap(0, Ordering::AcqRel);
    collector.core().inlet.shared.tallies.drop_samples(DropReason::NoLane, early);
}

/// The process has a collector already; see [`set_global`].
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
