//! Correction for coordinated omission, against HdrHistogram's.
#![cfg(feature = "record")]

use std::time::Duration;

use hdrhistogram::Histogram as Hdr;
use proptest::prelude::*;
use tachograph::{MetricsCollector, TimingStats, Unit};

fn counts(stats: &TimingStats) -> Vec<(u64, u64)> {
    stats.buckets().iter().map(|bucket| (bucket.low, bucket.count)).collect()
}

fn hdr_counts(hdr: &Hdr<u64>) -> Vec<(u64, u64)> {
    hdr.iter_recorded()
        .map(|step| (hdr.lowest_equivalent(step.value_iterated_to()), step.count_at_value()))
        .collect()
}

fn recorded(values: &[u64]) -> (TimingStats, Hdr<u64>) {
    let metrics = MetricsCollector::builder().manual().build();
    let timing = metrics.register_timing("t");
    let mut hdr = Hdr::new(3).expect("three digits are valid");
    for &value in values {
        timing.record_ns(value);
        hdr.record(value).expect("it grows");
    }
    (metrics.get_timing("t").expect("registered"), hdr)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn corrected_statistics_are_hdr_histograms_corrected_copies(
        values in prop::collection::vec(0u64..1 << 40, 1..20),
        parts in 1u64..5_000,
    ) {
        let interval = values.iter().max().map_or(1, |max| (max / parts).max(1));
        let (stats, hdr) = recorded(&values);
        let (ours, theirs) =
            (stats.corrected(Duration::from_nanos(interval)), hdr.clone_correct(interval));
        prop_assert_eq!(counts(&ours), hdr_counts(&theirs));
        prop_assert_eq!(ours.count, theirs.len());
        prop_assert_eq!(ours.max, stats.max);
    }

    /// Small values have a bucket each, so that nothing is rounded.
    #[test]
    fn of_small_values_count_sum_and_minimum_are_as_if_recorded_with_correction(
        values in prop::collection::vec(0u64..2_048, 1..20),
        interval in 1u64..3_000,
    ) {
        let (mut hdr, mut all) = (Hdr::<u64>::new(3).expect("three digits"), Vec::new());
        for &value in &values {
            hdr.record_correct(value, interval).expect("it grows");
            all.push(value);
            let missing = (1..).map(|k| value.checked_sub(k * interval));
            all.extend(missing.map_while(|missing| missing.filter(|it| *it >= interval)));
        }
        let corrected = recorded(&values).0.corrected(Duration::from_nanos(interval));
        prop_assert_eq!(counts(&corrected), hdr_counts(&hdr));
        prop_assert_eq!(corrected.buckets().sum(), all.iter().map(|&it| u128::from(it)).sum());
        prop_assert_eq!(corrected.buckets().min(), all.iter().min().copied());
    }
}

#[test]
fn an_interval_of_nothing_or_above_every_sample_corrects_nothing() {
    let (stats, _) = recorded(&[5, 70, 900, 12_345]);
    for interval in [Duration::ZERO, Duration::from_nanos(12_346), Duration::MAX] {
        assert_eq!(stats.corrected(interval), stats);
    }
    let (empty, _) = recorded(&[]);
    assert_eq!(empty.corrected(Duration::from_nanos(1)), empty);
}

#[test]
fn the_most_extreme_correction_is_bounded() {
    let (stats, _) = recorded(&[u64::MAX, 1]);
    let corrected = stats.corrected(Duration::from_nanos(1));
    // The interval counts as a millionth of the greatest sample.
    assert_eq!(corrected.count, 1_000_001);
    assert_eq!((corrected.buckets().min(), corrected.buckets().max()), (Some(1), Some(u64::MAX)));
}

#[test]
fn a_histogram_in_seconds_is_corrected_by_its_own_scale() {
    let metrics = MetricsCollector::builder().manual().build();
    metrics.describe_scaled("h", Unit::Seconds, 1e-6, "");
    let histogram = metrics.register_histogram("h");
    histogram.record(100);
    let stats = metrics.get_timing("h").expect("registered");
    let corrected = stats.corrected(Duration::from_micros(10));
    assert_eq!((corrected.count, corrected.buckets().sum()), (10, 550));
}
