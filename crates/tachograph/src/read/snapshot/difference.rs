//! What was recorded between two snapshots of one collector.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use crate::lane::bucket;
use crate::read::buckets::Buckets;
use crate::read::rows::Totals;
use crate::read::rows::{self, Row};
use crate::read::snapshot::{Recording, Series, Snapshot, Value};
use crate::read::stats::Views;
use crate::read::stats::{CounterStats, GaugeStats, TimingStats};

impl Snapshot {
    /// The samples recorded between an earlier snapshot of the same collector and this one.
    ///
    /// Each series' `lifetime` view holds its gain, there is no `window`, and `uptime` is the time
    /// between the two, which rates are divided by. A series that was created or reset in between
    /// counts from then on. A series that the idle timeout now hides is included only if it was
    /// recorded in between, so consecutive differences miss nothing. A series that is not in the
    /// earlier snapshot because of a reset has all its drops.
    ///
    /// - Counts, sums, means and buckets are exact. Quantiles are within [`TimingStats::error`],
    ///   and so are `min` and `max` of a gain that has not moved the lifetime's.
    /// - A counter's gain is its net change, from -2^63 to 2^63 - 1.
    /// - The exemplar is this snapshot's, unless the earlier one has the same.
    /// - A gauge's `current` is this snapshot's. Its `min` and `max` are known only if the gain has
    ///   moved the lifetime's.
    ///
    /// Costs a pass over the buckets of both; takes no lock.
    pub fn since(&self, earlier: &Snapshot) -> Snapshot {
        let gained = |series: &Arc<Series>| Arc::new(series.since(earlier.known(&series.key)));
        let mut series: Vec<_> = self.series.iter().map(gained).collect();
        let (left, idle): (Vec<_>, _) =
            self.idle.iter().map(gained).partition(|series| series.value.has_samples());
        if !left.is_empty() {
            series.extend(left);
            series.sort_by(|a, b| a.key.cmp(&b.key));
        }
        let same_start = self.generation == earlier.generation && self.age >= earlier.age;
        Snapshot {
            version: self.version,
            timestamp: self.timestamp,
            started: if same_start { self.time_of(earlier) } else { self.started },
            generation: self.generation,
            uptime: if same_start { self.age - earlier.age } else { self.uptime },
            age: self.age,
            window_span: None,
            recording: self.recording_since(same_start.then_some(earlier)),
            series,
            idle,
            names: Arc::clone(&self.names),
        }
    }
}

impl Snapshot {
    /// How long recording was on since an earlier snapshot, or else since the last reset.
    fn recording_since(&self, earlier: Option<&Snapshot>) -> Recording {
        let before = earlier.map_or(self.recording.before_reset, |earlier| earlier.recording.on);
        let on = self.recording.on.saturating_sub(before);
        Recording::all(on)
    }
}

impl Series {
    fn since(&self, earlier: Option<&Series>) -> Series {
        // Resets do not clear drops: a lower count comes from another process.
        let before = earlier.map_or(0, |earlier| earlier.dropped);
        let dropped = self.dropped.checked_sub(before).unwrap_or(self.dropped);
        let earlier = earlier.filter(|earlier| earlier.generation == self.generation);
        let value = self.value.since(earlier.map(|earlier| &earlier.value));
        let known = earlier.and_then(|earlier| earlier.exemplar.as_ref());
        let exemplar = self.exemplar.clone().filter(|exemplar| known != Some(exemplar));
        Series { on_before: Duration::ZERO, dropped, exemplar, value, ..self.clone() }
    }
}

impl Value {
    /// Whether the difference contains any of its samples.
    fn has_samples(&self) -> bool {
        match self {
            Self::Timing(views) | Self::Histogram(views) => views.lifetime.count > 0,
            Self::Counter(views) | Self::UpDownCounter(views) => views.lifetime.value != 0,
            Self::Gauge(views) => views.lifetime.count > 0,
        }
    }

    fn since(&self, earlier: Option<&Value>) -> Value {
        let counter = earlier.and_then(Value::as_counter).map(|views| views.lifetime);
        let timing = earlier.and_then(Value::as_timing).map(|views| &views.lifetime);
        let gauge = earlier.and_then(Value::as_gauge).map(|views| views.lifetime);
        match self {
            Self::Counter(now) => Self::Counter(gain(now.lifetime.since(counter))),
            Self::UpDownCounter(now) => Self::UpDownCounter(gain(now.lifetime.since(counter))),
            Self::Timing(now) => Self::Timing(Box::new(gain(now.lifetime.since(timing)))),
            Self::Histogram(now) => Self::Histogram(Box::new(gain(now.lifetime.since(timing)))),
            Self::Gauge(now) => Self::Gauge(Box::new(gain(now.lifetime.since(gauge)))),
        }
    }
}

fn gain<T>(lifetime: T) -> Views<T> {
    Views { lifetime, window: None }
}

impl CounterStats {
    /// The net change, with the counter's own wrapping arithmetic.
    fn since(self, earlier: Option<Self>) -> Self {
        let Some(earlier) = earlier else { return self };
        let change = (self.value as u64).wrapping_sub(earlier.value as u64);
        Self { value: i128::from(change.cast_signed()) }
    }
}

impl GaugeStats {
    fn since(self, earlier: Option<Self>) -> Self {
        let Some(earlier) = earlier.filter(|earlier| earlier.count <= self.count) else {
            return self;
        };
        let finite = self.finite.saturating_sub(earlier.finite);
        let sum = self.sum.minus(earlier.sum);
        Self {
            current: self.current,
            min: self.min.filter(|&min| earlier.min.is_none_or(|before| min < before)),
            max: self.max.filter(|&max| earlier.max.is_none_or(|before| max > before)),
            mean: (finite > 0).then(|| sum.over(finite)),
            count: self.count - earlier.count,
            finite,
            sum,
        }
    }
}

impl TimingStats {
    fn since(&self, earlier: Option<&Self>) -> Self {
        let now = self.buckets();
        match earlier.and_then(|earlier| now.since(earlier.buckets())) {
            Some((rows, coarse, totals)) => Self::new(rows.into(), &coarse, totals, now.scale()),
            None => self.clone(),
        }
    }
}

impl Buckets {
    /// The rows, coarse rows and totals that were gained; `None` if a bucket holds less than
    /// before, which means that `earlier` is not a predecessor.
    fn since(&self, earlier: &Self) -> Option<(Vec<Row>, Vec<Row>, Totals)> {
        let (now, before) = (self.totals(), earlier.totals());
        let count = now.count.checked_sub(before.count)?;
        let rows = subtract(self.rows(), earlier.rows())?;
        let coarse = subtract(self.coarse(), earlier.coarse())?;
        let sum = now.sum.wrapping_sub(before.sum);
        let coalesced = now.coalesced.saturating_sub(before.coalesced);
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Some((rows, coarse, Totals::default()));
        };
        // An extreme that has moved is exact, and so is a single sample. Otherwise it lies in its
        // bucket, not beyond the lifetime's extreme, and not beyond the gain's mean.
        let samples = u128::from(count.max(1));
        let [low, high] = [sum / samples, sum.div_ceil(samples)].map(|mean| mean as u64);
        let middle = |row: &Row| bucket::middle(row.0).min(now.max).max(now.min);
        let (min, max) = match count {
            1 => (low, high),
            _ => (middle(first).min(low), middle(last).max(high)),
        };
        let totals = Totals {
            count,
            sum,
            min: if now.min < before.min { now.min } else { min },
            max: if now.max > before.max { now.max } else { max },
            coalesced,
        };
        Some((rows, coarse, totals))
    }
}

/// The counts of `now` minus those of `before`; `None` if one would be negative.
fn subtract(now: &[Row], before: &[Row]) -> Option<Vec<Row>> {
    let mut before = counts(before).peekable();
    let mut gained = Vec::with_capacity(now.len());
    for (bucket, count) in counts(now) {
        let known = match before.peek().map(|known| known.0.cmp(&bucket)) {
            Some(Ordering::Less) => return None,
            Some(Ordering::Equal) => before.next().map_or(0, |known| known.1),
            Some(Ordering::Greater) | None => 0,
        };
        rows::push(&mut gained, bucket, count.checked_sub(known)?);
    }
    before.next().is_none().then_some(gained)
}

/// The sorted counts, with each bucket once.
fn counts(rows: &[Row]) -> impl Iterator<Item = (u16, u64)> {
    let count = |rows: &[Row]| rows.iter().map(|row| u64::from(row.1)).sum();
    rows.chunk_by(|a, b| a.0 == b.0).map(move |rows| (rows[0].0, count(rows)))
}
