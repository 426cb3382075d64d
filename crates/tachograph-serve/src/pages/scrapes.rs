//! An endpoint's own metrics, recorded into the collector that it serves. The crate's documentation
//! has a table of the series.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tachograph::{Counter, Gauge, Histogram, MetricsCollector, Recorder, Timing, Unit};

use crate::pages::encoding::Encoding;
use crate::pages::page::Page;

const REQUESTS: &str = "metrics.scrape.requests";
const DURATION: &str = "metrics.scrape.duration";
const SIZE: &str = "metrics.scrape.size";
const RENDERED: &str = "metrics.scrape.rendered";
const EVICTED: &str = "metrics.scrape.evicted";
const CONNECTIONS: &str = "metrics.scrape.connections";
const LISTENERS: &str = "metrics.live.listeners";
const LOST: &str = "metrics.live.lost";
const FRAME: &str = "metrics.live.frame.duration";

/// The series of one endpoint. Series with tags are created when there is something to count.
#[derive(Debug)]
pub(crate) struct Scrapes {
    metrics: MetricsCollector,
    evicted: Counter,
    connections: Gauge,
    live: OnceLock<Live>,
    recording: Mutex<Recording>,
}

/// The series of an endpoint with a history.
#[derive(Debug)]
struct Live {
    listeners: Gauge,
    lost: Counter,
    frame: Timing,
}

#[derive(Debug)]
struct Recording {
    /// One lane for all threads of a runtime, so that none of them takes a lane for an occasional
    /// scrape.
    recorder: Recorder,
    listeners: usize,
    requests: HashMap<(&'static str, u16), (Counter, Timing)>,
    bodies: HashMap<(&'static str, &'static str), (Histogram, Counter)>,
}

impl Scrapes {
    pub(crate) fn new(metrics: &MetricsCollector) -> Self {
        metrics.describe(REQUESTS, Unit::None, "requests for metrics, by page and status");
        metrics.describe(DURATION, Unit::Seconds, "from a request's head to its answer's");
        metrics.describe(SIZE, Unit::Bytes, "bodies of answers, as they are sent");
        metrics.describe(RENDERED, Unit::None, "bodies of answers made, not shared");
        metrics.describe(EVICTED, Unit::None, "connections closed to make room for new ones");
        metrics.describe(CONNECTIONS, Unit::None, "open connections");
        let recorder = metrics.recorder();
        let scrapes = Self {
            evicted: metrics.register_counter(EVICTED),
            connections: metrics.register_gauge(CONNECTIONS),
            live: OnceLock::new(),
            recording: Mutex::new(Recording {
                recorder,
                listeners: 0,
                requests: HashMap::new(),
                bodies: HashMap::new(),
            }),
            metrics: metrics.clone(),
        };
        // Registered early: registering takes a lock of the collector, which may be stalled when
        // `/health` is asked about it.
        for status in [200, 503] {
            scrapes.request_series("/health", status);
        }
        scrapes
    }

    /// Counts an answered request. Statuses and pages are the endpoint's own, so there are few.
    pub(crate) fn note_request(&self, page: &'static str, status: u16, took: Duration) {
        if !self.recording().requests.contains_key(&(page, status)) {
            self.request_series(page, status);
        }
        let Recording { recorder, requests, .. } = &mut *self.recording();
        if let Some((requests, duration)) = requests.get(&(page, status)) {
            recorder.increment(requests);
            recorder.record_ns(duration, u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        }
    }

    /// Registers a series. Our own lock is not held while waiting for the collector's.
    fn request_series(&self, page: &'static str, status: u16) {
        let text = status.to_string();
        let tags = [("page", page), ("status", text.as_str())];
        let series = (
            self.metrics.with_tags(&tags).register_counter(REQUESTS),
            self.metrics.with_tags(&tags[..1]).register_timing(DURATION),
        );
        self.recording().requests.insert((page, status), series);
    }

    /// Counts a body that is sent, which was produced for this request or an earlier one.
    pub(crate) fn note_body(&self, page: Page, encoding: Encoding, bytes: usize, made: bool) {
        let tags = (page.name(), encoding.name());
        if !self.recording().bodies.contains_key(&tags) {
            let tagged = [("format", tags.0), ("encoding", tags.1)];
            let tagged = self.metrics.with_tags(&tagged);
            let series = (tagged.register_histogram(SIZE), tagged.register_counter(RENDERED));
            self.recording().bodies.insert(tags, series);
        }
        let Recording { recorder, bodies, .. } = &mut *self.recording();
        let Some((size, rendered)) = bodies.get(&tags) else { return };
        recorder.record(size, bytes as u64);
        recorder.increment_by(rendered, u64::from(made));
    }

    pub(crate) fn note_evicted(&self) {
        self.recording().recorder.increment(&self.evicted);
    }

    pub(crate) fn note_connections(&self, open: usize) {
        self.recording().recorder.set(&self.connections, open as f64);
    }

    fn live(&self) -> &Live {
        self.live.get_or_init(|| {
            let metrics = &self.metrics;
            metrics.describe(LISTENERS, Unit::None, "clients that read the live stream");
            metrics.describe(LOST, Unit::None, "frames that listeners were too slow for");
            metrics.describe(FRAME, Unit::Seconds, "making a frame of the history and its line");
            Live {
                listeners: metrics.register_gauge(LISTENERS),
                lost: metrics.register_counter(LOST),
                frame: metrics.register_timing(FRAME),
            }
        })
    }

    /// Counts a frame.
    pub(crate) fn note_frame(&self, took: Duration) {
        let live = self.live();
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.recording().recorder.record_ns(&live.frame, nanos);
    }

    /// Counts a listener that came or went.
    pub(crate) fn note_listener(&self, came: bool) {
        let live = self.live();
        let Recording { recorder, listeners, .. } = &mut *self.recording();
        *listeners = if came { *listeners + 1 } else { listeners.saturating_sub(1) };
        recorder.set(&live.listeners, *listeners as f64);
    }

    /// Counts frames that a listener was too slow for.
    pub(crate) fn note_lost(&self, frames: u64) {
        let live = self.live();
        self.recording().recorder.increment_by(&live.lost, frames);
    }

    /// Recording does not panic; a map that failed to grow is still valid.
    fn recording(&self) -> MutexGuard<'_, Recording> {
        self.recording.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
