//! The time that one event takes.
//!
//! Reading the clock is most of the cost of metrics per event. An event without viewers to tell
//! reads it twice, on arrival and when its handler is done, although three series are recorded.

use std::time::Duration;

use tachograph::{ByHandle, Recorder, Timer};

use crate::events::event_type::{EventType, Handler};
use crate::metrics::ServerMetrics;

/// Runs from an event's arrival; records nothing by itself.
#[derive(Debug)]
pub(crate) struct EventTimer<'a> {
    metrics: &'a ServerMetrics,
    timer: Timer<ByHandle<'a>>,
    /// When the handler started, measured from the arrival.
    started: Duration,
    /// When the handler was done; `None` once the event takes longer than its handler, and while
    /// nothing is timed.
    done: Option<Duration>,
}

impl<'a> EventTimer<'a> {
    pub(crate) fn start(metrics: &'a ServerMetrics) -> Self {
        let timer = metrics.duration.start();
        Self { metrics, timer, started: Duration::ZERO, done: None }
    }

    /// The event had to wait for the set, which does not count as its handler's time.
    pub(crate) fn has_waited(&mut self) {
        self.started = self.timer.elapsed().unwrap_or_default();
    }

    /// The handler has accepted or rejected the event: records its time.
    #[inline]
    pub(crate) fn handled(&mut self, recorder: &Recorder, handler: Handler) {
        self.done = self.timer.elapsed();
        if let Some(done) = self.done {
            let took = done.saturating_sub(self.started);
            recorder.record(self.metrics.handler_duration.of(handler), took);
        }
    }

    /// There are viewers to tell, which counts as part of the event.
    pub(crate) fn goes_on(&mut self) {
        self.done = None;
    }

    /// The event is complete: records its time.
    #[inline]
    pub(crate) fn processed(self, recorder: &Recorder, event_type: EventType) {
        if let Some(took) = self.done.or_else(|| self.timer.elapsed()) {
            recorder.record(&self.metrics.duration, took);
            recorder.record(self.metrics.duration_by_type.of(Some(event_type)), took);
        }
        self.discard();
    }

    /// The event was not processed.
    pub(crate) fn discard(self) {
        self.timer.discard();
    }
}

#[cfg(test)]
mod tests {
    use tachograph::{MetricsCollector, MockClock};

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// A collector whose clock the test moves, and the server's series in it.
    fn mocked() -> (MetricsCollector, ServerMetrics, MockClock) {
        let (clock, mock) = tachograph::Clock::mock();
        let collector = MetricsCollector::builder().manual().clock(clock).build();
        let metrics = ServerMetrics::register(&collector);
        (collector, metrics, mock)
    }

    /// The content of an event's three series: the milliseconds of the one sample in each.
    fn recorded(collector: &MetricsCollector) -> [Option<f64>; 3] {
        let by_type = [("event_type", "/live/track/mute")];
        let by_handler = [("handler", "track_handler")];
        let all = [
            collector.get_timing("event.processing.duration"),
            collector.with_tags(&by_type).get_timing("event.processing.duration"),
            collector.with_tags(&by_handler).get_timing("handler.duration"),
        ];
        all.map(|stats| {
            let stats = stats.filter(|stats| stats.count > 0)?;
            assert_eq!(stats.count, 1);
            stats.max.map(|seconds| (seconds * 1e6).round() / 1e3)
        })
    }

    #[test]
    fn without_viewers_an_event_ends_with_its_handler() {
        let (collector, metrics, mock) = mocked();
        let mut timer = EventTimer::start(&metrics);
        mock.advance(2 * MS);
        timer.handled(&collector.recorder(), Handler::Track);
        mock.advance(4 * MS);
        timer.processed(&collector.recorder(), EventType::TrackMute);
        assert_eq!(recorded(&collector), [Some(2.0), Some(2.0), Some(2.0)]);
    }

    #[test]
    fn waiting_and_telling_viewers_are_the_events_time_and_not_its_handlers() {
        let (collector, metrics, mock) = mocked();
        let mut timer = EventTimer::start(&metrics);
        mock.advance(MS);
        timer.has_waited();
        mock.advance(2 * MS);
        timer.handled(&collector.recorder(), Handler::Track);
        timer.goes_on();
        mock.advance(4 * MS);
        timer.processed(&collector.recorder(), EventType::TrackMute);
        assert_eq!(recorded(&collector), [Some(7.0), Some(7.0), Some(2.0)]);
    }

    #[test]
    fn an_event_that_was_not_processed_is_its_handlers_alone() {
        let (collector, metrics, mock) = mocked();
        let mut timer = EventTimer::start(&metrics);
        mock.advance(2 * MS);
        timer.handled(&collector.recorder(), Handler::Track);
        timer.discard();
        assert_eq!(recorded(&collector), [None, None, Some(2.0)]);
    }

    #[test]
    fn an_event_that_came_while_metrics_were_off_is_not_timed() {
        let (collector, metrics, _mock) = mocked();
        collector.set_enabled(false);
        let mut timer = EventTimer::start(&metrics);
        collector.set_enabled(true);
        timer.has_waited();
        timer.handled(&collector.recorder(), Handler::Track);
        timer.processed(&collector.recorder(), EventType::TrackMute);
        assert_eq!(recorded(&collector), [None; 3]);
    }
}
