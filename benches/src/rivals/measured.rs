//! `measured`: metric groups of statically known shape on shared atomics.

use std::sync::Arc;

use measured::label::{FixedCardinalitySet, LabelSet, LabelValue, LabelVisitor};
use measured::metric::histogram::Thresholds;
use measured::text::{BufferedTextEncoder, TextEncoder};
use measured::{Counter, CounterVec, FloatGauge, Histogram, HistogramVec, LabelGroup, MetricGroup};

use super::Rival;
use super::exposition::Write;
use crate::case::Case;

const NAME: &str = "measured";

/// The library exports values only through groups.
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

/// The value of a metric in the text.
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
    Rival::new(case, "20 buckets").within(super::DOUBLING)
}

pub(super) fn timer() -> Rival {
    let group = group();
    let read = Arc::clone(&group);
    let case =
        Case::new(NAME, move || Arc::clone(&group), |group, _| drop(group.timing.start_timer()))
            .check(move |done| {
                assert_eq!(shown(&read, "timing_count"), Some(done.operations as f64));
            });
    Rival::new(case, "two reads of the monotonic clock; 20 buckets").within(super::DOUBLING)
}

/// Label values that are known beforehand: the library's fastest kind.
struct Values(Vec<String>);

/// One of the values, by its index.
#[derive(Clone, Copy)]
struct Value<'a>(usize, &'a str);

impl LabelValue for Value<'_> {
    fn visit<V: LabelVisitor>(&self, visitor: V) -> V::Output {
        visitor.write_str(self.1)
    }
}

impl LabelSet for Values {
    type Value<'a> = Value<'a>;

    fn dynamic_cardinality(&self) -> Option<usize> {
        Some(self.0.len())
    }

    fn encode(&self, value: Value<'_>) -> Option<usize> {
        Some(value.0)
    }

    fn decode(&self, place: usize) -> Value<'_> {
        Value(place, &self.0[place])
    }
}

impl FixedCardinalitySet for Values {}

#[derive(Clone, Copy, LabelGroup)]
#[label(set = TagSet)]
struct Tag<'a> {
    #[label(fixed_with = Values)]
    event_type: Value<'a>,
}

impl<'a> Tag<'a> {
    fn each(values: &'a [String]) -> impl Iterator<Item = Self> {
        let value = |(i, value)| Self { event_type: Value(i, value) };
        values.iter().map(String::as_str).enumerate().map(value)
    }
}

#[derive(MetricGroup)]
struct Counters {
    counter: CounterVec<TagSet>,
}

#[derive(MetricGroup)]
struct Timings {
    timing: HistogramVec<TagSet, 20>,
}

fn tags(values: &[String]) -> TagSet {
    TagSet::new(Values(values.to_vec()))
}

/// Writes a group into a buffer that is kept.
fn written(group: impl MetricGroup<TextEncoder<Vec<u8>>> + 'static) -> Write {
    let mut encoder = TextEncoder::new(Vec::new());
    Box::new(move |shown| {
        encoder.writer.clear();
        group.collect_group_into(&mut encoder).expect("memory accepts it");
        encoder.flush().expect("memory accepts it");
        shown(&encoder.writer);
    })
}

pub(super) fn counters_written(values: &[String], counts: &[u64]) -> Write {
    let counter = CounterVec::dense_with_label_set(tags(values));
    Tag::each(values).zip(counts).for_each(|(tag, &count)| counter.inc_by(tag, count));
    written(Counters { counter })
}

pub(super) fn timings_written(values: &[String], samples: &[u64]) -> Write {
    let thresholds = Thresholds::exponential_buckets(1.0, 2.0);
    let timing = HistogramVec::dense_with_label_set_and_metadata(tags(values), thresholds);
    for tag in Tag::each(values) {
        samples.iter().for_each(|&value| timing.observe(tag, value as f64));
    }
    written(Timings { timing })
}
