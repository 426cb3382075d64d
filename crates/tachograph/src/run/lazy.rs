//! Static handles and the macros around them: series of the process's collector, registered at
//! first use.

use crate::drops::drop_reason::DropReason;
use crate::record::handles::{AnyHandle, Counter};
use crate::run::global;
use crate::sync::{ColdPath, OnceBox};

/// A handle of the process's collector that is registered at first use, for use as a `static`.
///
/// The macros, such as [`increment!`](crate::increment), keep one at the place of the call. Declare
/// one yourself where several places record into the series, or for a signal handler.
///
/// ```
/// use tachograph::{Counter, Lazy, MetricsCollector, set_global};
///
/// static EVENTS: Lazy<Counter> = Lazy::new("events.processed");
///
/// EVENTS.with(Counter::increment); // nothing: there is no collector yet
/// set_global(MetricsCollector::new()).expect("the first one");
/// EVENTS.with(Counter::increment);
/// let events = tachograph::global().get_counter("events.processed");
/// assert_eq!(events.map(|stats| stats.value), Some(1));
/// ```
///
/// Where the application has neither set nor used the process's collector, nothing is recorded and
/// nothing registered. Recording costs two loads and two branches more than with the handle, and
/// waits for no other thread. Inside [`testing::with_local`](crate::testing::with_local) it records
/// into the test's collector, and registers the series each time.
#[derive(Debug)]
pub struct Lazy<H> {
    name: &'static str,
    tags: &'static [(&'static str, &'static str)],
    handle: OnceBox<H>,
}

impl<H: AnyHandle> Lazy<H> {
    /// The series with this name, without tags.
    pub const fn new(name: &'static str) -> Self {
        Self::with_tags(name, &[])
    }

    /// The series with this name and tags.
    pub const fn with_tags(
        name: &'static str,
        tags: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { name, tags, handle: OnceBox::new() }
    }

    /// Runs `act` with the handle, registered if necessary. Does nothing without a collector, nor
    /// before the first use while recording is off.
    #[inline]
    pub fn with(&self, act: impl FnOnce(&H)) {
        if !cfg!(feature = "record") {
            return;
        }
        match self.handle.get() {
            Some(handle) if !global::is_local() => act(handle),
            None if !global::is_local() && global::existing().is_none() => {}
            _ => {
                if let Some(handle) = self.find() {
                    act(&handle);
                }
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn find(&self) -> Option<H> {
        let collector =
            global::try_global().filter(|collector| !collector.core().shared.is_off())?;
        let Some(_cold) = ColdPath::enter() else {
            collector.core().shared.tallies.drop_sample(DropReason::NoLane);
            return None;
        };
        let register = || collector.with_tags(self.tags).register(self.name);
        if global::is_local() {
            return Some(register());
        }
        // If two threads race, the first one's handle stays; both belong to the same series.
        Some(self.handle.get_or_init(|| Box::new(register())).clone())
    }
}

impl Lazy<Counter> {
    /// Adds 1 from a signal handler; see [`Counter::increment_from_signal`]. If the counter was not
    /// used before, the call is counted as dropped, because nothing can be registered there.
    pub fn increment_from_signal(&self) {
        match (self.handle.get(), global::existing()) {
            (Some(counter), _) => counter.increment_from_signal(),
            (None, Some(collector)) if !collector.core().shared.is_off() => {
                collector.core().shared.tallies.drop_sample(DropReason::NoLane);
            }
            _ => {}
        }
    }
}

/// Adds to a counter of the process's collector: 1, or an amount.
///
/// ```
/// # let metrics = tachograph::MetricsCollector::new();
/// # tachograph::testing::with_local(&metrics, || {
/// # let packet = [0u8; 5];
/// tachograph::increment!("packets.received");
/// tachograph::increment!("bytes.received", packet.len() as u64);
/// tachograph::increment!("packets.dropped", 2, "reason" => "duplicate");
/// # });
/// # assert_eq!(metrics.get_counter("bytes.received").map(|stats| stats.value), Some(5));
/// # let dropped = metrics.with_tags(&[("reason", "duplicate")]).get_counter("packets.dropped");
/// # assert_eq!(dropped.map(|stats| stats.value), Some(2));
/// ```
///
/// Name and tags are constants; the handle is kept at the place of the call, as a
/// [`Lazy`](crate::Lazy), whose costs and rules hold. Without a collector the amount is not
/// computed; with one it is, once the series was used also while recording is off. It stands in a
/// closure, so `?` and `.await` cannot be in it: use them before the call.
#[macro_export]
macro_rules! increment {
    ($name:expr $(, $key:literal => $tag:expr)* $(,)?) => {
        $crate::__lazy!(Counter, $name, [$($key => $tag),*], |counter| counter.increment())
    };
    ($name:expr, $amount:expr $(, $key:literal => $tag:expr)* $(,)?) => {
        $crate::__lazy!(Counter, $name, [$($key => $tag),*], |counter| {
            counter.increment_by($amount)
        })
    };
}

/// Adds a signed amount to an up-down counter of the process's collector; like
/// [`increment!`](crate::increment), whose counter is monotonic.
///
/// ```
/// # let metrics = tachograph::MetricsCollector::new();
/// # tachograph::testing::with_local(&metrics, || {
/// # for _ in 0..2 {
/// tachograph::up_down_counter!("sessions.open", 1);
/// # }
/// tachograph::up_down_counter!("sessions.open", -1);
/// # });
/// # assert_eq!(metrics.get_counter("sessions.open").map(|stats| stats.value), Some(1));
/// ```
#[macro_export]
macro_rules! up_down_counter {
    ($name:expr, $amount:expr $(, $key:literal => $tag:expr)* $(,)?) => {
        $crate::__lazy!(UpDownCounter, $name, [$($key => $tag),*], |counter| {
            counter.increment_by(i64::cast_unsigned($amount))
        })
    };
}

/// Records a [`Duration`](std::time::Duration) into a timing of the process's collector, or the
/// time since a [`Stamp`](crate::Stamp); like [`increment!`](crate::increment).
///
/// ```
/// # use std::time::Duration;
/// # let metrics = tachograph::MetricsCollector::new();
/// # tachograph::testing::with_local(&metrics, || {
/// let start = tachograph::now();
/// tachograph::timing!("request.duration", since start);
/// tachograph::timing!("request.duration", Duration::from_micros(120), "route" => "/");
/// # });
/// # let count = |tags| metrics.with_tags(tags).get_timing("request.duration").map(|stats| stats.count);
/// # assert_eq!((count(&[]), count(&[("route", "/")])), (Some(1), Some(1)));
/// ```
#[macro_export]
macro_rules! timing {
    ($name:expr, since $start:expr $(, $key:literal => $tag:expr)* $(,)?) => {
        $crate::__lazy!(Timing, $name, [$($key => $tag),*], |timing| {
            timing.record_since($start);
        })
    };
    ($name:expr, $duration:expr $(, $key:literal => $tag:expr)* $(,)?) => {
        $crate::__lazy!(Timing, $name, [$($key => $tag),*], |timing| timing.record($duration))
    };
}

/// Records a plain value into a histogram of the process's collector; like
/// [`increment!`](crate::increment).
#[macro_export]
macro_rules! histogram {
    ($name:expr, $value:expr $(, $key:literal => $tag:expr)* $(,)?) => {
        $crate::__lazy!(Histogram, $name, [$($key => $tag),*], |sizes| sizes.record($value))
    };
}

/// Sets a gauge of the process's collector; like [`increment!`](crate::increment).
///
/// ```
/// # let metrics = tachograph::MetricsCollector::new();
/// # tachograph::testing::with_local(&metrics, || {
/// tachograph::gauge!("queue.depth", 3.0);
/// # });
/// # assert_eq!(metrics.get_gauge("queue.depth").and_then(|stats| stats.current), Some(3.0));
/// ```
#[macro_export]
macro_rules! gauge {
    ($name:expr, $value:expr $(, $key:literal => $tag:expr)* $(,)?) => {
        $crate::__lazy!(Gauge, $name, [$($key => $tag),*], |gauge| gauge.set($value))
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __lazy {
    ($handle:ident, $name:expr, [$($key:literal => $tag:expr),*], |$it:ident| $act:expr) => {{
        static SERIES: $crate::Lazy<$crate::$handle> =
            $crate::Lazy::with_tags($name, &[$(($key, $tag)),*]);
        SERIES.with(|$it| $act);
    }};
}
