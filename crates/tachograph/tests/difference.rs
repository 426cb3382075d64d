//! Differences and sums of snapshots, against what a naive recomputation gives.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tachograph::{
    Clock, Kind, MetricsCollector, MockClock, Series, Snapshot, TimingStats, Unit, Value,
};

const SECOND: Duration = Duration::from_secs(1);

/// One record of one of a few series.
#[derive(Clone, Debug)]
enum Record {
    Count(u8, u64),
    Level(u8, i64),
    Set(u8, f64),
    Time(u8, u64),
    Size(u8, u64),
}

fn record() -> impl Strategy<Value = Record> {
    let value = || (0u32..64, any::<u64>()).prop_map(|(shift, raw)| raw >> shift);
    let finite =
        prop_oneof![9 => -1e6..1e6, 1 => Just(f64::INFINITY), 1 => Just(f64::NEG_INFINITY)];
    prop_oneof![
        (0u8..3, 0u64..1_000).prop_map(|(series, amount)| Record::Count(series, amount)),
        (0u8..3, -1_000i64..1_000).prop_map(|(series, amount)| Record::Level(series, amount)),
        (0u8..3, finite).prop_map(|(series, value)| Record::Set(series, value)),
        (0u8..3, value()).prop_map(|(series, nanos)| Record::Time(series, nanos)),
        (0u8..3, value()).prop_map(|(series, size)| Record::Size(series, size)),
    ]
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    prop::collection::vec(record(), 0..300)
}

fn manual() -> (MetricsCollector, Driver) {
    let (clock, mock) = Clock::mock();
    let metrics = MetricsCollector::builder().manual().clock(clock.clone()).build();
    (metrics.clone(), Driver { metrics, clock, mock })
}

/// Moves a manual collector's time.
struct Driver {
    metrics: MetricsCollector,
    clock: Clock,
    mock: MockClock,
}

impl Driver {
    fn advance(&self, by: Duration) {
        self.mock.advance(by);
        self.metrics.run_pass(self.clock.now(), self.clock.wall());
    }
}

fn apply(metrics: &MetricsCollector, records: &[Record]) {
    for record in records {
        let series = match record {
            Record::Count(n, _) | Record::Level(n, _) | Record::Set(n, _) => n,
            Record::Time(n, _) | Record::Size(n, _) => n,
        }
        .to_string();
        let tags = [("series", series.as_str())];
        let tagged = metrics.with_tags(&tags);
        match *record {
            Record::Count(_, amount) => tagged.increment_by("count", amount),
            // Registered, so that a positive first amount finds the kind.
            Record::Level(_, amount) => {
                tagged.register_up_down_counter("level").increment_by(amount.cast_unsigned());
            }
            Record::Set(_, value) => tagged.gauge("gauge", value),
            Record::Time(_, nanos) => tagged.timing("time", Duration::from_nanos(nanos)),
            Record::Size(_, size) => tagged.histogram("size", size),
        }
    }
}

fn find<'a>(snapshot: &'a Snapshot, like: &Series) -> Option<&'a Series> {
    snapshot.series().iter().map(|series| &**series).find(|series| series.key == like.key)
}

fn own(series: &Series) -> bool {
    series.metric.name.starts_with("telemetry.")
}

fn samples(value: &Value) -> Option<&TimingStats> {
    value.as_timing().map(|views| &views.lifetime)
}

fn counts(stats: &TimingStats) -> Vec<(u64, u64)> {
    stats.buckets().iter().map(|bucket| (bucket.low, bucket.count)).collect()
}

fn has_samples(series: &Series) -> bool {
    match &series.value {
        Value::Timing(views) | Value::Histogram(views) => views.lifetime.count > 0,
        Value::Counter(views) | Value::UpDownCounter(views) => views.lifetime.value != 0,
        Value::Gauge(views) => views.lifetime.count > 0,
    }
}

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * (1.0 + a.abs().max(b.abs())),
        (a, b) => a == b,
    }
}

fn within(error: f64, reported: Option<f64>, exact: Option<f64>) -> bool {
    match (reported, exact) {
        // One unit of the scale more, for a middle that was rounded.
        (Some(reported), Some(exact)) => (reported - exact).abs() <= exact * error + 1e-9,
        (reported, exact) => reported == exact,
    }
}

/// What a collector says that recorded only these.
fn alone(records: &[Record]) -> Arc<Snapshot> {
    let (metrics, _) = manual();
    apply(&metrics, records);
    metrics.get_all_metrics()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_difference_is_what_was_recorded_in_between(first in records(), second in records()) {
        let (metrics, clock) = manual();
        apply(&metrics, &first);
        clock.advance(SECOND);
        let earlier = metrics.get_all_metrics();
        apply(&metrics, &second);
        clock.advance(9 * SECOND);
        let later = metrics.get_all_metrics();
        let difference = later.since(&earlier);
        prop_assert_eq!(difference.uptime(), 9 * SECOND);
        prop_assert_eq!(later.elapsed_since(&earlier), 9 * SECOND);
        let gains: Vec<_> = later.gains_since(&earlier).map(|(_, gained)| gained).collect();
        let recorded = difference.series().iter().map(|series| Series::clone(series));
        prop_assert_eq!(gains, recorded.filter(has_samples).collect::<Vec<_>>());
        let expected = alone(&second);
        for series in difference.series().iter().filter(|series| !own(series)) {
            let expected = find(&expected, series).map(|series| &series.value);
            match &series.value {
                Value::Counter(views) | Value::UpDownCounter(views) => {
                    let exact = expected.and_then(Value::as_counter).map(|v| v.lifetime.value);
                    prop_assert_eq!(views.lifetime.value, exact.unwrap_or(0));
                    prop_assert_eq!(views.window, None);
                }
                Value::Gauge(views) => {
                    let exact = expected.and_then(Value::as_gauge).map(|views| views.lifetime);
                    let (gain, exact) = (views.lifetime, exact.unwrap_or_default());
                    prop_assert_eq!((gain.count, gain.finite), (exact.count, exact.finite));
                    prop_assert!(close(gain.mean, exact.mean), "{gain:?} {exact:?}");
                    prop_assert!(gain.min.is_none() || gain.min == exact.min);
                    prop_assert!(gain.max.is_none() || gain.max == exact.max);
                    prop_assert!(exact.count == 0 || gain.current == exact.current);
                }
                Value::Timing(views) | Value::Histogram(views) => {
                    let gain = &views.lifetime;
                    let Some(exact) = expected.and_then(samples) else {
                        prop_assert_eq!((gain.count, gain.min, gain.p50), (0, None, None));
                        continue;
                    };
                    prop_assert_eq!(counts(gain), counts(exact));
                    prop_assert_eq!(gain.count, exact.count);
                    prop_assert_eq!(gain.buckets().sum(), exact.buckets().sum());
                    for q in [0.0, 0.01, 0.5, 0.9, 0.99] {
                        let (reported, exact) = (gain.quantile(q), exact.quantile(q));
                        // Two middles of one bucket, each within the error of the sample.
                        prop_assert!(within(2.0 * gain.error(), reported, exact));
                    }
                    prop_assert!(within(gain.error(), gain.min, exact.min));
                    if gain.count == 1 {
                        prop_assert_eq!((gain.min, gain.max), (exact.min, exact.max));
                    }
                    prop_assert!(within(gain.error(), gain.max, exact.max));
                    let ordered = |a: Option<f64>, b: Option<f64>| a <= b || within(1e-12, a, b);
                    prop_assert!(ordered(gain.min, gain.mean) && ordered(gain.mean, gain.max));
                }
            }
        }
    }

    #[test]
    fn a_snapshot_and_what_came_after_add_up_to_the_later_one(
        first in records(),
        second in records(),
    ) {
        let (metrics, clock) = manual();
        apply(&metrics, &first);
        let earlier = metrics.get_all_metrics();
        apply(&metrics, &second);
        clock.advance(SECOND);
        let later = metrics.get_all_metrics();
        let sum = Snapshot::merge([&*earlier, &later.since(&earlier)]);
        prop_assert_eq!(sum.series().len(), later.series().len());
        prop_assert_eq!((sum.timestamp(), sum.started()), (later.timestamp(), later.started()));
        for (sum, later) in sum.series().iter().zip(later.series()) {
            prop_assert_eq!((&sum.key, sum.created, sum.dropped), (&later.key, later.created, later.dropped));
            match (&sum.value, &later.value) {
                (Value::Gauge(sum), Value::Gauge(later)) => {
                    let (sum, later) = (sum.lifetime, later.lifetime);
                    prop_assert_eq!((sum.current, sum.min, sum.max, sum.count, sum.finite),
                        (later.current, later.min, later.max, later.count, later.finite));
                    prop_assert!(close(sum.mean, later.mean), "{sum:?} {later:?}");
                }
                (Value::Timing(sum), Value::Timing(later))
                | (Value::Histogram(sum), Value::Histogram(later)) => {
                    prop_assert_eq!(&sum.lifetime, &later.lifetime);
                }
                (sum, later) => prop_assert_eq!(
                    sum.as_counter().map(|views| views.lifetime),
                    later.as_counter().map(|views| views.lifetime)
                ),
            }
        }
    }

    #[test]
    fn snapshots_of_several_collectors_add_up_to_one_that_recorded_it_all(
        shards in prop::collection::vec(records(), 1..5),
    ) {
        let parts: Vec<_> = shards.iter().map(|records| alone(records)).collect();
        let sum = Snapshot::merge(parts.iter().map(|part| &**part));
        let whole = alone(&shards.concat());
        prop_assert_eq!(sum.series().len(), whole.series().len());
        prop_assert_eq!(sum.window_span(), whole.window_span());
        for (sum, whole) in sum.series().iter().zip(whole.series()).filter(|(sum, _)| !own(sum)) {
            prop_assert_eq!((&sum.metric, &sum.tags, &sum.key), (&whole.metric, &whole.tags, &whole.key));
            match (&sum.value, &whole.value) {
                (Value::Gauge(sum), Value::Gauge(whole)) => {
                    let (sum, whole) = (sum.lifetime, whole.lifetime);
                    prop_assert_eq!((sum.min, sum.max, sum.count, sum.finite),
                        (whole.min, whole.max, whole.count, whole.finite));
                    prop_assert!(close(sum.mean, whole.mean), "{sum:?} {whole:?}");
                }
                (sum, whole) => prop_assert_eq!(sum, whole),
            }
        }
    }
}

fn value(snapshot: &Snapshot, name: &str) -> Option<i128> {
    Some(snapshot.find(name, &[])?.value.as_counter()?.lifetime.value)
}

#[test]
fn a_series_that_was_reset_in_between_counts_from_the_reset() {
    let (metrics, clock) = manual();
    let kept = metrics.register_counter("kept");
    kept.increment_by(10);
    metrics.timing("time", SECOND);
    clock.advance(SECOND);
    let earlier = metrics.get_all_metrics();
    clock.advance(SECOND);
    metrics.reset();
    clock.advance(5 * SECOND);
    kept.increment_by(3);
    metrics.timing("time", 2 * SECOND);
    let difference = metrics.get_all_metrics().since(&earlier);
    assert_eq!(value(&difference, "kept"), Some(3));
    let time = difference.find("time", &[]).and_then(|s| s.value.as_timing()).expect("recorded");
    assert_eq!((time.lifetime.count, time.lifetime.min), (1, Some(2.0)));
    assert_eq!(difference.uptime(), 5 * SECOND, "since the reset");
    assert_eq!(difference.started(), earlier.timestamp() + SECOND);
    // The collector's own counts go on.
    assert_eq!(value(&difference, "telemetry.recorded"), Some(2));
}

#[test]
fn counters_that_were_reset_alone_count_from_there_and_the_rest_from_before() {
    let (metrics, clock) = manual();
    metrics.increment_by("count", 10);
    metrics.histogram("size", 1);
    let earlier = metrics.get_all_metrics();
    // At the very time at which the counter was made.
    metrics.reset_counters();
    clock.advance(SECOND);
    metrics.increment_by("count", 20);
    metrics.histogram("size", 1);
    let difference = metrics.get_all_metrics().since(&earlier);
    assert_eq!(value(&difference, "count"), Some(20));
    let size = difference.find("size", &[]).and_then(|s| s.value.as_timing()).expect("recorded");
    assert_eq!((size.lifetime.count, difference.uptime()), (1, SECOND));
}

#[test]
fn a_monotonic_counter_that_wraps_gains_what_was_added() {
    let (metrics, _) = manual();
    metrics.increment_by("count", u64::MAX - 1);
    let earlier = metrics.get_all_metrics();
    metrics.increment_by("count", 5);
    let later = metrics.get_all_metrics();
    assert_eq!(value(&later, "count"), Some(3));
    let difference = later.since(&earlier);
    assert_eq!(value(&difference, "count"), Some(5));
    assert_eq!(value(&Snapshot::merge([&*earlier, &difference]), "count"), Some(3));
}

#[test]
fn dropped_samples_are_told_for_the_time_in_between() {
    let (metrics, _) = manual();
    metrics.gauge("gauge", f64::NAN);
    metrics.gauge("gauge", 1.0);
    let earlier = metrics.get_all_metrics();
    (0..3).for_each(|_| metrics.gauge("gauge", f64::NAN));
    let difference = metrics.get_all_metrics().since(&earlier);
    assert_eq!(difference.find("gauge", &[]).map(|series| series.dropped), Some(3));
}

#[test]
fn merging_keeps_apart_what_cannot_be_added_up() {
    let (counting, clock) = manual();
    counting.increment("x");
    counting.describe_scaled("size", Unit::Bytes, 1.0, "");
    counting.histogram("size", 7);
    counting.increment("both");
    clock.advance(SECOND);
    let (timing, clock) = manual();
    clock.advance(2 * SECOND);
    timing.timing("x", SECOND);
    timing.describe_scaled("size", Unit::Bytes, 1024.0, "in KiB");
    timing.histogram("size", 7);
    timing.decrement("both");
    let sum = Snapshot::merge([&*timing.get_all_metrics(), &*counting.get_all_metrics()]);
    assert_eq!(value(&sum, "x"), Some(1), "the older snapshot's kind");
    let apart = |name: &str| {
        let series = sum.find(name, &[]).expect("kept apart");
        assert_eq!(*series.metric.name, *name);
        series.value.as_timing().expect("a distribution").lifetime.max
    };
    assert_eq!(apart("x.timing"), Some(1.0));
    assert_eq!((apart("size"), apart("size.scale_1024")), (Some(7.0), Some(7168.0)));
    let both = sum.find("both", &[]).expect("a counter in both");
    assert_eq!((both.metric.kind, value(&sum, "both")), (Kind::UpDownCounter, Some(0)));
    assert!(sum.series().is_sorted_by(|a, b| a.key < b.key));
}

#[test]
fn a_gauges_current_is_the_newest_snapshots_that_has_one() {
    let snapshots = [Some(1.0), Some(2.0), None].map(|current| {
        let (metrics, clock) = manual();
        let gauge = metrics.register_gauge("gauge");
        current.into_iter().for_each(|value| gauge.set(value));
        clock.advance(SECOND * current.map_or(3, |value| value as u32));
        metrics.get_all_metrics()
    });
    let [one, two, none] = &snapshots;
    let sum = Snapshot::merge([&**none, &**two, &**one]);
    let gauge = sum.find("gauge", &[]).and_then(|series| series.value.as_gauge()).expect("merged");
    let stats = gauge.lifetime;
    assert_eq!((stats.current, stats.min, stats.max), (Some(2.0), Some(1.0), Some(2.0)));
    assert_eq!((stats.mean, stats.count), (Some(1.5), 2));
}

#[test]
fn windows_of_different_widths_are_left_out_of_the_sum() {
    let wide = MetricsCollector::builder().manual().window(120 * SECOND, 6).build();
    let usual = MetricsCollector::builder().manual().build();
    let parts = [&wide, &usual].map(|metrics| {
        metrics.increment("x");
        metrics.get_all_metrics()
    });
    let window = |parts: [&Snapshot; 2]| {
        let sum = Snapshot::merge(parts);
        let views = sum.find("x", &[]).and_then(|series| series.value.as_counter()).cloned();
        views.map(|views| (views.lifetime.value, views.window.map(|window| window.value)))
    };
    assert_eq!(window([&parts[0], &parts[1]]), Some((2, None)));
    assert_eq!(window([&parts[1], &parts[1]]), Some((2, Some(2))));
    assert_eq!(Snapshot::merge([]).series(), &[]);
}

#[test]
fn two_resets_while_the_clock_stands_still_are_known_as_such() {
    let (metrics, _) = manual();
    metrics.increment_by("count", 1_000);
    let before = metrics.get_all_metrics();
    for reset in [MetricsCollector::reset, MetricsCollector::reset_counters] {
        reset(&metrics);
        reset(&metrics);
        metrics.increment_by("count", 2);
        let gain = metrics.get_all_metrics().since(&before);
        let gained = gain.find("count", &[]).and_then(|series| series.value.as_counter());
        assert_eq!(gained.map(|views| views.lifetime.value), Some(2));
    }
}
