//! One collector's parts, and the passes over them.
//!
//! # Synchronization
//! The aggregator has a mutex: the driver, readers and manual passes take turns, recorders never
//! touch it. Snapshots are published through an `ArcSwap`. User callbacks run after the mutex is
//! released.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::TryLockError;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::aggregate::aggregator::Aggregator;
use crate::drops::tallies::Tally;
use crate::lane::lane::mode;
#[cfg(unix)]
use crate::lane::shared::Growth;
use crate::lane::shared::Shared;
use crate::read::snapshot::{Snapshot, Value};
use crate::record::handle::Handle;
use crate::record::this_thread;
use crate::run::budget::{Budget, Drained};
#[cfg(unix)]
use crate::run::on_publish::Callbacks;
use crate::run::on_publish::OnPublish;
use crate::run::threads::{Running, Threads};
use crate::series::metric::Kind;
#[cfg(unix)]
use crate::series::registry::Inner;
use crate::series::warning::Warning;
use crate::sync::{Arc, ArcSwap, Mutex, MutexGuard, fault, lock};
use crate::time::start::PassTime;

/// Receives problems that the collector's owner should look at.
pub(crate) type WarningCallback = Box<dyn Fn(&Warning) + Send + Sync>;

pub(crate) struct Core {
    pub(crate) shared: Arc<Shared>,
    aggregator: Mutex<Aggregator>,
    pub(crate) snapshot: Arc<ArcSwap<Snapshot>>,
    on_warning: Option<WarningCallback>,
    pub(crate) on_publish: OnPublish,
    pub(crate) threads: Threads,
    pub(crate) publish_every: Duration,
    /// Whether passes are made manually, which also set the time.
    pub(crate) manual: bool,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("shared", &self.shared).finish_non_exhaustive()
    }
}

/// Every lock of a collector, in the order in which passes take them.
#[cfg(unix)]
pub(crate) struct Locks<'a> {
    _threads: MutexGuard<'a, Option<Running>>,
    _aggregator: MutexGuard<'a, Aggregator>,
    _registry: MutexGuard<'a, Inner>,
    _growth: MutexGuard<'a, Growth>,
    _on_publish: MutexGuard<'a, Callbacks>,
}

/// The fate of everything that was recorded, at a collector's end.
///
/// `recorded = aggregated + dropped`, once no record is in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShutdownReport {
    /// Recording calls, including dropped ones.
    pub recorded: u64,
    /// Samples folded into a series.
    pub aggregated: u64,
    /// Samples that were counted as dropped.
    pub dropped: u64,
    /// Lanes that another live thread still owns. A record in progress there during the final pass
    /// is counted by the next read.
    pub unfinished_lanes: usize,
    /// Whether the deadline came before the final pass, because a reader or callback was in the
    /// way. The counts then lack what only a pass can determine; the next read or
    /// [`shutdown`](crate::MetricsCollector::shutdown) has them.
    pub timed_out: bool,
}

impl Core {
    pub(crate) fn new(
        shared: Arc<Shared>,
        mut aggregator: Aggregator,
        threads: Threads,
        publish_every: Duration,
        on_warning: Option<WarningCallback>,
        manual: bool,
    ) -> Self {
        let first = aggregator.build();
        Self {
            shared,
            aggregator: Mutex::new(aggregator),
            snapshot: Arc::new(ArcSwap::new(first)),
            on_warning,
            on_publish: OnPublish::new(),
            threads,
            publish_every,
            manual,
        }
    }

    /// A handle for a series, registered permanently.
    pub(crate) fn handle(&self, name: &str, tags: &[(&str, &str)], kind: Kind) -> Handle {
        let shared = &self.shared;
        shared.resume();
        let entry = shared.registry.resolve(name, tags, kind);
        entry.pin();
        shared.pin(entry.kind, entry.slot);
        Handle::new(shared, entry)
    }

    #[inline]
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.resume();
        self.snapshot.load_full()
    }

    /// Calls the callbacks that record values before a snapshot, while recording is on.
    pub(crate) fn call_back(&self) {
        let shared = &self.shared;
        shared.resume();
        if shared.mode() != mode::ON {
            return;
        }
        self.on_publish.call(|is_first| {
            shared.tallies.add(Tally::CallbackPanic, 1);
            if is_first {
                self.shared.registry.warn(Warning::CallbackPanicked);
            }
        });
    }

    /// Drains as much as the budget allows; `None` if another thread has the aggregator, or after a
    /// caught panic.
    pub(crate) fn drain_within(&self, budget: Budget) -> Option<Drained> {
        self.shared.resume();
        let clock = &self.shared.clock;
        let until = budget.end(clock.now());
        let mut aggregator = self.try_lock()?;
        let drained = self.caught(&mut aggregator, |aggregator| {
            aggregator.set_time(self.time());
            aggregator.check_clock();
            let drain = aggregator.drain_while(|samples| {
                samples < budget.samples && until.is_none_or(|until| clock.now() < until)
            });
            let wait = if drain.left > 0 { Duration::ZERO } else { aggregator.wait() };
            Drained { samples: drain.samples, left: drain.left, wait }
        });
        drop(aggregator);
        self.deliver_warnings();
        drained
    }

    /// Makes and publishes a full pass at the given time, or else now; notes how long it took, if
    /// asked to, without the callbacks before it. Returns how long the next drain may wait; `None`
    /// after a caught panic.
    pub(crate) fn pass_and_publish(
        &self,
        now: Option<PassTime>,
        is_noted: bool,
    ) -> Option<Duration> {
        self.call_back();
        let wait = self.attempt(|aggregator| {
            let started = Instant::now();
            let before = aggregator.now().monotonic;
            // Read here, where no reader can set a later time in between.
            aggregator.set_time(now.unwrap_or_else(|| self.time()));
            aggregator.check_clock();
            let now = aggregator.now().monotonic;
            aggregator.telemetry.age = now.saturating_duration_since(before);
            aggregator.pass();
            self.publish(aggregator);
            if is_noted {
                aggregator.telemetry.note_pass(started.elapsed());
            }
            aggregator.wait()
        });
        self.deliver_warnings();
        wait
    }

    /// Takes every lock, so that no other thread is in the middle of a change.
    #[cfg(unix)]
    pub(crate) fn lock_all(&self) -> Locks<'_> {
        Locks {
            _threads: self.threads.lock(),
            _aggregator: lock(&self.aggregator),
            _registry: self.shared.registry.lock(),
            _growth: self.shared.lock(),
            _on_publish: self.on_publish.lock(),
        }
    }

    /// Starts over in the child of a fork, unless another thread has already done so; returns whether
    /// it did. Everything recorded belongs to the parent. The caller holds no lock.
    pub(crate) fn start_over(&self) -> bool {
        let mut running = self.threads.lock();
        if !self.shared.is_forked() {
            return false;
        }
        // The child does not have the thread, or is running on it and ends it.
        running.take().into_iter().for_each(Running::forget);
        self.shared.start_over();
        self.locked(|aggregator| {
            self.caught(aggregator, |aggregator| {
                self.move_time(aggregator);
                aggregator.start_over();
                self.shared.registry.take_warnings();
                self.publish(aggregator);
            });
        });
        self.shared.reopen();
        true
    }

    fn publish(&self, aggregator: &mut Aggregator) {
        let snapshot = aggregator.build();
        fault::point("publish: built");
        aggregator.retire(self.snapshot.swap(snapshot));
        fault::point("publish: published");
    }

    /// A snapshot with the caller's own writes, which is not published. If making it panics twice,
    /// the last published one.
    pub(crate) fn read_all(&self) -> Arc<Snapshot> {
        let snapshot = self.attempt_now(|aggregator| {
            aggregator.pass();
            aggregator.build()
        });
        snapshot.unwrap_or_else(|| self.snapshot())
    }

    /// One series' statistics with the caller's own writes. `None` for a series that does not
    /// exist, or if recording was never on.
    pub(crate) fn read_one(&self, name: &str, tags: &[(&str, &str)]) -> Option<Value> {
        if !self.shared.was_ever_on() {
            return None;
        }
        let entry = self.shared.registry.find(name, tags)?;
        self.attempt_now(|aggregator| aggregator.read_one(entry.id)).flatten()
    }

    /// Changes what has been aggregated, and publishes it.
    pub(crate) fn change(&self, act: impl Fn(&mut Aggregator)) {
        self.attempt_now(|aggregator| {
            act(aggregator);
            self.publish(aggregator);
        });
    }

    /// Removes a series from the snapshots; returns whether it was there.
    pub(crate) fn remove(&self, name: &str, tags: &[(&str, &str)]) -> bool {
        let Some(entry) = self.shared.registry.find(name, tags) else { return false };
        let removed = Cell::new(false);
        // A later panic does not bring it back.
        self.change(|aggregator| removed.set(removed.get() | aggregator.remove(entry.id)));
        removed.get()
    }

    /// Makes the final pass; gives up at the deadline if another reader holds the aggregator that
    /// long.
    pub(crate) fn finish(&self, deadline: Instant) -> ShutdownReport {
        let pass = |aggregator: &mut Aggregator| {
            self.move_time(aggregator);
            aggregator.pass();
            self.publish(aggregator);
        };
        let counts = self.lock_until(deadline).map(|mut aggregator| {
            if self.caught(&mut aggregator, pass).is_none() {
                self.caught(&mut aggregator, pass);
            }
            aggregator.totals()
        });
        // After a timeout it may be the callback that is in the way.
        if counts.is_some() {
            self.deliver_warnings();
        }
        let (read, aggregated, open) = counts.unwrap_or((0, 0, self.shared.lanes().len()));
        let dropped = self.shared.tallies.dropped_total();
        let own = usize::from(this_thread::has_lane(&self.shared));
        ShutdownReport {
            recorded: read + dropped,
            aggregated,
            dropped,
            unfinished_lanes: open.saturating_sub(own),
            timed_out: counts.is_none(),
        }
    }

    /// Sets the time for a read: a manual collector's time stands still between its passes.
    fn move_time(&self, aggregator: &mut Aggregator) {
        if !self.manual {
            aggregator.set_time(self.time());
        }
    }

    fn time(&self) -> PassTime {
        let clock = &self.shared.clock;
        PassTime { monotonic: clock.now(), wall: clock.wall() }
    }

    pub(crate) fn locked<R>(&self, act: impl FnOnce(&mut Aggregator) -> R) -> R {
        act(&mut lock(&self.aggregator))
    }

    /// Like `locked`, but catches panics: the thread that drives or reads a collector may also be
    /// recording, or be inside a destructor.
    pub(crate) fn attempt<R>(&self, act: impl FnOnce(&mut Aggregator) -> R) -> Option<R> {
        self.shared.resume();
        self.locked(|aggregator| self.caught(aggregator, act))
    }

    /// Like `attempt`, at the present time, and then delivers warnings. Tries twice: whatever a panic
    /// leaves half done is completed by the next attempt, without the sample that caused it.
    fn attempt_now<R>(&self, act: impl Fn(&mut Aggregator) -> R) -> Option<R> {
        let act = |aggregator: &mut Aggregator| {
            self.move_time(aggregator);
            act(aggregator)
        };
        let done = self.attempt(act).or_else(|| self.attempt(act));
        self.deliver_warnings();
        done
    }

    /// Counts and reports a panic of `act`.
    fn caught<R>(
        &self,
        aggregator: &mut Aggregator,
        act: impl FnOnce(&mut Aggregator) -> R,
    ) -> Option<R> {
        let outcome = catch_unwind(AssertUnwindSafe(|| act(aggregator)));
        if outcome.is_err() {
            aggregator.telemetry.panics += 1;
            self.shared.registry.warn(Warning::AggregatorPanicked);
        }
        outcome.ok()
    }

    /// The aggregator, unless another thread has it.
    fn try_lock(&self) -> Option<MutexGuard<'_, Aggregator>> {
        match self.aggregator.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn lock_until(&self, deadline: Instant) -> Option<MutexGuard<'_, Aggregator>> {
        loop {
            if let Some(guard) = self.try_lock() {
                return Some(guard);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            // Std's mutex cannot wait with a deadline, so try again periodically.
            std::thread::park_timeout(left.min(Duration::from_millis(1)));
        }
    }

    /// Delivers pending warnings to the callback. A panic of the callback is only counted.
    fn deliver_warnings(&self) {
        let warnings = self.shared.registry.take_warnings();
        let Some(callback) = &self.on_warning else { return };
        for warning in &warnings {
            if catch_unwind(AssertUnwindSafe(|| callback(warning))).is_err() {
                self.shared.tallies.add(Tally::CallbackPanic, 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{Budget, MetricsCollector};

    #[test]
    fn a_drain_does_not_wait_for_a_reader() {
        let metrics = MetricsCollector::builder().manual().build();
        metrics.timing("t", Duration::from_millis(1));
        let drain = || metrics.drain(Budget::UNLIMITED).map(|drained| drained.samples);
        let meanwhile = metrics
            .core()
            .locked(|_| std::thread::scope(|scope| scope.spawn(drain).join().expect("no panic")));
        assert_eq!((meanwhile, drain()), (None, Some(1)));
    }

    #[test]
    fn a_shutdown_that_cannot_make_its_final_pass_says_so() {
        let metrics = MetricsCollector::builder().manual().build();
        metrics.increment("c");
        metrics.gauge("g", f64::NAN);
        // A reader that blocks the pass.
        let report = metrics.core().locked(|_| {
            let end = || metrics.shutdown(Duration::from_millis(1));
            std::thread::scope(|scope| scope.spawn(end).join().expect("no panic"))
        });
        assert!(report.timed_out);
        assert_eq!((report.recorded, report.aggregated, report.dropped), (1, 0, 1));
        let report = metrics.shutdown(Duration::ZERO);
        assert!(!report.timed_out, "nobody is, any more");
        assert_eq!((report.recorded, report.aggregated, report.dropped), (2, 1, 1));
    }
}
