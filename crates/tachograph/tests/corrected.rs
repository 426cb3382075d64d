//! Correction for coordinated omission, against HdrHistogram's and against its definition.
#![cfg(feature = "record")]

use std::time::Duration;

use hdrhistogram::Histogram as Hdr;
use proptest::prelude::*;
use tachograph::{MetricsCollector, TimingStats};

/// Samples that are recorded one by one; beyond it they are coalesced.
const EXACT: u64 = 1_024;

fn manual() -> MetricsCollector {
    MetricsCollector::builder().manual().build()
}

fn counts(stats: &TimingStats) -> Vec<(u64, u64)> {
    stats.buckets().iter().map(|bucket| (bucket.low, bucket.count)).collect()
}

/// How many samples have so many significant bits.
fn octaves(samples: impl IntoIterator<Item = (u64, u64)>) -> [u64; 65] {
    let mut octaves = [0; 65];
    samples.into_iter().for_each(|(v, n)| octaves[(64 - v.leading_zeros()) as usize] += n);
    octaves
}

fn telemetry(metrics: &MetricsCollector, name: &str) -> i128 {
    metrics.get_counter(name).map_or(0, |stats| stats.value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn corrections_are_hdr_histograms_where_they_fit(
        records in prop::collection::vec((1u64..1 << 40, 1u64..=EXACT), 1..4),
        by_recorder in any::<bool>(),
    ) {
        let metrics = manual();
        let (histogram, recorder) = (metrics.register_histogram("h"), metrics.recorder());
        let mut hdr = Hdr::<u64>::new(3).expect("three digits are valid");
        let mut sum = 0u128;
        for (value, parts) in records {
            let interval = value.div_ceil(parts);
            if by_recorder {
                recorder.record_corrected(&histogram, value, interval);
            } else {
                histogram.record_corrected(value, interval);
            }
            hdr.record_correct(value, interval).expect("it grows");
            sum += u128::from(value);
            let mut missing = value - interval;
            while missing >= interval {
                sum += u128::from(missing);
                missing -= interval;
            }
            // A read empties the lane.
            metrics.get_timing("h");
        }
        let stats = metrics.get_timing("h").expect("registered");
        let oracle: Vec<_> = hdr.iter_recorded()
            .map(|step| (hdr.lowest_equivalent(step.value_iterated_to()), step.count_at_value()))
            .collect();
        prop_assert_eq!(counts(&stats), oracle);
        prop_assert_eq!((stats.count, stats.buckets().sum()), (hdr.len(), sum));
        prop_assert_eq!(stats.buckets().coalesced(), 0);
        prop_assert_eq!(telemetry(&metrics, "telemetry.recorded"), i128::from(hdr.len()));
    }

    #[test]
    fn what_does_not_fit_is_coalesced_with_count_and_sum_exact(
        value in 1u64..1 << 50,
        parts in EXACT..200_000,
    ) {
        let metrics = manual();
        let histogram = metrics.register_histogram("h");
        let interval = (value / parts).max(1);
        histogram.record_corrected(value, interval);
        let mut samples = vec![value];
        let mut missing = value - interval;
        while missing >= interval {
            samples.push(missing);
            missing -= interval;
        }
        let stats = metrics.get_timing("h").expect("registered");
        let sum = samples.iter().map(|&sample| u128::from(sample)).sum::<u128>();
        prop_assert_eq!((stats.count, stats.buckets().sum()), (samples.len() as u64, sum));
        // Of a coalesced sample the octave is known.
        prop_assert!(stats.buckets().max().is_some_and(|max| value <= max && max / 2 <= value));
        let reported = octaves(stats.buckets().iter().map(|bucket| (bucket.low, bucket.count)));
        prop_assert_eq!(reported, octaves(samples.iter().map(|&sample| (sample, 1))));
        // Beyond the octave that the coalesced ones reach to, the tail is as sharp as ever.
        let sharp_from = samples.get(EXACT as usize + 1).map_or(0, |v| v.next_power_of_two());
        samples.reverse();
        for millionths in (0..1_000_000u64).step_by(1_000) {
            let rank = (millionths * samples.len() as u64).div_ceil(1_000_000).max(1);
            // The last is `max`, checked above.
            if rank == samples.len() as u64 {
                continue;
            }
            let exact = samples[rank as usize - 1] as f64;
            let reported = stats.quantile(millionths as f64 / 1e6).expect("not empty");
            let error = if exact < sharp_from as f64 { 0.5 } else { 1e-3 };
            prop_assert!((reported - exact).abs() <= exact * error + 1.0, "{reported} {exact}");
        }
        let recorded = telemetry(&metrics, "telemetry.recorded");
        prop_assert_eq!(recorded, samples.len() as i128);
        prop_assert_eq!(telemetry(&metrics, "telemetry.aggregated"), recorded);
    }
}

#[test]
fn timings_and_corner_cases_are_as_defined() {
    let metrics = manual();
    let timing = metrics.register_timing("t");
    let ms = Duration::from_millis;
    let recorded = |value, interval| {
        metrics.reset();
        timing.record_corrected(value, interval);
        let stats = metrics.get_timing("t").expect("registered");
        (stats.count, stats.buckets().sum(), stats.buckets().min())
    };
    assert_eq!(recorded(ms(100), ms(10)), (10, 550_000_000, Some(10_000_000)));
    assert_eq!(recorded(ms(105), ms(10)), (10, 600_000_000, Some(15_000_000)));
    assert_eq!(recorded(ms(19), ms(10)), (1, 19_000_000, Some(19_000_000)));
    assert_eq!(recorded(ms(5), ms(10)), (1, 5_000_000, Some(5_000_000)));
    assert_eq!(recorded(ms(5), Duration::ZERO), (1, 5_000_000, Some(5_000_000)));
    assert_eq!(recorded(Duration::ZERO, ms(10)), (1, 0, Some(0)));
}

#[test]
fn the_most_extreme_correction_is_bounded_and_keeps_count_and_sum() {
    let metrics = manual();
    let histogram = metrics.register_histogram("h");
    histogram.record_corrected(u64::MAX, 1);
    // The interval counts as 2^32 - 1, so the samples are its multiples, from 1 to 2^32 + 1.
    let interval = u128::from(u64::MAX >> 32);
    let samples = (1u128 << 32) + 1;
    let stats = metrics.get_timing("h").expect("registered");
    assert_eq!(u128::from(stats.count), samples);
    assert_eq!(stats.buckets().sum(), interval * samples * (samples + 1) / 2);
    assert_eq!(stats.buckets().max(), Some(u64::MAX));
}

#[test]
fn a_full_lane_coalesces_and_an_ended_collector_drops_every_sample_of_a_correction() {
    let metrics = MetricsCollector::builder().manual().lane_blocks(2, 2).build();
    let (histogram, timing) = (metrics.register_histogram("h"), metrics.register_timing("t"));
    for _ in 0..4 {
        histogram.record_corrected(1_000, 1);
    }
    let stats = metrics.get_timing("h").expect("registered");
    assert_eq!((stats.count, stats.buckets().sum()), (4_000, 4 * 500_500));
    assert!(stats.buckets().coalesced() > 0);
    metrics.set_enabled(false);
    histogram.record_corrected(1_000, 1);
    metrics.set_enabled(true);
    let report = metrics.shutdown(Duration::from_secs(1));
    assert_eq!((report.recorded, report.aggregated, report.dropped), (4_000, 4_000, 0));
    histogram.record_corrected(1_000, 1);
    timing.record_corrected(Duration::from_nanos(1_000), Duration::from_nanos(1));
    let recorder = metrics.recorder();
    recorder.record_duration_corrected(&timing, Duration::from_nanos(500), Duration::from_nanos(1));
    let report = metrics.shutdown(Duration::from_secs(1));
    assert_eq!((report.recorded, report.aggregated, report.dropped), (6_500, 4_000, 2_500));
}
