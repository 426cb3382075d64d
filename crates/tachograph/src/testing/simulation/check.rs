//! Compares a collector's output with the model.

use crate::series::metric::Kind;
use crate::sync::Arc;
use crate::testing::simulation::model::{Item, Model, SeriesModel};
use crate::testing::simulation::trace;
use crate::{CounterStats, GaugeStats, Series, Snapshot, TimingStats, Value};

/// The model's window: the current step, and the number of steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) now: u64,
    pub(super) steps: Option<u64>,
}

impl Window {
    fn holds(&self, item: &Item) -> bool {
        self.steps.is_some_and(|steps| item.step + steps > self.now)
    }
}

/// Checks a whole snapshot, after a pass with no record in progress.
pub(super) fn snapshot(model: &Model, snapshot: &Snapshot, window: Window) {
    assert_eq!(keys(&snapshot.series), model.keys(false), "the series shown, in their order");
    assert_eq!(keys(&snapshot.idle), model.keys(true), "the series hidden, in their order");
    for series in others(&snapshot.series).chain(&snapshot.idle) {
        let seen = model.known(&series.key).expect("as the keys say");
        let expected = seen.series;
        // A series that has left is in no window.
        let window = if seen.hidden { Window { now: u64::MAX, ..window } } else { window };
        assert_eq!(series.metric.kind, expected.kind, "{}", series.key);
        let dropped = model.series[&*series.key].dropped;
        assert_eq!(series.dropped, dropped, "drops of {}", series.key);
        value(expected, &series.key, &series.value, window);
        exemplar(expected, series, window);
    }
    let (recorded, dropped) = (model.recorded(), model.dropped());
    let told = [
        ("telemetry.recorded", recorded),
        ("telemetry.dropped", dropped),
        ("telemetry.aggregated", recorded - dropped),
        ("telemetry.clock.anomalies", model.anomalies),
        ("telemetry.exemplars_dropped", model.traces_dropped),
    ];
    for (name, expected) in told {
        assert_eq!(total(snapshot, name), i128::from(expected), "{name}");
    }
    // For dropped ones it depends on the reason.
    let [decrements, dropped] = model.decrements.map(i128::from);
    let told = total(snapshot, "telemetry.monotonic_decrements");
    assert!((decrements..=decrements + dropped).contains(&told), "{told} decrements");
}

/// All series except the collector's own.
pub(super) fn others(series: &[Arc<Series>]) -> impl Iterator<Item = &Arc<Series>> {
    series.iter().filter(|series| !series.key.starts_with("telemetry."))
}

pub(super) fn keys(series: &[Arc<Series>]) -> Vec<&str> {
    others(series).map(|series| &*series.key).collect()
}

pub(super) fn total(snapshot: &Snapshot, name: &str) -> i128 {
    let counters = snapshot.metric(name).filter_map(|series| series.value.as_counter());
    counters.map(|views| views.lifetime.value).sum()
}

fn value(series: &SeriesModel, key: &str, value: &Value, window: Window) {
    assert_eq!(window.steps.is_some(), has_window(value), "window of {key}");
    let lifetime: Vec<Item> = series.items.clone();
    let recent: Vec<Item> = lifetime.iter().filter(|item| window.holds(item)).copied().collect();
    match value {
        Value::Counter(views) | Value::UpDownCounter(views) => {
            counter(&lifetime, &views.lifetime, series.kind, key);
            let window = views.window.iter();
            window.for_each(|stats| counter(&recent, stats, Kind::UpDownCounter, key));
        }
        Value::Timing(views) | Value::Histogram(views) => {
            distribution(&lifetime, &views.lifetime, key);
            views.window.iter().for_each(|stats| distribution(&recent, stats, key));
        }
        Value::Gauge(views) => {
            gauge(series, &lifetime, &views.lifetime, key);
            views.window.iter().for_each(|stats| gauge(series, &recent, stats, key));
        }
    }
}

/// Checks the worst traced sample of the window with its trace; of equal ones any is right.
fn exemplar(series: &SeriesModel, shown: &Series, window: Window) {
    let key = &series.entry.key;
    let counts =
        |item: &&Item| item.trace.is_some() && (window.steps.is_none() || window.holds(item));
    let traced = series.items.iter().filter(counts);
    let worst = traced.clone().map(|item| item.value).max();
    let told = shown.exemplar.as_ref();
    assert_eq!(told.is_some(), worst.is_some(), "exemplar of {key}");
    let (Some(told), Some(worst)) = (told, worst) else { return };
    let scale = shown.value.as_timing().map_or(1.0, |views| views.lifetime.buckets().scale());
    assert_eq!(told.value, crate::series::metric::scaled(worst as f64, scale), "exemplar of {key}");
    let number = trace::number(told.trace);
    let own = traced.clone().any(|item| item.value == worst && item.trace == Some(number));
    assert!(own, "{key}: trace {number} is of no sample of {worst}");
}

fn has_window(value: &Value) -> bool {
    match value {
        Value::Counter(views) | Value::UpDownCounter(views) => views.window.is_some(),
        Value::Timing(views) | Value::Histogram(views) => views.window.is_some(),
        Value::Gauge(views) => views.window.is_some(),
    }
}

pub(super) fn counter(items: &[Item], stats: &CounterStats, kind: Kind, key: &str) {
    let value = items.iter().fold(0u64, |sum, item| sum.wrapping_add(item.value));
    let value = match kind {
        Kind::Counter => i128::from(value),
        _ => i128::from(value.cast_signed()),
    };
    assert_eq!(stats.value, value, "value of {key}");
}

pub(super) fn distribution(items: &[Item], stats: &TimingStats, key: &str) {
    counts(items, stats, key);
    let min = items.iter().map(|item| item.value).min();
    let max = items.iter().map(|item| item.value).max();
    let buckets = stats.buckets();
    assert_eq!((buckets.min(), buckets.max()), (min, max), "range of {key}");
    quantiles(items, stats, key);
}

/// Checks the exact parts of a distribution, also of a difference.
pub(super) fn counts(items: &[Item], stats: &TimingStats, key: &str) {
    let buckets = stats.buckets();
    assert_eq!(stats.count, items.len() as u64, "count of {key}");
    let rows: u64 = buckets.iter().map(|bucket| bucket.count).sum();
    assert_eq!(rows, stats.count, "buckets of {key}");
    let sum: u128 = items.iter().map(|item| u128::from(item.value)).sum();
    assert_eq!(buckets.sum(), sum, "sum of {key}");
    // The smallest values are known exactly, coalesced or not.
    let coalesced = items.iter().filter(|item| item.in_place && item.value > 31).count();
    assert_eq!(buckets.coalesced(), coalesced as u64, "coalesced values of {key}");
}

pub(super) fn quantiles(items: &[Item], stats: &TimingStats, key: &str) {
    let mut sorted: Vec<u64> = items.iter().map(|item| item.value).collect();
    sorted.sort_unstable();
    let told = [stats.p50, stats.p90, stats.p95, stats.p99, stats.p999];
    for (told, millionths) in told.into_iter().zip([500_000, 900_000, 950_000, 990_000, 999_000]) {
        quantile(&sorted, told, millionths, stats, key);
    }
    for millionths in [0, 1, 250_000, 999_999, 1_000_000] {
        let told = stats.quantile(millionths as f64 / 1e6);
        quantile(&sorted, told, millionths, stats, key);
    }
}

fn quantile(sorted: &[u64], told: Option<f64>, millionths: usize, stats: &TimingStats, key: &str) {
    let (Some(&min), Some(&max)) = (sorted.first(), sorted.last()) else {
        return assert_eq!(told, None, "{key} is empty");
    };
    let rank = (millionths * sorted.len()).div_ceil(1_000_000).max(1);
    let exact = match rank {
        1 => min,
        last if last == sorted.len() => max,
        rank => sorted[rank - 1].clamp(min, max),
    } as f64;
    let told = told.expect("there are samples") / stats.buckets().scale();
    assert!(close(told, exact, stats), "{key}: quantile {millionths} is {told}, not {exact}");
}

/// Whether a value is as exact as buckets allow.
pub(super) fn close(told: f64, exact: f64, stats: &TimingStats) -> bool {
    let most = if stats.buckets().coalesced() == 0 { 0.001 } else { 0.032 };
    (told - exact).abs() <= exact * most
}

pub(super) fn gauge(series: &SeriesModel, items: &[Item], stats: &GaugeStats, key: &str) {
    assert_eq!(stats.count, items.len() as u64, "count of {key}");
    current(series, stats, key);
    let model = &series.gauge;
    if model.blurred {
        return;
    }
    let values: Vec<f64> = items.iter().map(|item| f64::from_bits(item.value)).collect();
    assert_eq!(stats.min, values.iter().copied().reduce(f64::min), "min of {key}");
    assert_eq!(stats.max, values.iter().copied().reduce(f64::max), "max of {key}");
    let finite: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
    let mean = finite.iter().sum::<f64>() / finite.len() as f64;
    match stats.mean {
        None => assert!(finite.is_empty(), "{key} has a mean"),
        Some(told) => {
            let magnitude = if items.iter().any(|item| item.in_place) {
                // The sum in a row loses digits to what was added before.
                model.magnitude
            } else {
                finite.iter().map(|value| value.abs()).sum()
            };
            let error = (told - mean).abs();
            assert!(error <= 1e-9 * magnitude, "mean of {key}: {told}, not {mean}");
        }
    }
}

fn current(series: &SeriesModel, stats: &GaugeStats, key: &str) {
    // A set value is current whatever happened to its sample, as soon as there is any sample.
    let expected = (!series.items.is_empty()).then_some(series.gauge.word);
    assert_eq!(stats.current, expected, "current of {key}");
}
