//! `measured`: metric groups of statically known shape on shared atomics.

use std::sync::Arc;

use measured::metric::histogram::Thresholds;
use measured::text::BufferedTextEncoder;
use measured::{Counter, FloatGauge, Histogram, MetricGroup};

use super::Rival;
use crate::case::Case;

const NAME: &str = "measured";

/// Groups are how it lets its values out.
#[derive(MetricGroup)]
#[metric(new(thresholds: Thresholds<20>))]
struct Group {
    counter: Counter,
    gauge: FloatGauge,
    #[metric(metadata = thresholds)]
    timing: Histogram<20>,
}

fn group() -> Arc<Group> {
    Arc::new(Group::new(Thresholds::exponential_buckets(1.0, 2.0)))
}

/// What the text says of a metric.
fn shown(group: &Group, metric: &str) -> Option<f64> {
    let mut text = BufferedTextEncoder::new();
    group.collect_group_into(&mut text).expect("memory accepts it");
    let text = text.finish();
    super::shown(&String::from_utf8_lossy(&text), metric)
}

pub(super) fn counter() -> Rival {
    let group = group();
    let read = Arc::clone(&group);
    let case = Case::new(NAME, move || Arc::clone(&group), |group, _| group.counter.inc())
        .check(move |done| assert_eq!(shown(&read, "counter"), Some(done.operations as f64)));
    Rival::new(case, "one shared word")
}

pub(super) fn gauge() -> Rival {
    let group = group();
    let read = Arc::clone(&group);
    let case = Case::new(NAME, move || Arc::clone(&group), |group, i| group.gauge.set(i as f64))
        .check(move |_| assert!(shown(&read, "gauge").is_some()));
    Rival::new(case, super::PLAIN_GAUGE)
}

pub(super) fn timing() -> Rival {
    let group = group();
    let read = Arc::clone(&group);
    let case =
        Case::new(NAME, move || Arc::clone(&group), |group, i| group.timing.observe(i as f64))
            .check(move |done| {
                assert_eq!(shown(&read, "timing_count"), Some(done.operations as f64));
                assert_eq!(shown(&read, "timing_sum"), Some(done.sum as f64));
            });
    Rival::new(case, "20 buckets")
}

pub(super) fn timer() -> Rival {
    let group = group();
    let read = Arc::clone(&group);
    let case =
        Case::new(NAME, move || Arc::clone(&group), |group, _| drop(group.timing.start_timer()))
            .check(move |done| {
                assert_eq!(shown(&read, "timing_count"), Some(done.operations as f64));
            });
    Rival::new(case, "two reads of the monotonic clock; 20 buckets")
}
