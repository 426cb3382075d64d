//! Traced samples: the worst of each step keeps its trace, whichever way it was recorded.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime};

use tachograph::{Exemplar, MetricsCollector, Snapshot, Trace};

fn trace(number: u64) -> Trace {
    let id = u128::from(number) << 64 | u128::from(!number);
    Trace::new(id.to_be_bytes(), number.to_be_bytes()).expect("not all zero")
}

/// The exemplar of an untagged series.
fn exemplar(snapshot: &Snapshot, name: &str) -> Option<Exemplar> {
    snapshot.find(name, &[]).expect("recorded").exemplar.as_deref().copied()
}

fn value_and_trace(snapshot: &Snapshot, name: &str) -> Option<(f64, Trace)> {
    exemplar(snapshot, name).map(|exemplar| (exemplar.value, exemplar.trace))
}

/// Records one sample of 5 into the series of a name, with a trace.
type Way<'a> = &'a dyn Fn(&str, Trace);

fn manual() -> MetricsCollector {
    MetricsCollector::builder().manual().build()
}

fn count(metrics: &MetricsCollector, name: &str) -> i128 {
    metrics.get_counter(name).expect("telemetry is always there").value
}

#[test]
fn plain_and_traced_samples_mix_and_the_greatest_trace_stays_as_a_naive_model_says() {
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let metrics = manual();
        let size = metrics.register_histogram("size");
        let recorder = metrics.recorder();
        let (begin, steps) = (Instant::now(), 12u64);
        // A step's samples are those drained in it: value, and trace where there is one.
        let mut by_step: Vec<Vec<(u64, Option<u64>)>> = Vec::new();
        let (mut number, mut all) = (0, 0);
        for step in 0..steps {
            let samples: Vec<_> = (0..random.usize(0..900))
                .map(|_| {
                    number += 1;
                    (random.u64(0..1_000), random.bool().then_some(number))
                })
                .collect();
            for &(value, traced) in &samples {
                match (traced, random.bool()) {
                    (Some(number), true) => size.record_traced(value, trace(number)),
                    (Some(number), false) => recorder.record_traced(&size, value, trace(number)),
                    (None, true) => size.record(value),
                    (None, false) => recorder.record(&size, value),
                }
            }
            all += samples.len() as u64;
            by_step.push(samples);
            metrics.run_pass(begin + Duration::from_secs(10 * step + 5), SystemTime::now());

            let window = by_step.iter().rev().take(6).flatten();
            let greatest = window.clone().filter(|(_, traced)| traced.is_some()).max();
            let snapshot = metrics.snapshot();
            let found = value_and_trace(&snapshot, "size");
            assert_eq!(
                found.map(|(value, _)| value),
                greatest.map(|(value, _)| *value as f64),
                "seed {seed}, step {step}"
            );
            // Whichever of equal ones it is: the trace is one of a sample of that value.
            if let Some((value, trace_of)) = found {
                let its = |&&(v, traced): &&(u64, Option<u64>)| {
                    v as f64 == value && traced.is_some_and(|number| trace(number) == trace_of)
                };
                assert_eq!(window.clone().filter(its).count(), 1, "seed {seed}, step {step}");
            }
            let stats = metrics.get_timing("size").expect("registered");
            assert_eq!(stats.count, all, "seed {seed}, step {step}");
            let sum: u64 = by_step.iter().flatten().map(|(value, _)| value).sum();
            assert_eq!(stats.buckets().sum(), u128::from(sum), "seed {seed}, step {step}");
        }
        assert_eq!(count(&metrics, "telemetry.exemplars_dropped"), 0);
        assert_eq!(count(&metrics, "telemetry.recorded"), i128::from(all));
    }
}

#[test]
fn a_timing_s_exemplar_is_in_seconds_and_of_the_pass_s_wall_time() {
    let metrics = manual();
    metrics.timing_traced("t", Duration::from_millis(20), trace(1));
    metrics.timing("t", Duration::from_secs(9));
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    metrics.run_pass(Instant::now(), wall);
    let found = exemplar(&metrics.snapshot(), "t").expect("traced");
    assert!((found.value - 0.02).abs() < 1e-12);
    assert_eq!((found.trace, found.timestamp), (trace(1), wall));
}

#[test]
fn every_way_to_record_with_a_trace_carries_it() {
    thread_local!(static CURRENT: Cell<Option<Trace>> = const { Cell::new(None) });
    let metrics = MetricsCollector::builder().manual().current_trace(|| CURRENT.get()).build();
    let recorder = metrics.recorder();
    let ways: [(&str, Way<'_>); 14] = [
        ("handle", &|name, t| {
            metrics.register_timing(name).record_traced(Duration::from_nanos(5), t);
        }),
        ("handle, ns", &|name, t| metrics.register_timing(name).record_ns_traced(5, t)),
        ("name", &|name, t| metrics.timing_traced(name, Duration::from_nanos(5), t)),
        ("histogram", &|name, t| metrics.register_histogram(name).record_traced(5, t)),
        ("histogram, name", &|name, t| metrics.histogram_traced(name, 5, t)),
        ("recorder", &|name, t| {
            recorder.record_ns_traced(&metrics.register_timing(name), 5, t);
        }),
        ("recorder, duration", &|name, t| {
            let five = Duration::from_nanos(5);
            recorder.record_traced(&metrics.register_timing(name), five, t);
        }),
        ("recorder, histogram", &|name, t| {
            recorder.record_traced(&metrics.register_histogram(name), 5, t);
        }),
        ("guard, dropped", &|name, t| {
            drop(metrics.register_timing(name).start().with_trace(t));
        }),
        ("owned, stopped", &|name, t| {
            metrics.timer(name).stop_traced(t);
        }),
        ("recorder's, stopped", &|name, t| {
            recorder.start(&metrics.register_timing(name)).with_trace(t).stop();
        }),
        ("in a span", &|name, t| {
            CURRENT.set(Some(t));
            metrics.register_timing(name).record_in_span(Duration::from_nanos(5));
            CURRENT.set(None);
        }),
        ("in a span, histogram", &|name, t| {
            CURRENT.set(Some(t));
            metrics.register_histogram(name).record_in_span(5);
            CURRENT.set(None);
        }),
        ("in a span, recorder's timer", &|name, t| {
            CURRENT.set(Some(t));
            drop(recorder.start(&metrics.register_timing(name)).in_span());
            CURRENT.set(None);
        }),
    ];
    for (number, (name, way)) in (1..).zip(ways) {
        way(name, trace(number));
        let snapshot = metrics.get_all_metrics();
        let found = exemplar(&snapshot, name).map(|exemplar| exemplar.trace);
        assert_eq!(found, Some(trace(number)), "{name}");
        assert_eq!(metrics.get_timing(name).map(|stats| stats.count), Some(1), "{name}");
    }
}

#[test]
fn nothing_is_traced_while_off_discarded_or_outside_a_span() {
    let metrics = MetricsCollector::builder().manual().current_trace(|| None).build();
    let timing = metrics.register_timing("t");
    timing.record_in_span(Duration::from_nanos(5));
    timing.start().with_trace(trace(1)).discard();
    metrics.set_enabled(false);
    timing.record_traced(Duration::from_nanos(9), trace(2));
    metrics.timing_traced("unknown", Duration::from_nanos(9), trace(3));
    drop(timing.start().with_trace(trace(4)));
    metrics.set_enabled(true);
    let snapshot = metrics.get_all_metrics();
    assert_eq!(exemplar(&snapshot, "t"), None);
    assert_eq!(metrics.get_timing("t").map(|stats| stats.count), Some(1));
    assert_eq!(metrics.get_timing("unknown"), None);
}

#[test]
fn a_conflicting_kind_refuses_sample_and_trace() {
    let metrics = manual();
    metrics.increment("c");
    metrics.timing_traced("c", Duration::from_nanos(5), trace(1));
    assert_eq!(exemplar(&metrics.get_all_metrics(), "c"), None);
    assert_eq!(count(&metrics, "telemetry.kind_conflicts"), 1);
}

#[test]
fn overload_keeps_the_sample_and_counts_the_trace_that_it_drops() {
    let metrics = MetricsCollector::builder().manual().lane_blocks(2, 2).build();
    let timing = metrics.register_timing("t");
    const CALLS: u64 = 2_000;
    (1..=CALLS).for_each(|i| timing.record_ns_traced(i, trace(i)));
    let stats = metrics.get_timing("t").expect("registered");
    assert_eq!((stats.count, stats.buckets().sum()), (CALLS, u128::from(CALLS * (CALLS + 1) / 2)));
    // Three slots each: 170 in a block of 512, whose two last hold samples alone at the end.
    let dropped = count(&metrics, "telemetry.exemplars_dropped");
    assert_eq!(dropped, i128::from(CALLS - 2 * 170));
    assert!(count(&metrics, "telemetry.coalesced") > 0);
    assert_eq!(
        value_and_trace(&metrics.get_all_metrics(), "t").map(|(_, trace)| trace),
        Some(trace(340)),
        "the worst of those that had room"
    );
    assert_eq!(count(&metrics, "telemetry.recorded"), i128::from(CALLS));
}

#[test]
fn a_reset_forgets_the_exemplar_and_a_window_lets_it_go() {
    let metrics = manual();
    let timing = metrics.register_timing("t");
    let begin = Instant::now();
    timing.record_ns_traced(5, trace(1));
    metrics.run_pass(begin, SystemTime::now());
    assert!(exemplar(&metrics.snapshot(), "t").is_some());
    metrics.run_pass(begin + Duration::from_secs(61), SystemTime::now());
    assert_eq!(exemplar(&metrics.snapshot(), "t"), None, "it has left the window");
    timing.record_ns_traced(3, trace(2));
    metrics.reset();
    assert_eq!(exemplar(&metrics.get_all_metrics(), "t"), None);

    let metrics = MetricsCollector::builder().manual().no_window().build();
    metrics.timing_traced("t", Duration::from_nanos(5), trace(1));
    metrics.run_pass(begin, SystemTime::now());
    metrics.run_pass(begin + Duration::from_secs(3_600), SystemTime::now());
    assert!(exemplar(&metrics.snapshot(), "t").is_some(), "of the lifetime, without windows");
}

#[test]
fn differences_sums_and_serde_keep_the_worst() {
    let record = |metrics: &MetricsCollector, nanos, number| {
        metrics.timing_traced("t", Duration::from_nanos(nanos), trace(number));
        metrics.get_all_metrics()
    };
    let metrics = manual();
    let first = record(&metrics, 7, 1);
    let second = record(&metrics, 5, 2);
    assert_eq!(exemplar(&second.since(&first), "t"), None, "the worst is from before");
    let third = record(&metrics, 9, 3);
    assert_eq!(exemplar(&third.since(&first), "t").map(|e| e.trace), Some(trace(3)));

    let other = record(&manual(), 8, 4);
    for (parts, worst) in
        [([&*first, &*other], 4), ([&*third, &*other], 3), ([&*other, &*third], 3)]
    {
        let sum = Snapshot::merge(parts);
        assert_eq!(exemplar(&sum, "t").map(|e| e.trace), Some(trace(worst)));
    }
    let json = serde_json::to_string(&*third).expect("serializes");
    let back: Snapshot = serde_json::from_str(&json).expect("is its own");
    assert_eq!(back, *third);
}
