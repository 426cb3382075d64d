//! What frames hold, against a plain list of what was recorded.

mod common;

use std::time::{Duration, SystemTime};

use common::Recorded;
use proptest::prelude::*;
use tachograph::MetricsCollector;
use tachograph_history::{Buckets, Depth, Mark, Settings};

#[test]
fn a_frame_holds_what_was_recorded_in_its_second_and_nothing_else() {
    let mut world = Recorded::new(Settings::default());
    world.metrics.increment_by("events", 7);
    world.metrics.gauge("depth", 2.0);
    let (first, new) = world.second();
    assert_eq!(first.marks, [Mark::Start]);
    assert!(new.iter().any(|it| &*it.key == "events"));

    world.metrics.increment_by("events", 5);
    world.metrics.gauge("depth", 4.0);
    world.metrics.gauge("depth", 8.0);
    world.metrics.timing("turn", Duration::from_micros(250));
    let (second, new) = world.second();
    assert_eq!(second.marks, []);
    assert_eq!((second.span_ms, &*new[0].key), (1_000, "turn"));
    let [events, depth, turn] = ["events", "depth", "turn"].map(|key| world.number(key));
    assert_eq!(second.counter(events), Some(5));
    assert_eq!(second.rate(5.0), Some(5.0));
    let gauge = second.gauge(depth).expect("set");
    assert_eq!((gauge.current, gauge.mean, gauge.count), (Some(8.0), Some(6.0), 2));
    assert_eq!((gauge.min, gauge.max), (Some(2.0), Some(8.0)), "of the window");
    let timing = second.timing(turn).expect("recorded");
    assert_eq!((timing.count, timing.sum, timing.max), (1, 250e-6, 250e-6));
    assert_eq!(timing.window.expect("there are windows").p99, 250e-6);

    let (third, new) = world.second();
    assert!(new.is_empty());
    assert!(third.counter(events).is_none() && third.timing(turn).is_none(), "nothing changed");
}

#[test]
fn resets_and_gaps_are_marked_and_no_rate_is_taken_across_them() {
    let mut world = Recorded::new(Settings::default());
    world.metrics.increment_by("events", 7);
    world.second();
    world.metrics.reset();
    world.metrics.increment_by("events", 3);
    let (frame, _) = world.second();
    assert_eq!(frame.marks, [Mark::Reset]);
    assert_eq!((frame.counter(world.number("events")), frame.rate(3.0)), (Some(3), None));
    world.metrics.increment_by("events", 4);
    let (late, _) = world.after(Duration::from_secs(30));
    assert_eq!((late.marks.as_slice(), late.span_ms), ([Mark::Gap].as_slice(), 30_000));
    assert_eq!((late.counter(world.number("events")), late.rate(4.0)), (Some(4), None));
}

#[test]
fn a_spike_survives_in_the_coarser_depth_and_counts_are_those_of_a_plain_list() {
    let settings = Settings { fine: Duration::from_secs(60), ..Settings::default() };
    let mut world = Recorded::new(settings);
    let mut all: Vec<u64> = Vec::new();
    world.second();
    let mut random = fastrand::Rng::with_seed(1);
    for second in 0..600 {
        for _ in 0..random.u64(0..20) {
            let spike = second == 100 && random.bool();
            let ns = if spike { 2_000_000_000 } else { random.u64(1_000..1_000_000) };
            world.metrics.timing("turn", Duration::from_nanos(ns));
            all.push(ns);
        }
        world.second();
    }
    all.sort_unstable();
    let turn = world.number("turn");
    let history = &world.history;
    let begin = history.oldest(Depth::Fine).expect("frames");
    let reach = world.now().duration_since(begin).expect("earlier");
    assert!(reach <= Duration::from_secs(61), "{reach:?}");
    let merged = history.merged(SystemTime::UNIX_EPOCH, world.now()).expect("frames");
    let timing = merged.timing(turn).expect("recorded");
    assert_eq!(timing.count, all.len() as u64);
    let sum: u64 = all.iter().sum();
    assert!((timing.sum - sum as f64 * 1e-9).abs() < 1e-9 * timing.sum);
    let max = *all.last().expect("samples") as f64 * 1e-9;
    assert!((timing.max / max - 1.0).abs() < 0.0005, "{} of {max}", timing.max);
    for q in [0.01, 0.5, 0.9, 0.99, 0.999] {
        let rank = (q * all.len() as f64).ceil() as usize;
        let right = all[rank - 1] as f64 * 1e-9;
        let got = timing.quantile(q).expect("samples");
        assert!((got / right - 1.0).abs() < 0.046, "{q}: {got} of {right}");
    }
    let of_ten: Vec<_> =
        history.range(SystemTime::UNIX_EPOCH, world.now(), Duration::from_secs(10));
    assert!(of_ten.iter().any(|frame| frame.timing(turn).is_some_and(|it| it.max > 1.9)));
    let counted = of_ten.iter().filter_map(|frame| frame.timing(turn)).map(|it| it.count);
    assert_eq!(counted.sum::<u64>(), all.len() as u64, "nothing twice, nothing lost");
}

#[test]
fn memory_stays_within_its_bytes_and_what_is_left_is_told() {
    let settings = Settings { bytes: 256 << 10, ..Settings::default() };
    let mut world = Recorded::new(settings);
    for second in 0..300u64 {
        for series in 0..50 {
            let tags = [("n", series.to_string())];
            let tags: Vec<_> = tags.iter().map(|(key, value)| (*key, value.as_str())).collect();
            world.metrics.with_tags(&tags).timing("turn", Duration::from_micros(second + 1));
        }
        world.second();
        assert!(world.history.bytes() <= 256 << 10, "{}", world.history.bytes());
    }
    let begin = world.history.oldest(Depth::Fine).expect("frames");
    assert!(begin > world.start() + Duration::from_secs(100), "cut for bytes");
}

/// However large single frames are, nothing but the newest may exceed the limit.
#[test]
fn frames_that_are_larger_than_the_limit_push_out_all_others() {
    let settings = Settings { bytes: 64 << 10, merge: 3, ..Settings::default() };
    let mut world = Recorded::new(settings);
    for second in 0..20u64 {
        let many = if (5..12).contains(&second) { 600 } else { 10 };
        for number in 0..many {
            world.metrics.timing(&format!("turn.{number}"), Duration::from_micros(second + 1));
        }
        let (frame, _) = world.second();
        let definitions = world.history.definitions().count() * 1_000;
        let least = frame.bytes() + definitions;
        assert!(world.history.bytes() <= (64 << 10).max(least), "{}", world.history.bytes());
        let held = world.history.frames(Depth::Fine).count();
        assert!(many == 10 || held == 1, "{held} frames in second {second}");
        assert_eq!(world.history.newest(), Some(&frame));
    }
}

#[test]
fn ten_thousand_series_of_which_a_hundredth_changes_are_held_for_as_long_as_ten() {
    let metrics = MetricsCollector::builder().manual().max_series(11_000).build();
    let mut world = Recorded::of(metrics, Settings::default());
    let record = |world: &Recorded, number: u64| {
        let (name, tag) = (number % 100, (number / 100).to_string());
        let tags = [("i", &*tag)];
        let tagged = world.metrics.with_tags(&tags);
        match number % 2 {
            0 => tagged.increment(&format!("events.{name}")),
            _ => (0..20).for_each(|sample| {
                tagged.timing(&format!("turn.{name}"), Duration::from_micros(1 << (sample % 10)));
            }),
        }
    };
    for number in 0..10_000 {
        record(&world, number);
        // Keeps the ring from filling up.
        if number % 50 == 49 {
            world.pass(Duration::ZERO);
        }
    }
    world.second();
    for second in 0..150 {
        (0..100).for_each(|number| record(&world, (second * 100 + number) % 10_000));
        world.second();
        assert!(world.history.bytes() <= 16 << 20, "{}", world.history.bytes());
    }
    assert!(world.history.definitions().count() >= 10_000);
    assert_eq!(world.history.frames(Depth::Fine).count(), 151);
}

proptest! {
    #[test]
    fn buckets_come_back_as_they_were(
        map in proptest::collection::btree_map(any::<i16>(), 1..=u64::MAX, 0..50),
        few in proptest::collection::btree_map(-300..300i16, 1..9u64, 0..50),
    ) {
        for map in [map, few] {
            let list: Vec<_> = map.into_iter().collect();
            let text = serde_json::to_string(&list).expect("JSON");
            let buckets: Buckets = serde_json::from_str(&text).expect("they ascend");
            prop_assert_eq!(buckets.iter().collect::<Vec<_>>(), list);
            prop_assert_eq!(serde_json::to_string(&buckets).expect("JSON"), text);
        }
    }

    #[test]
    fn a_value_lies_in_its_bucket_and_buckets_add_up_in_any_order(
        values in proptest::collection::vec(any::<f64>(), 0..200), cut in 0usize..200,
    ) {
        for &value in values.iter().filter(|value| value.is_finite() && **value > 0.0) {
            let index = Buckets::index(value);
            // The edges of subnormal buckets are themselves rounded.
            if value.is_normal() && index > -8_000 {
                prop_assert!(value <= Buckets::upper_edge(index), "{value} {index}");
                prop_assert!(value > Buckets::upper_edge(index - 1), "{value} {index}");
            }
        }
        let counted = |values: &[f64]| {
            let mut sum = Buckets::default();
            for &value in values {
                sum.add(&serde_json::from_str(&format!("[[{},1]]", Buckets::index(value))).expect("one"));
            }
            sum
        };
        let cut = cut.min(values.len());
        let mut halves = counted(&values[..cut]);
        halves.add(&counted(&values[cut..]));
        prop_assert_eq!(&halves, &counted(&values));
        prop_assert_eq!(halves.count(), values.len() as u64);
    }
}

#[test]
fn a_series_has_the_name_and_the_labels_that_prometheus_shows() {
    let mut world = Recorded::new(Settings::default());
    world.metrics.with_tags(&[("event.type", "a\"b"), ("le", "1")]).increment("events.processed");
    world.metrics.timing("events_processed", Duration::from_millis(1));
    world.metrics.timing("turn", Duration::from_millis(1));
    world.metrics.with_tags(&[("port", "9002")]).increment("packets");
    let (_, new) = world.second();
    let of = |key: &str| new.iter().find(|it| it.key.starts_with(key)).expect("it was recorded");
    let plain = of("packets[");
    assert!(plain.labels.is_empty(), "they are its tags");
    assert_eq!(plain.exported_labels(), &plain.tags);
    let tagged = of("events.processed[");
    assert_eq!(tagged.exported_name, "events_processed_total");
    let labels: Vec<_> = tagged.labels.iter().collect();
    // `le` is reserved.
    assert_eq!(labels, [("event_type", "a\"b"), ("le_1", "1")]);
    assert_eq!(tagged.exported_labels(), &tagged.labels);
    assert_eq!(of("turn").exported_name, "turn_seconds");
    let line = tagged.to_line();
    assert!(line.contains("\"exported_name\":\"events_processed_total\""), "{line}");
}

/// A bucket that took 16 bytes takes one or two.
#[test]
fn a_timing_of_twenty_samples_takes_little() {
    let mut random = fastrand::Rng::with_seed(3);
    let mut world = Recorded::new(Settings::default());
    for _ in 0..20 {
        let micros = 100.0 * -(1.0 - random.f64()).ln();
        world.metrics.timing("turn", Duration::from_nanos((micros * 1e3) as u64 + 1));
    }
    let (frame, _) = world.second();
    let step = frame.timing(world.number("turn")).expect("recorded");
    let buckets = step.buckets.iter().count();
    assert!((8..=20).contains(&buckets), "{buckets}");
    let packed = step.bytes() - size_of_val(step);
    assert!(packed <= 3 + 2 * buckets, "{packed} for {buckets}");
}
