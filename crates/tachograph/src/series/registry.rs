//! Looks up or creates the series of a name and tags: kinds, limits, metadata.
//!
//! A cold path: a thread gets here when it first uses a series by name, and when a handle is
//! registered. Ids are never reused, so a sample with an old id never lands in a new series.

use std::collections::hash_map::{Entry as MapEntry, RandomState};
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::BuildHasher;

use hashbrown::HashTable;

use crate::drops::drop_reason::DropReason;
use crate::drops::tallies::{Tallies, Tally};
use crate::limits::{CACHED_NAMES_PER_SERIES, KNOWN_PER_SERIES, TAG_KEYS_PER_METRIC, WARNINGS_MAX};
use crate::series::key;
use crate::series::metric::{Kind, Metric, RESERVED, Unit, is_scale};
use crate::series::series_id::{BEYOND_LIMIT, CONFLICTING, SeriesId, SeriesWords};
use crate::series::tags::{OVERFLOW, Tags};
use crate::series::warning::Warning;
use crate::sync::{Arc, ColdPath, Mutex, MutexGuard, lock};

/// The limits on series and metrics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cardinality {
    pub(crate) series_per_metric: usize,
    pub(crate) series: usize,
    pub(crate) metrics: usize,
    /// Bytes that all distributions may hold together before further ones are refused.
    pub(crate) distribution_bytes: usize,
}

#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) tallies: Arc<Tallies>,
    limits: Cardinality,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
pub(crate) struct Inner {
    /// Std's hash, randomly seeded, because tag values may come from a stranger.
    hasher: RandomState,
    by_name: HashMap<Arc<str>, u32>,
    metrics: Vec<MetricEntry>,
    /// Series that the aggregator has not taken yet.
    fresh: Vec<Arc<SeriesId>>,
    next_id: u32,
    /// Slots assigned so far, by kind of table: cells, spill rows, gauge rows.
    slots: [u32; 3],
    /// Series and metrics that count against the limits: all except the collector's own.
    counted_series: usize,
    /// Series that have ever counted.
    known_series: usize,
    counted_metrics: usize,
    warnings: Vec<Warning>,
    warned_of_limit: bool,
    /// Bytes that distributions held at the last snapshot.
    distribution_bytes: usize,
    /// Incremented with every change of the metrics.
    revision: u64,
}

#[derive(Debug)]
struct MetricEntry {
    name: Arc<str>,
    /// `None` while the metric has only been described.
    kind: Option<Kind>,
    unit: Unit,
    scale: f64,
    description: Arc<str>,
    /// The metric's series by tags.
    series: HashTable<Arc<SeriesId>>,
    /// The number of series that count against the limits.
    live: usize,
    /// The tag keys of all series.
    keys: HashSet<Box<str>>,
    overflow: Option<Arc<SeriesId>>,
    /// Whether the callback has been told of a conflict and of a limit.
    warned: bool,
    warned_of_limit: bool,
}

impl Registry {
    pub(crate) fn new(tallies: Arc<Tallies>, limits: Cardinality) -> Self {
        Self { tallies, limits, inner: Mutex::new(Inner::default()) }
    }

    /// The series of a name and tags, created if necessary. If it is refused, the result is an
    /// entry unknown to any collector, whose id encodes the reason, so that recording into it is a
    /// counted drop.
    pub(crate) fn resolve(&self, name: &str, tags: &[(&str, &str)], kind: Kind) -> Arc<SeriesId> {
        let name = self.cut(name);
        if name.starts_with(RESERVED) {
            let warning = Warning::ReservedName { name: name.into() };
            self.inner().1.warn(warning);
            return self.refused(CONFLICTING, kind);
        }
        self.resolve_any(name, self.canonical(tags), kind)
    }

    /// Like `resolve`, but allows reserved names.
    pub(crate) fn resolve_any(&self, name: &str, tags: Tags, kind: Kind) -> Arc<SeriesId> {
        let (_cold, mut inner) = self.inner();
        let Some(index) = inner.metric_index(name, &self.limits) else {
            inner.warn_of_limit(name);
            return self.refused(BEYOND_LIMIT, kind);
        };
        let hash = inner.hasher.hash_one(&tags);
        let metric = &mut inner.metrics[index as usize];
        let is = *metric.kind.get_or_insert(kind);
        if !is.fits(kind) {
            let warning = metric.conflict(is, kind);
            warning.into_iter().for_each(|warning| inner.warn(warning));
            return self.refused(CONFLICTING, kind);
        }
        match metric.find(hash, &tags) {
            Some(known) => Arc::clone(known),
            None if tags.is_overflow() => self.overflow(&mut inner, index, is),
            None => self.add(&mut inner, index, tags, is),
        }
    }

    /// The series that takes samples beyond its metric's limits. It counts against none itself.
    fn overflow(&self, inner: &mut Inner, index: u32, kind: Kind) -> Arc<SeriesId> {
        if let Some(overflow) = &inner.metrics[index as usize].overflow {
            return Arc::clone(overflow);
        }
        let overflow = self.new_entry(inner, index, Tags::new(&[OVERFLOW]), kind);
        inner.metrics[index as usize].overflow = Some(Arc::clone(&overflow));
        overflow
    }

    fn add(&self, inner: &mut Inner, index: u32, tags: Tags, kind: Kind) -> Arc<SeriesId> {
        let heavy = self.is_heavy(inner, kind);
        let full = heavy
            || self.is_full(inner, index)
            || inner.known_series >= self.limits.series.saturating_mul(KNOWN_PER_SERIES);
        let metric = &mut inner.metrics[index as usize];
        let own = metric.name.starts_with(RESERVED);
        if own || (!full && metric.has_room_for_keys(&tags)) {
            metric.keys.extend(metric.new_keys(&tags).map(Into::into).collect::<Vec<_>>());
            metric.live += usize::from(!own);
            inner.counted_series += usize::from(!own);
            inner.known_series += usize::from(!own);
            let entry = self.new_entry(inner, index, tags, kind);
            let hash = |entry: &Arc<SeriesId>| inner.hasher.hash_one(&entry.tags);
            let series = &mut inner.metrics[index as usize].series;
            series.insert_unique(hash(&entry), Arc::clone(&entry), hash);
            return entry;
        }
        self.refuse_place(inner, index, kind, heavy)
    }

    fn new_entry(&self, inner: &mut Inner, metric: u32, tags: Tags, kind: Kind) -> Arc<SeriesId> {
        let id = inner.next_id;
        let first = inner.metrics[metric as usize].series.is_empty();
        let name = &inner.metrics[metric as usize].name;
        let key = key::display(name, &tags);
        // Most names without tags are their own keys.
        let key = if key == **name { Arc::clone(name) } else { key.into() };
        // The collector's own series are never in a lane.
        let slot = if name.starts_with(RESERVED) { u32::MAX } else { inner.next_slot(kind) };
        let (tallies, words) = (Arc::clone(&self.tallies), SeriesWords::default());
        let entry = Arc::new(SeriesId { id, slot, kind, metric, tags, key, tallies, words });
        inner.fresh.push(Arc::clone(&entry));
        inner.next_id += 1;
        inner.revision += u64::from(first);
        entry
    }

    /// An entry without a series; recording into it is a drop, for the reason that the id encodes.
    pub(crate) fn refused(&self, id: u32, kind: Kind) -> Arc<SeriesId> {
        Arc::new(SeriesId {
            id,
            slot: u32::MAX,
            kind,
            metric: u32::MAX,
            tags: Tags::default(),
            key: "".into(),
            tallies: Arc::clone(&self.tallies),
            words: SeriesWords::default(),
        })
    }

    /// The series of a name and tags, if it exists. Never creates one.
    pub(crate) fn find(&self, name: &str, tags: &[(&str, &str)]) -> Option<Arc<SeriesId>> {
        let tags = canonical(tags);
        let (_cold, inner) = self.inner();
        let metric = &inner.metrics[*inner.by_name.get(key::cut(name))? as usize];
        if let Some(entry) = metric.find(inner.hasher.hash_one(&tags), &tags) {
            return Some(Arc::clone(entry));
        }
        metric.overflow.as_ref().filter(|overflow| overflow.tags == tags).cloned()
    }

    /// Sets a metric's unit and description, before or after its first record.
    pub(crate) fn describe(&self, name: &str, unit: Unit, scale: f64, text: &str) {
        let name = self.cut(name);
        if name.starts_with(RESERVED) {
            self.tallies.add(Tally::KindConflict, 1);
            return self.warn(Warning::ReservedName { name: name.into() });
        }
        if is_scale(scale) {
            return self.describe_any(name, unit, scale, text);
        }
        self.warn(Warning::BadScale { name: name.into() });
        self.describe_any(name, unit, 1.0, text);
    }

    /// Like `describe`, but allows reserved names.
    pub(crate) fn describe_any(&self, name: &str, unit: Unit, scale: f64, text: &str) {
        let (_cold, mut inner) = self.inner();
        let Some(index) = inner.metric_index(name, &self.limits) else {
            return inner.warn_of_limit(name);
        };
        let metric = &mut inner.metrics[index as usize];
        (metric.unit, metric.scale, metric.description) = (unit, scale, text.into());
        inner.revision += 1;
    }

    /// Stops counting a series against the limits.
    pub(crate) fn vacate(&self, entry: &SeriesId) {
        let (_cold, mut inner) = self.inner();
        inner.count_place(entry, |count| count.saturating_sub(1));
    }

    /// Counts a returning series against the limits again; false if they are full.
    pub(crate) fn readmit(&self, entry: &SeriesId) -> bool {
        let (_cold, mut inner) = self.inner();
        let full = self.is_heavy(&inner, entry.kind) || self.is_full(&inner, entry.metric);
        if full && !entry.tags.is_overflow() {
            return false;
        }
        inner.count_place(entry, |count| count + 1);
        true
    }

    /// The overflow series for a returning series that the limits do not admit.
    pub(crate) fn overflow_of(&self, entry: &SeriesId) -> Arc<SeriesId> {
        let (_cold, mut inner) = self.inner();
        let heavy = self.is_heavy(&inner, entry.kind);
        self.refuse_place(&mut inner, entry.metric, entry.kind, heavy)
    }

    /// Whether distributions have reached their limit of bytes.
    fn is_heavy(&self, inner: &Inner, kind: Kind) -> bool {
        kind.is_distribution() && inner.distribution_bytes >= self.limits.distribution_bytes
    }

    /// Whether the metric or the collector has reached its limit of series.
    fn is_full(&self, inner: &Inner, metric: u32) -> bool {
        let live = inner.metrics.get(metric as usize).map_or(0, |metric| metric.live);
        live >= self.limits.series_per_metric || inner.counted_series >= self.limits.series
    }

    /// The series that takes the samples of a series beyond the limits.
    fn refuse_place(
        &self,
        inner: &mut Inner,
        metric: u32,
        kind: Kind,
        heavy: bool,
    ) -> Arc<SeriesId> {
        self.tallies.add(Tally::Overflowed, 1);
        let refused = &mut inner.metrics[metric as usize];
        if !std::mem::replace(&mut refused.warned_of_limit, true) {
            let name = Arc::clone(&refused.name);
            inner.warn(if heavy {
                Warning::DistributionLimit { name }
            } else {
                Warning::SeriesLimit { name }
            });
        }
        self.overflow(inner, metric, kind)
    }

    /// Counts a record of a known series as another kind, and warns about it.
    #[cold]
    pub(crate) fn conflict(&self, entry: &SeriesId, recorded_as: Kind) {
        self.tallies.drop_sample(DropReason::KindConflict);
        self.warn_of_conflict(entry, recorded_as);
    }

    /// Warns once per metric; only the first conflict of a series takes the lock.
    pub(crate) fn warn_of_conflict(&self, entry: &SeriesId, recorded_as: Kind) {
        if !entry.is_first_conflict() {
            return;
        }
        let (_cold, mut inner) = self.inner();
        let metric = inner.metrics.get_mut(entry.metric as usize);
        let warning = metric.and_then(|metric| metric.conflict(entry.kind, recorded_as));
        warning.into_iter().for_each(|warning| inner.warn(warning));
    }

    /// The number of entries that a thread's name cache may have.
    pub(crate) fn cached_names_max(&self) -> usize {
        self.limits.series.saturating_mul(CACHED_NAMES_PER_SERIES)
    }

    /// Appends the series since the last call, in the order of their ids.
    pub(crate) fn take_new(&self, into: &mut VecDeque<Arc<SeriesId>>) {
        into.extend(std::mem::take(&mut self.inner().1.fresh));
    }

    /// The metadata of every metric, by index, with its revision, unless that is `known`.
    pub(crate) fn metrics_since(&self, known: u64) -> Option<(u64, Vec<Arc<Metric>>)> {
        let (_cold, inner) = self.inner();
        let infos = || inner.metrics.iter().map(MetricEntry::info).collect();
        (inner.revision != known).then(|| (inner.revision, infos()))
    }

    /// Stores the size of all distributions, which decides about new series.
    pub(crate) fn note_distributions(&self, bytes: usize) {
        self.inner().1.distribution_bytes = bytes;
    }

    pub(crate) fn warn(&self, warning: Warning) {
        self.inner().1.warn(warning);
    }

    pub(crate) fn take_warnings(&self) -> Vec<Warning> {
        std::mem::take(&mut self.inner().1.warnings)
    }

    /// Locks the registry, without affecting records made meanwhile.
    #[cfg(unix)]
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    /// Locks the registry, and turns records made by an allocator inside it into counted drops.
    fn inner(&self) -> (ColdPath, MutexGuard<'_, Inner>) {
        (ColdPath::enter_again(), lock(&self.inner))
    }

    /// Cuts a name to the length limit and counts if it did.
    fn cut<'a>(&self, text: &'a str) -> &'a str {
        let cut = key::cut(text);
        self.tallies.add(Tally::Truncated, u64::from(cut.len() < text.len()));
        cut
    }

    fn canonical(&self, tags: &[(&str, &str)]) -> Tags {
        tags.iter().for_each(|(key, value)| {
            self.cut(key);
            self.cut(value);
        });
        canonical(tags)
    }
}

fn canonical(tags: &[(&str, &str)]) -> Tags {
    if tags.is_empty() {
        return Tags::default();
    }
    let cut: Vec<_> = tags.iter().map(|(key, value)| (key::cut(key), key::cut(value))).collect();
    Tags::new(&cut)
}

/// The table in which a kind's slots are counted.
fn table_of(kind: Kind) -> usize {
    match kind {
        Kind::Counter | Kind::UpDownCounter => 0,
        Kind::Timing | Kind::Histogram => 1,
        Kind::Gauge => 2,
    }
}

impl Inner {
    /// The index of a metric, created if the limits allow.
    fn metric_index(&mut self, name: &str, limits: &Cardinality) -> Option<u32> {
        if let Some(&index) = self.by_name.get(name) {
            return Some(index);
        }
        if !name.starts_with(RESERVED) {
            if self.counted_metrics >= limits.metrics || self.counted_series >= limits.series {
                return None;
            }
            self.counted_metrics += 1;
        }
        let name: Arc<str> = name.into();
        let index = self.metrics.len() as u32;
        self.metrics.push(MetricEntry::new(Arc::clone(&name)));
        match self.by_name.entry(name) {
            MapEntry::Occupied(known) => Some(*known.get()),
            MapEntry::Vacant(place) => Some(*place.insert(index)),
        }
    }

    /// Changes the counts against the limits; an overflow series does not count.
    fn count_place(&mut self, entry: &SeriesId, change: impl Fn(usize) -> usize) {
        let Some(metric) = self.metrics.get_mut(entry.metric as usize) else { return };
        if !entry.tags.is_overflow() {
            metric.live = change(metric.live);
            self.counted_series = change(self.counted_series);
        }
    }

    fn next_slot(&mut self, kind: Kind) -> u32 {
        let next = &mut self.slots[table_of(kind)];
        *next += 1;
        *next - 1
    }

    fn warn_of_limit(&mut self, name: &str) {
        if !std::mem::replace(&mut self.warned_of_limit, true) {
            self.warn(Warning::MetricLimit { name: name.into() });
        }
    }

    fn warn(&mut self, warning: Warning) {
        if self.warnings.len() < WARNINGS_MAX && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

impl MetricEntry {
    fn new(name: Arc<str>) -> Self {
        Self {
            name,
            kind: None,
            unit: Unit::None,
            scale: 1.0,
            description: "".into(),
            series: HashTable::new(),
            live: 0,
            keys: HashSet::new(),
            overflow: None,
            warned: false,
            warned_of_limit: false,
        }
    }

    fn find(&self, hash: u64, tags: &Tags) -> Option<&Arc<SeriesId>> {
        self.series.find(hash, |entry| entry.tags == *tags)
    }

    fn new_keys<'a>(&'a self, tags: &'a Tags) -> impl Iterator<Item = &'a str> {
        tags.iter().map(|(key, _)| key).filter(|key| !self.keys.contains(*key))
    }

    fn has_room_for_keys(&self, tags: &Tags) -> bool {
        self.keys.len() + self.new_keys(tags).count() <= TAG_KEYS_PER_METRIC
    }

    /// The warning of a metric's first conflict.
    fn conflict(&mut self, is: Kind, recorded_as: Kind) -> Option<Warning> {
        let first = !std::mem::replace(&mut self.warned, true);
        first.then(|| Warning::KindConflict { name: Arc::clone(&self.name), is, recorded_as })
    }

    fn info(&self) -> Arc<Metric> {
        let kind = self.kind.unwrap_or(Kind::Counter);
        let (unit, scale) = match kind {
            Kind::Timing => (Unit::Seconds, 1e-9),
            // A gauge is set in its own unit already.
            Kind::Gauge => (self.unit.clone(), 1.0),
            _ => (self.unit.clone(), self.scale),
        };
        let (name, description) = (Arc::clone(&self.name), Arc::clone(&self.description));
        Arc::new(Metric { name, kind, unit, description, scale })
    }
}
