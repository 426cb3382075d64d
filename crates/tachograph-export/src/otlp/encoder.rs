//! Encodes the snapshots of one collector, one after another.

use tachograph::{Kind, Series, Snapshot};

use super::metric::Times;
use super::request;
use super::settings::Settings;

/// Encodes one collector's snapshots as OTLP requests, one after another.
///
/// Costs one pass over the series, and some allocations for each: it belongs on a background
/// thread. Deltas add one pass over the buckets of both snapshots, and the encoder keeps the
/// previous snapshot. `Send` and `Sync`; no I/O, no locks.
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
    /// The snapshot that the next delta starts from.
    last: Option<Snapshot>,
}

impl Encoder {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, last: None }
    }

    /// Appends a snapshot as one request and returns the number of data points in it.
    ///
    /// With deltas, the first snapshot is written whole, and each later one as its gain since the
    /// previous. Counters, timings and histograms that gained nothing are left out. Nothing is
    /// written for a snapshot whose version is not newer than the previous one's.
    pub fn encode(&mut self, snapshot: &Snapshot, out: &mut Vec<u8>) -> usize {
        if self.settings.is_delta() {
            return self.encode_deltas(snapshot, out);
        }
        let all = snapshot.series().iter().map(|series| &**series);
        let times = Times { now: snapshot.timestamp(), since: None };
        request::write(&self.settings, snapshot, times, all, out)
    }

    /// Writes gains since the last snapshot, and current levels of series that have one.
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

/// Whether a series is reported by its current value instead of its gain.
fn has_level(series: &Series) -> bool {
    matches!(series.metric.kind, Kind::Gauge | Kind::UpDownCounter)
}

fn has_gained(series: &Series) -> bool {
    let counted = series.value.as_counter().is_some_and(|views| views.lifetime.value != 0);
    counted || series.value.as_timing().is_some_and(|views| views.lifetime.count > 0)
}
