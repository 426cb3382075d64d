//! Fault 8: NaN, infinities, negative, zero and enormous values, against oracles that keep every
//! value. Quantiles have their own, in `quantiles.rs`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use tachograph::{DropReason, MetricsCollector, Unit, Warning};

use crate::{count, dropped, exact};

const HOUR_NS: u64 = 3_600_000_000_000;

/// Any float, and often one of the awkward ones.
fn awkward_float() -> impl Strategy<Value = f64> {
    let awkward = prop::sample::select(vec![
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -0.0,
        f64::MIN_POSITIVE / 4.0,
        1e300,
        -1e300,
    ]);
    prop_oneof![1 => awkward, 1 => any::<f64>().prop_map(|v| v / 1e10), 2 => -1e6..1e6f64]
}

/// Any duration, and often one about the longest that has a bucket.
fn awkward_duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        Just(Duration::ZERO),
        Just(Duration::MAX),
        any::<u64>().prop_map(Duration::from_nanos),
        any::<u64>().prop_map(Duration::from_secs),
        (0u32..64, any::<u64>()).prop_map(|(shift, raw)| Duration::from_nanos(raw >> shift)),
        (HOUR_NS - 5..HOUR_NS + 5).prop_map(Duration::from_nanos),
    ]
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn manual() -> MetricsCollector {
    MetricsCollector::builder().manual().build()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if crate::SANITIZED { 20 } else { 200 }))]

    #[test]
    fn fault_8_a_gauge_takes_every_float_as_the_oracle_does(
        values in prop::collection::vec(awkward_float(), 1..300),
        read_every in 1usize..100,
    ) {
        let metrics = manual();
        let gauge = metrics.register_gauge("g");
        for piece in values.chunks(read_every) {
            piece.iter().for_each(|&value| gauge.set(value));
            metrics.get_gauge("g");
        }
        let set: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        let finite: Vec<f64> = set.iter().copied().filter(|value| value.is_finite()).collect();
        let stats = metrics.get_gauge("g").expect("registered");
        prop_assert_eq!(stats.count, set.len() as u64);
        prop_assert_eq!(stats.current, set.last().copied());
        prop_assert_eq!(stats.min, set.iter().copied().reduce(f64::min));
        prop_assert_eq!(stats.max, set.iter().copied().reduce(f64::max));
        let refused = (values.len() - set.len()) as i128;
        prop_assert_eq!(dropped(&metrics, DropReason::NotANumber), refused);
        prop_assert_eq!(count(&metrics, "telemetry.recorded"), values.len() as i128);
        match stats.mean {
            None => prop_assert!(finite.is_empty()),
            Some(mean) => {
                let n = finite.len() as f64;
                let oracle = finite.iter().sum::<f64>() / n;
                let scale = finite.iter().map(|value| value.abs()).sum::<f64>() / n;
                prop_assert!((mean - oracle).abs() <= scale * 1e-9, "{mean} for {oracle}");
            }
        }
    }

    #[test]
    fn fault_8_adding_any_float_to_a_gauge_never_leaves_it_not_a_number(
        amounts in prop::collection::vec(awkward_float(), 1..100),
    ) {
        let metrics = manual();
        let gauge = metrics.register_gauge("g");
        let (mut current, mut taken) = (None, 0);
        for amount in amounts {
            gauge.add(amount);
            let sum = current.map_or(amount, |current: f64| current + amount);
            if !sum.is_nan() {
                (current, taken) = (Some(sum), taken + 1);
            }
        }
        let stats = metrics.get_gauge("g").expect("registered");
        prop_assert_eq!((stats.current, stats.count), (current, taken));
    }

    #[test]
    fn fault_8_a_timing_takes_every_duration_as_the_oracle_does(
        durations in prop::collection::vec(awkward_duration(), 1..1_000),
        q in 0u32..=1_000_000,
    ) {
        let metrics = manual();
        let timing = metrics.register_timing("t");
        durations.iter().for_each(|&duration| timing.record(duration));
        let mut sorted: Vec<u64> = durations.into_iter().map(nanos).collect();
        sorted.sort_unstable();
        let stats = metrics.get_timing("t").expect("registered");
        let sum = sorted.iter().map(|&value| u128::from(value)).sum();
        prop_assert_eq!(exact(Some(stats.clone())), (sorted.len() as u64, sum));
        prop_assert_eq!(stats.buckets().min(), sorted.first().copied());
        prop_assert_eq!(stats.buckets().max(), sorted.last().copied());
        prop_assert_eq!(stats.buckets().iter().map(|bucket| bucket.count).sum::<u64>(), stats.count);
        let rank = (u128::from(q) * sorted.len() as u128).div_ceil(1_000_000).max(1);
        let value = sorted[rank as usize - 1];
        let exact = value as f64 / 1e9;
        let reported = stats.quantile(f64::from(q) * 1e-6).expect("not empty");
        prop_assert!((reported - exact).abs() <= exact * 0.001, "{reported} for {exact}");
    }

    #[test]
    fn fault_8_counters_wrap_as_the_oracle_does(
        amounts in prop::collection::vec(any::<u64>(), 1..100),
        steps in prop::collection::vec(any::<i64>(), 1..100),
    ) {
        let metrics = manual();
        let (counter, level) =
            (metrics.register_counter("c"), metrics.register_up_down_counter("l"));
        let recorder = metrics.recorder();
        amounts.iter().for_each(|&amount| counter.increment_by(amount));
        for &step in &steps {
            recorder.increment_by(&level, step.cast_unsigned());
        }
        let total = amounts.iter().fold(0u64, |sum, &amount| sum.wrapping_add(amount));
        let net = steps.iter().fold(0i64, |sum, &step| sum.wrapping_add(step));
        prop_assert_eq!(count(&metrics, "c"), i128::from(total));
        prop_assert_eq!(count(&metrics, "l"), i128::from(net));
        let recorded = (amounts.len() + steps.len()) as i128;
        prop_assert_eq!(count(&metrics, "telemetry.aggregated"), recorded);
    }
}

#[test]
fn fault_8_the_mean_of_enormous_values_stays_among_them() {
    let metrics = manual();
    let gauge = metrics.register_gauge("g");
    [f64::MAX, f64::MAX, f64::MAX].into_iter().for_each(|value| gauge.set(value));
    let stats = metrics.get_gauge("g").expect("registered");
    assert_eq!((stats.min, stats.max), (Some(f64::MAX), Some(f64::MAX)));
    assert_eq!(stats.mean, Some(f64::MAX));
}

#[test]
fn fault_8_a_scale_that_means_nothing_is_one() {
    for scale in [f64::NAN, f64::INFINITY, 0.0, -1.0, 5e-324] {
        let warnings = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&warnings);
        let builder = MetricsCollector::builder().manual();
        let builder = builder.on_warning(move |warning| told.lock().unwrap().push(warning.clone()));
        let metrics = builder.build();
        metrics.describe_scaled("h", Unit::Bytes, scale, "");
        metrics.histogram("h", 7);
        assert_eq!(metrics.get_timing("h").and_then(|stats| stats.max), Some(7.0), "{scale}");
        assert_eq!(*warnings.lock().unwrap(), [Warning::BadScale { name: "h".into() }], "{scale}");
    }
    let metrics = manual();
    for scale in [f64::MIN_POSITIVE, f64::MAX] {
        metrics.describe_scaled("h", Unit::Bytes, scale, "");
        metrics.histogram("h", 1);
        assert_eq!(metrics.get_timing("h").and_then(|stats| stats.max), Some(scale));
    }
}
