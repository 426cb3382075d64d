//! Writes snapshots of one collector, one after the other.

use tachograph::{Kind, Series, Snapshot};

use super::metric::Times;
use super::request;
use super::settings::Settings;

/// Writes one collector's snapshots as requests, one after the other.
///
/// Costs a pass over the series; for deltas, also one over the buckets of both snapshots, and the
/// encoder keeps the snapshot that it was given last. A payload of totals allocates for each metric
/// and not for each series, once its buffer has the room. `Send` and `Sync`; no I/O, no lock.
///
/// ```
/// use tachograph::MetricsCollector;
/// use tachograph_export::otlp::{Encoding, Settings, Temporality};
///
/// let settings = Settings::new("mixer").temporality(Temporality::Delta).encoding(Encoding::Json);
/// let mut encoder = settings.encoder();
/// let metrics = MetricsCollector::new();
/// let mut sent = Vec::new();
/// for amount in [40, 2] {
///     metrics.increment_by("events.processed", amount);
///     let mut payload = Vec::new();
///     encoder.encode(&metrics.get_all_metrics(), &mut payload);
///     sent.push(String::from_utf8(payload).expect("JSON is UTF-8"));
/// }
/// assert!(sent[0].contains(r#""asInt":"40""#) && sent[1].contains(r#""asInt":"2""#));
/// ```
#[derive(Clone, Debug)]
pub struct Encoder {
    settings: Settings,
    /// What deltas go on from.
    last: Option<Snapshot>,
}

impl Encoder {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, last: None }
    }

    /// Appends a snapshot as one request. Returns the number of data points in it.
    ///
    /// For deltas: the first snapshot is written whole, each other one as what came since the one
    /// before. Counters, timings and histograms that gained nothing are left out. One that is not
    /// newer than the one before, by its version, has nothing to tell: nothing is written.
    pub fn encode(&mut self, snapshot: &Snapshot, out: &mut Vec<u8>) -> usize {
        if self.settings.is_delta() {
            return self.encode_deltas(snapshot, out);
        }
        let all = snapshot.series().iter().map(|series| &**series);
        let times = Times { now: snapshot.timestamp(), since: None };
        request::write(&self.settings, snapshot, times, all, out)
    }

    /// The gains since the last snapshot, and the levels of what has one.
    fn encode_deltas(&mut self, snapshot: &Snapshot, out: &mut Vec<u8>) -> usize {
        let last = self.last.as_ref();
        if last.is_some_and(|last| snapshot.version() <= last.version()) {
            return 0;
        }
        let difference = last.map(|last| snapshot.since(last));
        let gained = difference.as_ref().unwrap_or(snapshot).series().iter();
        let gained = gained.filter(|series| !has_level(series) && has_gained(series));
        let levels = snapshot.series().iter().filter(|series| has_level(series));
        let told = levels.chain(gained).map(|series| &**series);
        let since = last.map(|last| snapshot.time_of(last));
        let times = Times { now: snapshot.timestamp(), since };
        let points = request::write(&self.settings, snapshot, times, told, out);
        self.last = Some(snapshot.clone());
        points
    }
}

/// Whether a series is told by its present value, not by its gain.
fn has_level(series: &Series) -> bool {
    matches!(series.metric.kind, Kind::Gauge | Kind::UpDownCounter)
}

fn has_gained(series: &Series) -> bool {
    let counted = series.value.as_counter().is_some_and(|views| views.lifetime.value != 0);
    counted || series.value.as_timing().is_some_and(|views| views.lifetime.count > 0)
}
