//! A collector for one test: what code records without being given a collector goes there.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::run::collector::MetricsCollector;
use crate::run::global;

/// Runs `act` with a collector of this thread's own: macros, static handles and
/// [`try_global`](crate::try_global) use it instead of the process's. Tests that run at the same
/// time do not meet.
///
/// ```
/// use tachograph::{MetricsCollector, testing::with_local};
///
/// fn handle_event() {
///     tachograph::increment!("events.processed");
/// }
///
/// let metrics = MetricsCollector::builder().manual().build();
/// with_local(&metrics, handle_event);
/// assert_eq!(metrics.get_counter("events.processed").map(|stats| stats.value), Some(1));
/// ```
///
/// Only for the calling thread: give the threads that it starts a [`wrap`]ped closure, and tasks
/// [`WithLocal::with_local`]; code under test that starts threads itself lets them [`inherit`] it.
/// May be nested; the one before is back afterwards, also after a panic. Handles, recorders and
/// [`global`](fn@crate::global) stay with their own collectors.
pub fn with_local<R>(metrics: &MetricsCollector, act: impl FnOnce() -> R) -> R {
    let _entered = Entered(global::set_local(Some(metrics.clone())));
    act()
}

/// The closure, with the collector as its thread's own while it runs; for `std::thread::spawn` and
/// its like.
///
/// ```
/// use tachograph::{MetricsCollector, increment, testing::wrap};
///
/// let metrics = MetricsCollector::builder().manual().build();
/// let thread = std::thread::spawn(wrap(&metrics, || increment!("events.processed")));
/// thread.join().expect("no panic");
/// assert_eq!(metrics.get_counter("events.processed").map(|stats| stats.value), Some(1));
/// ```
pub fn wrap<R, F: FnOnce() -> R>(
    metrics: &MetricsCollector,
    act: F,
) -> impl FnOnce() -> R + use<R, F> {
    let metrics = metrics.clone();
    move || with_local(&metrics, act)
}

/// The closure, with the collector that this thread has of its own now, if any, while it runs; for
/// code that starts threads, so that its tests see what these record. Outside a test it costs the
/// reading of a flag.
///
/// ```
/// use tachograph::testing::{inherit, with_local};
/// use tachograph::{MetricsCollector, increment};
///
/// fn start_worker() -> std::thread::JoinHandle<()> {
///     std::thread::spawn(inherit(|| increment!("jobs.done")))
/// }
///
/// let metrics = MetricsCollector::builder().manual().build();
/// with_local(&metrics, || start_worker().join()).expect("no panic");
/// assert_eq!(metrics.get_counter("jobs.done").map(|stats| stats.value), Some(1));
/// ```
pub fn inherit<R, F: FnOnce() -> R>(act: F) -> impl FnOnce() -> R + use<R, F> {
    let local = if global::is_local() { global::try_global() } else { None };
    move || match &local {
        Some(metrics) => with_local(metrics, act),
        None => act(),
    }
}

/// Restores the collector that a thread had before.
struct Entered(Option<MetricsCollector>);

impl Drop for Entered {
    fn drop(&mut self) {
        drop(global::set_local(self.0.take()));
    }
}

/// [`with_local`] for futures.
pub trait WithLocal: Future + Sized {
    /// The future, with the collector as the own one of whichever thread polls or drops it.
    fn with_local(self, metrics: &MetricsCollector) -> InLocal<Self> {
        InLocal { metrics: metrics.clone(), future: Some(Box::pin(self)) }
    }
}

impl<F: Future> WithLocal for F {}

/// A future with a collector of its own; see [`WithLocal::with_local`].
#[derive(Debug)]
#[must_use = "a future does nothing unless it is polled"]
pub struct InLocal<F> {
    metrics: MetricsCollector,
    /// Taken when it is dropped.
    future: Option<Pin<Box<F>>>,
}

impl<F: Future> Future for InLocal<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { metrics, future } = &mut *self;
        match future {
            Some(future) => with_local(metrics, || future.as_mut().poll(context)),
            // Never: only its end takes it.
            None => Poll::Pending,
        }
    }
}

impl<F> Drop for InLocal<F> {
    fn drop(&mut self) {
        let future = self.future.take();
        with_local(&self.metrics, || drop(future));
    }
}
