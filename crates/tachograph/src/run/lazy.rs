//! Static handles: series of the process's collector, registered at first use.

use std::ops::Deref;
use std::time::Duration;

use crate::record::handles::{Counter, Gauge, Histogram, Timing, UpDownCounter};
use crate::record::timer::{ByHandle, Timer};
use crate::run::collector::MetricsCollector;
use crate::run::global;
use crate::sync::ColdPath;
use crate::sync::OnceBox;

/// A handle of the process's collector that is created at first use.
#[derive(Debug)]
struct Lazy<H> {
    name: &'static str,
    tags: &'static [(&'static str, &'static str)],
    handle: OnceBox<H>,
}

impl<H> Lazy<H> {
    const fn new(name: &'static str, tags: &'static [(&'static str, &'static str)]) -> Self {
        Self { name, tags, handle: OnceBox::new() }
    }

    /// Runs `act` with the handle, registering it if necessary. Nothing is registered while
    /// recording is off, or inside a cold path, where the sample is counted as dropped.
    #[inline]
    fn record(&self, register: fn(&Self) -> H, act: impl FnOnce(&H)) {
        if !cfg!(feature = "record") {
            return;
        }
        match self.handle.get() {
            Some(handle) => act(handle),
            None => {
                if let Some(handle) = self.first_use(register) {
                    act(handle);
                }
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn first_use(&self, register: fn(&Self) -> H) -> Option<&H> {
        if global::existing().is_some_and(|collector| collector.is_off()) {
            return None;
        }
        let Some(_cold) = ColdPath::enter() else {
            global::drop_early();
            return None;
        };
        Some(self.force(register))
    }

    /// The handle, registered if necessary. If two threads race, the first one's handle stays; both
    /// belong to the same series.
    fn force(&self, register: fn(&Self) -> H) -> &H {
        self.handle.get_or_init(|| Box::new(register(self)))
    }
}

macro_rules! lazy {
    ($(#[$doc:meta])* $name:ident: $handle:ident, $register:ident) => {
        $(#[$doc])*
        ///
        /// For use as a `static`: belongs to [`global`](fn@crate::global) and is registered at
        /// first use. Recording costs a load and a branch more than with the handle, and the first
        /// use waits for no other thread's. Dereferences to the handle, for a
        /// [`Recorder`](crate::Recorder) and for methods not shown here. Dereferencing registers
        /// the series even while recording is off, and must not be an allocator's first use.
        #[derive(Debug)]
        pub struct $name(Lazy<$handle>);

        impl $name {
            /// The series with this name, without tags.
            pub const fn new(name: &'static str) -> Self {
                Self(Lazy::new(name, &[]))
            }

            /// The series with this name and tags.
            pub const fn with_tags(
                name: &'static str,
                tags: &'static [(&'static str, &'static str)],
            ) -> Self {
                Self(Lazy::new(name, tags))
            }

            fn register(lazy: &Lazy<$handle>) -> $handle {
                global::global().with_tags(lazy.tags).$register(lazy.name)
            }

            #[inline]
            fn with(&self, act: impl FnOnce(&$handle)) {
                self.0.record(Self::register, act);
            }
        }

        impl Deref for $name {
            type Target = $handle;

            #[inline]
            fn deref(&self) -> &$handle {
                self.0.force(Self::register)
            }
        }
    };
}

lazy! {
    /// A static [`Counter`].
    LazyCounter: Counter, register_counter
}

lazy! {
    /// A static [`UpDownCounter`].
    LazyUpDownCounter: UpDownCounter, register_up_down_counter
}

lazy! {
    /// A static [`Timing`].
    LazyTiming: Timing, register_timing
}

lazy! {
    /// A static [`Histogram`].
    LazyHistogram: Histogram, register_histogram
}

lazy! {
    /// A static [`Gauge`].
    LazyGauge: Gauge, register_gauge
}

impl LazyCounter {
    /// Adds 1.
    #[inline]
    pub fn increment(&self) {
        self.with(Counter::increment);
    }

    /// Adds `amount`; the total wraps at 2^64.
    #[inline]
    pub fn increment_by(&self, amount: u64) {
        self.with(|counter| counter.increment_by(amount));
    }
}

impl LazyCounter {
    /// Raises the counter to another source's total; see [`Counter::advance_to`].
    #[inline]
    pub fn advance_to(&self, total: u64) {
        self.with(|counter| counter.advance_to(total));
    }

    /// Adds 1 from a signal handler; see [`Counter::increment_from_signal`]. If the counter was not
    /// used before, the call is counted as dropped, because nothing can be registered there.
    pub fn increment_from_signal(&self) {
        match self.0.handle.get() {
            Some(counter) => counter.increment_from_signal(),
            None if !cfg!(feature = "record") => {}
            None if global::existing().is_some_and(MetricsCollector::is_off) => {}
            None => global::drop_early(),
        }
    }
}

impl LazyUpDownCounter {
    /// Adds 1.
    #[inline]
    pub fn increment(&self) {
        self.with(UpDownCounter::increment);
    }

    /// Adds `amount`; the total wraps at 2^64.
    #[inline]
    pub fn increment_by(&self, amount: u64) {
        self.with(|counter| counter.increment_by(amount));
    }

    /// Subtracts 1.
    #[inline]
    pub fn decrement(&self) {
        self.with(UpDownCounter::decrement);
    }

    /// Subtracts `amount`.
    #[inline]
    pub fn decrement_by(&self, amount: u64) {
        self.with(|counter| counter.decrement_by(amount));
    }
}

impl LazyTiming {
    /// Records a duration.
    #[inline]
    pub fn record(&self, duration: Duration) {
        self.with(|timing| timing.record(duration));
    }

    /// Records a duration given in nanoseconds.
    #[inline]
    pub fn record_ns(&self, nanos: u64) {
        self.with(|timing| timing.record_ns(nanos));
    }

    /// Starts a timer that records when it is dropped; registers the series.
    #[inline]
    pub fn start(&self) -> Timer<ByHandle<'_>> {
        (**self).start()
    }
}

impl LazyHistogram {
    /// Records a value.
    #[inline]
    pub fn record(&self, value: u64) {
        self.with(|histogram| histogram.record(value));
    }
}

impl LazyGauge {
    /// Sets the value.
    #[inline]
    pub fn set(&self, value: f64) {
        self.with(|gauge| gauge.set(value));
    }

    /// Adds to the value that was set last, or to 0; see [`Gauge::add`].
    #[inline]
    pub fn add(&self, amount: f64) {
        self.with(|gauge| gauge.add(amount));
    }
}
