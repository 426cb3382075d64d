//! The future around another.

use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tachograph::Stamp;

use crate::future::metrics::{FutureMetrics, Life, Outcome, nanos};
use crate::future::wakes::Wrapped;

/// Measures futures; implemented for all of them.
///
/// ```
/// use tachograph::MetricsCollector;
/// use tachograph_loop::{FutureMetrics, Instrument};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tokio::task::JoinError> {
/// let metrics = MetricsCollector::new();
/// let requests = FutureMetrics::new(&metrics, "request");
///
/// let ok = tokio::spawn(async { 7 }.instrument(&requests));
/// assert_eq!(ok.await?, 7);
/// let parsed = async { "seven".parse::<u32>() }.instrument_result(&requests).await;
/// assert!(parsed.is_err());
///
/// let failed = metrics.with_tags(&[("task", "request"), ("outcome", "error")]);
/// assert_eq!(failed.get_timing("task.busy.duration").map(|busy| busy.count), Some(1));
/// # Ok(())
/// # }
/// ```
pub trait Instrument: Future + Sized {
    /// Measures this future; whatever it returns is `ok`.
    ///
    /// Its life starts here, and so does the delay to its first poll: call it where the future is
    /// spawned.
    ///
    /// Costs one allocation at the first poll, and one more for each time that the future is moved
    /// to another task; two clock reads a poll and one a wake. Recording must be on when it is
    /// called, or the future is only passed through.
    fn instrument(self, metrics: &FutureMetrics) -> Instrumented<Self> {
        Instrumented::new(self, metrics, |_| Outcome::Ok)
    }

    /// Measures a future that returns a `Result`: an `Err` is an `error`. See
    /// [`Instrument::instrument`].
    fn instrument_result<T, E>(self, metrics: &FutureMetrics) -> Instrumented<Self>
    where
        Self: Future<Output = Result<T, E>>,
    {
        Instrumented::new(self, metrics, |result| match result {
            Ok(_) => Outcome::Ok,
            Err(_) => Outcome::Error,
        })
    }
}

impl<F: Future> Instrument for F {}

pin_project! {
    /// A future that is measured; made by [`Instrument`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Instrumented<F: Future> {
        #[pin]
        future: F,
        metrics: FutureMetrics,
        outcome: fn(&F::Output) -> Outcome,
        // From the first poll on, unless recording was off then.
        wrapped: Option<Wrapped>,
        life: Life,
        // The start of the poll that is under way; a panic leaves it.
        polling: Option<Stamp>,
        is_over: bool,
    }

    impl<F: Future> PinnedDrop for Instrumented<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if *this.is_over {
                return;
            }
            let series = &this.metrics.series;
            let ended = series.metrics.now();
            let mut outcome = Outcome::Cancelled;
            if let Some(started) = this.polling.take() {
                outcome = Outcome::Panicked;
                let took = series.metrics.duration_between(started, ended);
                this.life.busy_ns += took.map_or(0, nanos);
            }
            series.end(*this.life, ended, outcome);
        }
    }
}

impl<F: Future> Instrumented<F> {
    fn new(future: F, metrics: &FutureMetrics, outcome: fn(&F::Output) -> Outcome) -> Self {
        let life = Life { born: metrics.series.metrics.now(), busy_ns: 0, polls: 0 };
        let (metrics, is_over) = (metrics.clone(), life.born.is_none());
        Self { future, metrics, outcome, wrapped: None, life, polling: None, is_over }
    }
}

impl<F: Future> Future for Instrumented<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if *this.is_over {
            return this.future.poll(context);
        }
        let FutureMetrics { series, watch } = &*this.metrics;
        // Before the clock is read: a wake may come at any moment, and must not be later than that.
        let woken = match this.wrapped {
            Some(wrapped) => wrapped.take_wake(),
            None => this.life.born,
        };
        let started = series.metrics.now();
        series.wake_to_poll.record_between(woken, started);
        // The executor's waker differs where the future has moved to another task.
        this.wrapped.take_if(|wrapped| !wrapped.wraps(context.waker()));
        let wrapped = this.wrapped.get_or_insert_with(|| Wrapped::new(context.waker(), series));

        let entered = watch.as_ref().and_then(|watch| Some((watch, watch.enter()?)));
        *this.polling = Some(started);
        let polled = this.future.poll(&mut Context::from_waker(wrapped.waker()));
        *this.polling = None;

        let ended = series.metrics.now();
        if let Some(took) = series.metrics.duration_between(started, ended) {
            series.poll.record_ns(nanos(took));
            if let Some((watch, _)) = &entered {
                watch.took(took);
            }
            this.life.busy_ns += nanos(took);
        }
        this.life.polls += 1;
        if let Poll::Ready(output) = &polled {
            *this.is_over = true;
            // A task that is kept after its end must not keep the executor's.
            *this.wrapped = None;
            series.end(*this.life, ended, (this.outcome)(output));
        }
        polled
    }
}
