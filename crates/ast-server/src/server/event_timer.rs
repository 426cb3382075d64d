//! The time that one event takes.
//!
//! Reading the clock is most of the cost of metrics per event. An event without viewers to tell
//! reads it twice, on arrival and when its handler is done, although three series are recorded.

use tachograph::{MetricsCollector, Recorder, Stamp};

use crate::events::event_type::{EventType, Handler};
use crate::metrics::ServerMetrics;

/// Runs from an event's arrival; records nothing by itself. Its stamps are none while recording is
/// off.
#[derive(Debug)]
pub(crate) struct EventTimer<'a> {
    metrics: &'a ServerMetrics,
    collector: &'a MetricsCollector,
    arrived: Stamp,
    /// When the handler started.
    started: Stamp,
    /// When the handler was done; none once the event takes longer than its handler.
    done: Stamp,
}

impl<'a> EventTimer<'a> {
    #[inline]
    pub(crate) fn start(metrics: &'a ServerMetrics, collector: &'a MetricsCollector) -> Self {
        let arrived = collector.now();
        Self { metrics, collector, arrived, started: arrived, done: Stamp::default() }
    }

    /// The event had to wait for the set, which does not count as its handler's time.
    pub(crate) fn has_waited(&mut self) {
        if !self.arrived.is_none() {
            self.started = self.collector.now();
        }
    }

    /// The handler has accepted or rejected the event: records its time.
    #[inline]
    pub(crate) fn handled(&mut self, recorder: &Recorder, handler: Handler) {
        self.done = recorder.now();
        recorder.record_between(self.metrics.handler_duration.of(handler), self.started, self.done);
    }

    /// There are viewers to tell, which counts as part of the event.
    pub(crate) fn goes_on(&mut self) {
        self.done = Stamp::default();
    }

    /// The event is complete: records its time.
    #[inline]
    pub(crate) fn processed(self, recorder: &Recorder, event_type: EventType) {
        let end = if self.done.is_none() { recorder.now() } else { self.done };
        recorder.record_between(&self.metrics.duration, self.arrived, end);
        let by_type = self.metrics.duration_by_type.of(Some(event_type));
        recorder.record_between(by_type, self.arrived, end);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tachograph::MockClock;

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
        let mut timer = EventTimer::start(&metrics, &collector);
        mock.advance(2 * MS);
        timer.handled(&collector.recorder(), Handler::Track);
        mock.advance(4 * MS);
        timer.processed(&collector.recorder(), EventType::TrackMute);
        assert_eq!(recorded(&collector), [Some(2.0), Some(2.0), Some(2.0)]);
    }

    #[test]
    fn waiting_and_telling_viewers_are_the_events_time_and_not_its_handlers() {
        let (collector, metrics, mock) = mocked();
        let mut timer = EventTimer::start(&metrics, &collector);
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
        let mut timer = EventTimer::start(&metrics, &collector);
        mock.advance(2 * MS);
        timer.handled(&collector.recorder(), Handler::Track);
        assert_eq!(recorded(&collector), [None, None, Some(2.0)]);
    }

    #[test]
    fn an_event_that_came_while_metrics_were_off_is_not_timed() {
        let (collector, metrics, _mock) = mocked();
        collector.set_enabled(false);
        let mut timer = EventTimer::start(&metrics, &collector);
        collector.set_enabled(true);
        timer.has_waited();
        timer.handled(&collector.recorder(), Handler::Track);
        timer.processed(&collector.recorder(), EventType::TrackMute);
        assert_eq!(recorded(&collector), [None; 3]);
    }
}
