//! What a loop's turns take.

use std::cell::OnceCell;
use std::time::{Duration, Instant};

use tachograph::{Histogram, MetricsCollector, Recorder, Stamp, Timing, Unit};

use crate::stall::detector::StallDetector;
use crate::stall::watched::Watched;

/// Measures the turns of a loop, whatever it waits with: epoll, mio, io_uring, a queue, a busy
/// poll.
///
/// | metric | kind | what |
/// |---|---|---|
/// | `loop.turn.duration` | timing | from the poll's return to the next poll |
/// | `loop.turn.events` | histogram | events that a turn handled |
/// | `loop.sleep.duration` | timing | from one turn's end to the next one's start |
/// | `loop.turn.over_budget` | timing | by how much turns exceeded [the budget](Self::budget) |
/// | `loop.handler.delay` | timing | from the poll's return to [a handler's start](Turn::handler_starts) |
/// | `loop.lag` | timing | from [a deadline](Turn::lag) to the start of the turn that meets it |
/// | `loop.stall.duration` | timing | turns longer than the [stall detector](Self::watched_by)'s threshold |
///
/// Every series has the tag `loop` with the monitor's name. The last four exist once they are used.
///
/// # Cost
/// A turn reads the clock twice and records three samples, without a lock, an allocation or a
/// system call. Where the time-stamp counter can be trusted (see [`tachograph::Clock::system`])
/// that is about 40 ns. While recording is off, no clock is read.
///
/// # Example
/// ```
/// use std::sync::mpsc;
/// use std::time::Duration;
/// use tachograph::MetricsCollector;
/// use tachograph_loop::LoopMonitor;
///
/// let metrics = MetricsCollector::new();
/// let (sender, queue) = mpsc::channel();
/// (0..10).for_each(|job| sender.send(job).expect("the queue is open"));
/// drop(sender);
///
/// let mut monitor = LoopMonitor::new(&metrics, "jobs").budget(Duration::from_millis(1));
/// while let Ok(first) = queue.recv() {
///     let mut turn = monitor.turn(); // the wait is over
///     for _job in std::iter::once(first).chain(queue.try_iter()) {
///         turn.handler_starts();
///         turn.events(1);
///     }
/// } // the turn ends where it is dropped
///
/// let jobs = metrics.with_tags(&[("loop", "jobs")]);
/// assert_eq!(jobs.get_timing("loop.handler.delay").map(|delay| delay.count), Some(10));
/// ```
#[derive(Debug)]
pub struct LoopMonitor {
    metrics: MetricsCollector,
    recorder: Recorder,
    name: Box<str>,
    turn: Timing,
    sleep: Timing,
    events: Histogram,
    budget: Option<Budget>,
    handler_delay: OnceCell<Timing>,
    lag: OnceCell<Timing>,
    /// When the last turn ended.
    asleep_since: Stamp,
    watched: Option<Watched>,
}

#[derive(Debug)]
struct Budget {
    limit: Duration,
    over: Timing,
}

impl LoopMonitor {
    /// A monitor that records into a lane of its own. `Send`: the loop may start on another thread.
    pub fn new(metrics: &MetricsCollector, name: &str) -> Self {
        let timing = |metric, text| timing(metrics, name, metric, text);
        metrics.describe("loop.turn.events", Unit::None, "events that a turn of the loop handled");
        Self {
            recorder: metrics.recorder(),
            name: name.into(),
            turn: timing("loop.turn.duration", "from the poll's return to the next poll"),
            sleep: timing("loop.sleep.duration", "from one turn's end to the next one's start"),
            events: metrics.with_tags(&[("loop", name)]).register_histogram("loop.turn.events"),
            budget: None,
            handler_delay: OnceCell::new(),
            lag: OnceCell::new(),
            asleep_since: Stamp::default(),
            watched: None,
            metrics: metrics.clone(),
        }
    }

    /// Records by how much turns exceed `limit`, so that the count is the number of those turns.
    #[must_use]
    pub fn budget(mut self, limit: Duration) -> Self {
        let text = "by how much turns of the loop exceeded their budget";
        let over = timing(&self.metrics, &self.name, "loop.turn.over_budget", text);
        self.budget = Some(Budget { limit, over });
        self
    }

    /// Has a detector watch the turns; see [`StallDetector`]. Costs two stores a turn.
    #[must_use]
    pub fn watched_by(mut self, detector: &StallDetector) -> Self {
        self.watched = Some(detector.registrar().watch(&self.name));
        self
    }

    /// Starts a turn: call it when the poll has returned. The turn ends where the guard is dropped,
    /// also by a panic.
    #[inline]
    pub fn turn(&mut self) -> Turn<'_> {
        if let Some(watched) = &mut self.watched {
            watched.turn_starts();
        }
        let started = self.metrics.now();
        Turn { monitor: self, started, events: Some(0) }
    }

    #[inline]
    fn end(&mut self, started: Stamp, events: u64) {
        let ended = self.metrics.now();
        self.recorder.record_between(&self.sleep, self.asleep_since, started);
        self.asleep_since = ended;
        if started.is_none() || ended.is_none() {
            return;
        }
        self.recorder.record_between(&self.turn, started, ended);
        self.recorder.record(&self.events, events);
        if self.budget.is_some() || self.watched.is_some() {
            self.compare(self.metrics.duration_between(started, ended).unwrap_or_default());
        }
    }

    /// Compares a turn with the budget and with the threshold of stalls.
    #[inline]
    fn compare(&self, took: Duration) {
        if let Some(budget) = &self.budget
            && took > budget.limit
        {
            self.recorder.record(&budget.over, took - budget.limit);
        }
        if let Some(stalls) = self.watched.as_ref().and_then(|watched| watched.stall(took)) {
            self.recorder.record(stalls, took);
        }
    }
}

/// A turn of a loop; ends where it is dropped.
#[derive(Debug)]
#[must_use = "a turn that is dropped at once measures nothing"]
pub struct Turn<'a> {
    monitor: &'a mut LoopMonitor,
    started: Stamp,
    /// `None` if the turn shall not count.
    events: Option<u64>,
}

impl Turn<'_> {
    /// Adds to the number of events that this turn handles. A turn without events counts as one of
    /// 0 events.
    #[inline]
    pub fn events(&mut self, number: u64) {
        self.events = self.events.map(|events| events.saturating_add(number));
    }

    /// Records how long after the poll's return a handler starts: what its event waited for the
    /// handlers before it. Reads the clock once.
    #[inline]
    pub fn handler_starts(&self) {
        let LoopMonitor { metrics, recorder, name, handler_delay, .. } = &*self.monitor;
        let delay = handler_delay.get_or_init(|| {
            timing(metrics, name, "loop.handler.delay", "from the poll's return to a handler")
        });
        recorder.record_between(delay, self.started, metrics.now());
    }

    /// Records how late this turn started for a deadline, such as a timer's. A deadline that is
    /// still to come counts as 0, and as an anomaly of the clock, so pass only those that are due.
    /// Reads the clock up to three times: deadlines are on the monotonic clock, and turns may not
    /// be.
    pub fn lag(&self, deadline: Instant) {
        let LoopMonitor { metrics, recorder, name, lag, .. } = &*self.monitor;
        let lag = lag.get_or_init(|| {
            timing(metrics, name, "loop.lag", "from a deadline to the turn that met it")
        });
        recorder.record_between(lag, metrics.stamp_at(deadline), self.started);
    }

    /// When the turn started; none while recording is off.
    #[inline]
    pub fn started(&self) -> Stamp {
        self.started
    }

    /// Ends a turn of a busy poll that found nothing to do. It does not count as a turn; the time
    /// counts as sleep.
    #[inline]
    pub fn idle(mut self) {
        self.events = None;
    }
}

impl Drop for Turn<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(events) = self.events {
            self.monitor.end(self.started, events);
        }
        if let Some(watched) = &mut self.monitor.watched {
            watched.turn_ends();
        }
    }
}

/// A described timing of a loop.
pub(crate) fn timing(metrics: &MetricsCollector, name: &str, metric: &str, text: &str) -> Timing {
    metrics.describe(metric, Unit::Seconds, text);
    metrics.with_tags(&[("loop", name)]).register_timing(metric)
}
