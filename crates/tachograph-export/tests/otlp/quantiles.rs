//! Quantiles that a receiver computes, compared with the sorted samples.

use std::sync::Arc;

use tachograph::{Snapshot, Unit};
use tachograph_export::otlp::Settings;

use super::decode::{distributions, metric, whole};
use super::receiver::Distribution;
use super::{manual, settings};

/// A quantile as receivers compute it: the geometric middle of its bucket, within the extremes.
fn quantile(told: &Distribution, rank: u64) -> f64 {
    let (low, high) = told.edges(rank);
    let middle = (low * high).sqrt();
    middle.clamp(told.min.expect("samples"), told.max.expect("samples"))
}

/// The greatest error of a quantile at a scale: half a bucket, plus the width of the snapshot's own
/// buckets.
fn error(scale: i32) -> f64 {
    (f64::from(-scale - 1).exp2()).exp2() * (1.0 + 1.0 / 1_024.0) - 1.0
}

/// Samples of a few shapes, unsorted.
fn shapes() -> Vec<(&'static str, Vec<u64>)> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let unit = |random: u64| (random >> 11) as f64 / (1u64 << 53) as f64;
    vec![
        ("uniform", (0..5_000).map(|_| random() % 1_000_000).collect()),
        ("exponential", (0..5_000).map(|_| (-unit(random()).ln() * 1e6) as u64).collect()),
        ("over 40 octaves", (0..5_000).map(|_| (unit(random()) * 40.0).exp2() as u64).collect()),
        ("two humps", (0..5_000).map(|i| 1_000 + random() % 300 + (i % 2) * 5_000_000).collect()),
        ("small integers", (0..5_000).map(|_| random() % 7).collect()),
        ("one value", vec![123_457; 100]),
        ("one sample", vec![987_654_321]),
    ]
}

/// A snapshot of these samples as the series `x`; one recorded unit is worth `scale`.
fn recorded(samples: &[u64], scale: f64) -> Arc<Snapshot> {
    let (metrics, _) = manual();
    metrics.describe_scaled("x", Unit::None, scale, "");
    // Few enough at a time that none is coalesced.
    for samples in samples.chunks(500) {
        samples.iter().for_each(|sample| metrics.histogram("x", *sample));
        assert_eq!(metrics.get_timing("x").map(|stats| stats.buckets().coalesced()), Some(0));
    }
    metrics.get_all_metrics()
}

fn told(snapshot: &Snapshot, settings: &Settings) -> Distribution {
    Distribution::from(&distributions(metric(&whole(settings, snapshot), "x"))[0])
}

/// The number of buckets from the first to the last non-empty one.
fn span(told: &Distribution) -> usize {
    let (first, last) = (told.buckets.first_key_value(), told.buckets.last_key_value());
    last.map_or(0, |last| (last.0 - first.expect("not empty").0) as usize + 1)
}

fn check(name: &str, samples: &[u64], unit: f64, told: &Distribution) {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    for q in [0.0, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0] {
        let rank = ((q * sorted.len() as f64).ceil() as usize).max(1);
        let exact = sorted[rank - 1] as f64 * unit;
        let found = quantile(told, rank as u64);
        let most = error(told.scale) * exact;
        assert!((found - exact).abs() <= most, "{name}, {q}: {found}, not {exact}, at {told:?}");
    }
}

#[test]
fn at_a_fixed_scale_quantiles_are_within_half_a_bucket() {
    for (name, samples) in shapes() {
        for (scale, unit) in [(-4, 1.0), (0, 1e-9), (5, 1.0), (5, 1e-9), (8, 0.1), (99, 1e6)] {
            let told = told(&recorded(&samples, unit), &settings().scale(scale));
            assert_eq!(told.scale, scale.min(8));
            check(name, &samples, unit, &told);
        }
    }
}

#[test]
fn with_a_bound_on_the_buckets_the_scale_is_the_finest_that_fits() {
    for (name, samples) in shapes() {
        let snapshot = recorded(&samples, 1e-6);
        for buckets in [8, 20, 160, 1_000] {
            let bounded = told(&snapshot, &settings().max_buckets(buckets));
            check(name, &samples, 1e-6, &bounded);
            assert!(span(&bounded) <= buckets, "{name}");
            if bounded.scale < 8 {
                let finer = told(&snapshot, &settings().scale(bounded.scale + 1));
                assert!(span(&finer) > buckets, "{name} fits {} too", finer.scale);
            }
        }
    }
}

#[test]
fn samples_of_one_octave_are_within_a_quarter_of_a_percent_by_default() {
    let samples: Vec<u64> = (1_000_000..1_500_000).step_by(50).collect();
    let told = told(&recorded(&samples, 1.0), &settings());
    assert_eq!(told.scale, 8);
    check("one octave", &samples, 1.0, &told);
    assert!(error(8) < 0.0025, "{}", error(8));
}
