//! Compares differences and merges of snapshots with the model.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::series::metric::Kind;
use crate::sync::Arc;
use crate::testing::simulation::check::{self, close};
use crate::testing::simulation::model::{Item, Model, Seen, SeriesModel};
use crate::testing::simulation::world::World;
use crate::{CounterStats, Series, Snapshot, TimingStats, Value};

/// A snapshot, and the model's state at that time.
#[derive(Debug)]
pub(super) struct Kept {
    snapshot: Arc<Snapshot>,
    now: Instant,
    started: Instant,
    series: BTreeMap<String, Then>,
}

/// The model's state of a visible series at that time.
#[derive(Debug)]
struct Then {
    items: Vec<Item>,
    resets: u64,
    dropped: u64,
    hidden: bool,
}

impl Kept {
    fn new(snapshot: Arc<Snapshot>, world: &World) -> Self {
        let then = |key: &String, seen: Seen<'_>| Then {
            items: seen.series.items.clone(),
            resets: seen.series.resets,
            dropped: world.model.series[key].dropped,
            hidden: seen.hidden,
        };
        let series = world.model.seen().map(|(key, seen)| (key.clone(), then(key, seen))).collect();
        Self { snapshot, now: world.now, started: world.started, series }
    }

    /// A series' gain since then, and the drops in it.
    fn gain<'a>(&self, key: &str, series: &'a SeriesModel, dropped: u64) -> (&'a [Item], u64) {
        let Some(then) = self.series.get(key) else { return (&series.items, dropped) };
        let known = if then.resets == series.resets { then.items.len() } else { 0 };
        (&series.items[known..], dropped - then.dropped)
    }
}

/// The number of snapshots kept.
const KEPT: usize = 2;

impl World {
    /// Compares a new snapshot with those that are kept, then keeps it too.
    pub(super) fn compare(&mut self) {
        self.read_all();
        self.say(|| format!("compare with {} snapshots", self.kept.len()));
        let snapshot = self.metrics.get_all_metrics();
        self.made = snapshot.version();
        for kept in &self.kept {
            self.difference(&snapshot, kept);
            self.sum(&snapshot, kept);
        }
        if let [first, second] = &self.kept[..] {
            self.sum_of_differences(&snapshot, first, second);
        }
        if self.kept.len() == KEPT {
            self.kept.remove(0);
        }
        let kept = Kept::new(snapshot, self);
        self.kept.push(kept);
    }

    fn difference(&self, snapshot: &Snapshot, kept: &Kept) {
        let gain = snapshot.since(&kept.snapshot);
        assert_eq!((gain.version(), gain.window_span()), (snapshot.version(), None));
        if kept.started == self.started {
            assert_eq!(gain.uptime(), self.now - kept.now);
        }
        let mut expected = BTreeSet::new();
        for (key, Seen { series, hidden }) in self.model.seen() {
            let (items, dropped) = kept.gain(key, series, self.model.series[key].dropped);
            if !hidden || has_gained(series.kind, items) {
                expected.insert(&**key);
            }
            let (told, now) = (gain.known(key).expect("is visible"), snapshot.known(key));
            assert_eq!(told.dropped, dropped, "drops of the gain of {key}");
            let now = now.expect("is visible");
            gained(series, items, &told.value, now);
            exemplar(told, now, kept.snapshot.known(key), items);
        }
        let shown = check::keys(gain.series());
        assert_eq!(shown, expected.into_iter().collect::<Vec<_>>(), "series of the difference");
    }

    /// In the merge of an earlier snapshot and this one, everything that both have counts twice.
    fn sum(&self, snapshot: &Snapshot, kept: &Kept) {
        let sum = Snapshot::merge([snapshot, &*kept.snapshot]);
        let (shown, hidden) = keys_of_sum(&self.model, kept);
        assert_eq!(check::keys(sum.series()), shown, "series of the sum");
        assert_eq!(check::keys(&sum.idle), hidden, "hidden series of the sum");
        for told in check::others(&sum.series).chain(&sum.idle) {
            let now = self.model.known(&told.key).map(|seen| seen.series);
            let then = kept.series.get(&*told.key);
            let items = then.iter().flat_map(|then| &then.items);
            let items: Vec<Item> =
                items.chain(now.iter().flat_map(|now| &now.items)).copied().collect();
            let dropped = then.map_or(0, |then| then.dropped)
                + now.map_or(0, |_| self.model.series[&*told.key].dropped);
            assert_eq!(told.dropped, dropped, "drops of the sum of {}", told.key);
            whole(told.metric.kind, &items, &told.value, &told.key);
        }
    }

    /// Consecutive differences add up to the difference over the whole time.
    fn sum_of_differences(&self, snapshot: &Snapshot, first: &Kept, second: &Kept) {
        let parts = [second.snapshot.since(&first.snapshot), snapshot.since(&second.snapshot)];
        let sum = Snapshot::merge(&parts);
        for told in check::others(&sum.series).chain(&sum.idle) {
            let Some(Seen { series, .. }) = self.model.known(&told.key) else { continue };
            // Anything recorded between the second snapshot and a reset is in neither difference.
            let then = second.series.get(&*told.key);
            if then.is_some_and(|then| then.resets != series.resets) {
                continue;
            }
            // A series that had left by then returns as a new one, with all its drops.
            let base = if then.is_some() { first } else { second };
            let dropped = self.model.series[&*told.key].dropped;
            let (items, dropped) = base.gain(&told.key, series, dropped);
            assert_eq!(told.dropped, dropped, "drops of the differences of {}", told.key);
            match &told.value {
                Value::Timing(views) | Value::Histogram(views) => {
                    check::counts(items, &views.lifetime, &told.key);
                }
                Value::Counter(views) | Value::UpDownCounter(views) => {
                    net(items, &views.lifetime, &told.key);
                }
                Value::Gauge(views) => {
                    assert_eq!(views.lifetime.count, items.len() as u64, "count of {}", told.key);
                }
            }
        }
    }
}

/// Whether a difference includes a hidden series: for a counter, if there is a net change.
fn has_gained(kind: Kind, items: &[Item]) -> bool {
    match kind {
        Kind::Counter | Kind::UpDownCounter => total(items) != 0,
        _ => !items.is_empty(),
    }
}

fn total(items: &[Item]) -> u64 {
    items.iter().fold(0, |sum, item| sum.wrapping_add(item.value))
}

/// The keys that a merge shows, and those that it hides: only keys that are hidden wherever they
/// occur.
fn keys_of_sum<'a>(model: &'a Model, kept: &'a Kept) -> (Vec<&'a str>, Vec<&'a str>) {
    let now = [false, true].map(|hidden| model.keys(hidden));
    let then = kept.series.iter();
    let shown_then = then.clone().filter(|(_, then)| !then.hidden).map(|(key, _)| &**key);
    let shown: BTreeSet<&str> = now[0].iter().copied().chain(shown_then).collect();
    let all: BTreeSet<&str> =
        now.iter().flatten().copied().chain(then.map(|(key, _)| &**key)).collect();
    (shown.iter().copied().collect(), all.difference(&shown).copied().collect())
}

/// A net change, modulo 2^64.
fn net(items: &[Item], stats: &CounterStats, key: &str) {
    assert_eq!(stats.value as u64, total(items), "net change of {key}");
}

/// Checks statistics that cover exactly these items.
fn whole(kind: Kind, items: &[Item], value: &Value, key: &str) {
    match value {
        Value::Counter(views) | Value::UpDownCounter(views) => {
            check::counter(items, &views.lifetime, kind, key);
        }
        Value::Timing(views) | Value::Histogram(views) => {
            check::distribution(items, &views.lifetime, key);
        }
        Value::Gauge(views) => {
            assert_eq!(views.lifetime.count, items.len() as u64, "count of {key}");
        }
    }
}

/// Checks the statistics of a gain.
fn gained(series: &SeriesModel, items: &[Item], value: &Value, now: &Series) {
    let key = &*series.entry.key;
    match value {
        Value::Counter(views) | Value::UpDownCounter(views) => {
            net(items, &views.lifetime, key);
            let fits = i64::try_from(views.lifetime.value).is_ok();
            // If there is nothing to subtract, a monotonic total is reported unchanged.
            assert!(fits || items.len() == series.items.len(), "a net change of {key}");
        }
        Value::Timing(views) | Value::Histogram(views) => {
            distribution(items, &views.lifetime, key);
        }
        Value::Gauge(views) => {
            let (gain, now) = (&views.lifetime, now.value.as_gauge().expect("as before"));
            assert_eq!(gain.count, items.len() as u64, "count of the gain of {key}");
            assert_eq!(gain.current, now.lifetime.current, "current of {key}");
            for (end, of_now) in [(gain.min, now.lifetime.min), (gain.max, now.lifetime.max)] {
                assert!(end.is_none() || end == of_now, "range of the gain of {key}");
            }
            let values = items.iter().map(|item| f64::from_bits(item.value));
            let finite: Vec<f64> = values.filter(|value| value.is_finite()).collect();
            let exact = finite.iter().sum::<f64>() / finite.len() as f64;
            let good = match gain.mean {
                _ if series.gauge.blurred => true,
                None => finite.is_empty(),
                Some(told) => (told - exact).abs() <= 1e-9 * series.gauge.magnitude,
            };
            assert!(good, "mean of the gain of {key}: {:?}, not {exact}", gain.mean);
        }
    }
}

fn distribution(items: &[Item], gain: &TimingStats, key: &str) {
    check::counts(items, gain, key);
    let sorted = {
        let mut values: Vec<u64> = items.iter().map(|item| item.value).collect();
        values.sort_unstable();
        values
    };
    let (Some(&min), Some(&max)) = (sorted.first(), sorted.last()) else { return };
    let buckets = gain.buckets();
    for (told, exact) in [(buckets.min(), min), (buckets.max(), max)] {
        let told = told.expect("there are samples");
        let [by_bucket, exact] = [told, exact].map(|value| value as f64);
        assert!(close(by_bucket, exact, gain), "an end of the gain of {key}: {told}, not {exact}");
    }
    for millionths in [0, 250_000, 500_000, 990_000, 1_000_000] {
        let rank = (millionths * sorted.len()).div_ceil(1_000_000).max(1);
        let told = gain.quantile(millionths as f64 / 1e6).expect("there are samples");
        let told = told / buckets.scale();
        let exact = sorted[rank - 1] as f64;
        assert!(close(told, exact, gain), "{key}: {millionths} of the gain: {told}, not {exact}");
    }
}

/// Checks the exemplar of a gain: the present one, unless it was there before.
fn exemplar(gain: &Series, now: &Series, then: Option<&Series>, items: &[Item]) {
    let key = &gain.key;
    let known = then.and_then(|then| then.exemplar.as_ref());
    match (&gain.exemplar, &now.exemplar) {
        (Some(told), now) => {
            assert_eq!(Some(told), now.as_ref(), "exemplar of the gain of {key}");
            assert_ne!(Some(told), known, "the exemplar of {key} was there before");
        }
        (None, Some(now)) => {
            let number = crate::testing::simulation::trace::number(now.trace);
            let new = items.iter().any(|item| item.trace == Some(number));
            assert!(!new, "the exemplar of the gain of {key} is missing");
        }
        (None, None) => {}
    }
}
