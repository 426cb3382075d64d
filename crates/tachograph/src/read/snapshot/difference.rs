//! What was recorded between two snapshots of one collector.

use std::sync::Arc;
use std::time::Duration;

use crate::lane::bucket;
use crate::read::buckets::Buckets;
use crate::read::rows::{self, Row, Totals};
use crate::read::snapshot::{Recording, Series, Snapshot, Value, by_key};
use crate::read::stats::{CounterStats, GaugeStats, TimingStats, Views};

impl Snapshot {
    /// The samples recorded between an earlier snapshot of the same collector and this one.
    ///
    /// Each series' `lifetime` view holds its gain, there is no `window`, and `uptime` is the time
    /// between the two, which rates are divided by. A series that was created or reset in between
    /// counts from then on. A series that the idle timeout now hides is included only if it was
    /// recorded in between, so consecutive differences miss nothing. A series that is not in the
    /// earlier snapshot because of a reset has all its drops.
    ///
    /// Of a snapshot that is not earlier, or not of the same collector, nothing is subtracted: a
    /// series whose counts are smaller here counts as reset in between.
    ///
    /// - Counts, sums, means and buckets are exact. Quantiles are within [`TimingStats::error`],
    ///   and so are `min` and `max` of a gain that has not moved the lifetime's.
    /// - A counter's gain is its net change, from -2^63 to 2^63 - 1.
    /// - The exemplar is this snapshot's, unless the earlier one has the same.
    /// - A gauge's `current` is this snapshot's. Its `min` and `max` are known only if the gain has
    ///   moved the lifetime's.
    ///
    /// Costs a pass over the buckets of both; takes no lock. [`Snapshot::gains_since`] costs less.
    pub fn since(&self, earlier: &Snapshot) -> Snapshot {
        let gained = |series: &Arc<Series>| Arc::new(series.since(earlier.known(&series.key)));
        let mut series: Vec<_> = self.series.iter().map(gained).collect();
        let (left, idle): (Vec<_>, _) =
            self.idle.iter().map(gained).partition(|series| series.value.has_samples());
        if !left.is_empty() {
            series.extend(left);
            series.sort_by(|a, b| a.key.cmp(&b.key));
        }
        let same_start = self.has_start_of(earlier);
        Snapshot {
            version: self.version,
            timestamp: self.timestamp,
            started: if same_start { self.time_of(earlier) } else { self.started },
            generation: self.generation,
            uptime: self.elapsed_since(earlier),
            age: self.age,
            window_span: None,
            recording: self.recording_since(same_start.then_some(earlier)),
            series,
            idle,
            names: Arc::clone(&self.names),
        }
    }

    /// Every series that recorded something since an earlier snapshot of the same collector, with
    /// its gain as in [`Snapshot::since`]: first those of this snapshot, sorted by key, then those
    /// that the idle timeout now hides.
    ///
    /// A series that both snapshots share costs the comparison of two pointers, every other one a
    /// pass over its buckets in both. Takes no lock.
    pub fn gains_since<'a>(
        &'a self,
        earlier: &'a Snapshot,
    ) -> impl Iterator<Item = (&'a Series, Series)> {
        let mut others = earlier.series.iter().peekable();
        let shown = self.series.iter().filter_map(move |now| {
            let is_same = |other: &Arc<Series>| Arc::ptr_eq(other, now);
            let mut before = None;
            while let Some(other) = others.next_if(|it| is_same(it) || it.key <= now.key) {
                if is_same(other) {
                    return None;
                }
                before = Some(&**other);
            }
            let before = before.filter(|it| it.key == now.key);
            Some((&**now, before.or_else(|| by_key(&earlier.idle, &now.key))))
        });
        let idle = self.idle.iter().map(|now| (&**now, earlier.known(&now.key)));
        let gained = shown.chain(idle).map(|(now, before)| (now, now.since(before)));
        gained.filter(|(_, gained)| gained.value.has_samples())
    }

    /// The time since an earlier snapshot of the same collector, by the monotonic clock; since the
    /// last reset, if that was in between. It is the `uptime` of [`Snapshot::since`].
    pub fn elapsed_since(&self, earlier: &Snapshot) -> Duration {
        if self.has_start_of(earlier) { self.age - earlier.age } else { self.uptime }
    }

    /// Whether there was no reset since an earlier snapshot.
    fn has_start_of(&self, earlier: &Snapshot) -> bool {
        self.generation == earlier.generation && self.age >= earlier.age
    }

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
        let exemplar = self.exemplar.as_ref().filter(|&exemplar| known != Some(exemplar)).cloned();
        Series {
            metric: Arc::clone(&self.metric),
            tags: self.tags.clone(),
            key: Arc::clone(&self.key),
            created: self.created,
            generation: self.generation,
            on_before: Duration::ZERO,
            dropped,
            exemplar,
            value,
        }
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
            Some(gained) => Self::of(gained),
            None => self.clone(),
        }
    }
}

impl Buckets {
    /// What was gained; `None` if a bucket holds less than before, which means that `earlier` is
    /// not a predecessor.
    fn since(&self, earlier: &Self) -> Option<Self> {
        let (now, before) = (self.totals(), earlier.totals());
        let count = now.count.checked_sub(before.count)?;
        let most = usize::try_from(count).unwrap_or(usize::MAX);
        let rows = subtract(self.rows(), earlier.rows(), most)?;
        let coarse = subtract(self.coarse(), earlier.coarse(), 0)?;
        let sum = now.sum.wrapping_sub(before.sum);
        let coalesced = now.coalesced.saturating_sub(before.coalesced);
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            let none = Totals::default();
            return Some(Self::new(rows.into(), coarse.into(), none, self.scale()));
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
        Some(Self::new(rows.into(), coarse.into(), totals, self.scale()))
    }
}

/// The counts of `now` minus those of `before`, of which there are probably at most `most`; `None`
/// if one would be negative.
fn subtract(mut now: &[Row], mut before: &[Row], most: usize) -> Option<Vec<Row>> {
    let mut gained = Vec::with_capacity(most.min(now.len()));
    loop {
        let same = rows::common_prefix(now, before);
        (now, before) = (&now[same..], &before[same..]);
        let Some(&Row(bucket, _)) = now.first() else {
            return before.is_empty().then_some(gained);
        };
        if before.first().is_some_and(|known| known.0 < bucket) {
            return None;
        }
        let (count, known) = (take(&mut now, bucket), take(&mut before, bucket));
        rows::push(&mut gained, bucket, count.checked_sub(known)?);
    }
}

/// Takes the rows of a bucket from the front, and returns their count.
fn take(rows: &mut &[Row], bucket: u16) -> u64 {
    let (taken, rest) = rows.split_at(rows.iter().take_while(|row| row.0 == bucket).count());
    *rows = rest;
    taken.iter().map(|row| u64::from(row.1)).sum()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Rows of these counts, each split in a way of its own.
    fn split(counts: &BTreeMap<u16, u64>, random: &mut fastrand::Rng) -> Vec<Row> {
        let mut rows = Vec::new();
        for (&bucket, &count) in counts {
            let mut left = count;
            while left > 0 {
                let most = left.min(u64::from(u32::MAX));
                let part = if random.bool() { most } else { random.u64(1..=most.min(1_000)) };
                rows.push(Row(bucket, part as u32));
                left -= part;
            }
        }
        rows
    }

    #[test]
    fn counts_are_subtracted_as_a_map_does_it_however_rows_are_split() {
        let mut random = fastrand::Rng::with_seed(7);
        for round in 0..2_000 {
            let mut before = BTreeMap::<u16, u64>::new();
            for _ in 0..random.usize(0..200) {
                let many = random.u8(0..20) == 0;
                let count = random.u64(1..if many { 3 << 32 } else { 50 });
                before.insert(random.u16(0..300), count);
            }
            let (mut now, mut gained) = (before.clone(), BTreeMap::<u16, u64>::new());
            for _ in 0..random.usize(0..30) {
                let (bucket, count) = (random.u16(0..300), random.u64(1..9));
                *now.entry(bucket).or_default() += count;
                *gained.entry(bucket).or_default() += count;
            }
            let rows = [&now, &before].map(|counts| split(counts, &mut random));
            let told = subtract(&rows[0], &rows[1], 8).expect("counts have only grown");
            assert!(told.is_sorted_by_key(|row| row.0), "{round}");
            let mut sums = BTreeMap::<u16, u64>::new();
            told.iter().for_each(|row| *sums.entry(row.0).or_default() += u64::from(row.1));
            assert_eq!(sums, gained, "{round}");
            assert_eq!(subtract(&rows[1], &rows[0], 8).is_none(), !gained.is_empty(), "{round}");
        }
    }
}
