//! Rounds of records, compared with a model that keeps every one of them: in the end a receiver
//! knows exactly what was recorded.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use tachograph::{MetricsCollector, Snapshot};
use tachograph_export::otlp::{Encoder, Encoding, Temporality};

use super::decode::{Request, distributions, json, metrics, protobuf};
use super::receiver::{Distribution, Id, Receiver};
use super::{SECOND, manual, settings};

/// The records of one round for the series of one tag.
#[derive(Clone, Copy, Debug)]
enum Record {
    Increment(u64),
    Decrement(u64),
    Gauge(f64),
    Timing(u64),
    Histogram(u64),
}

impl Record {
    fn apply(self, metrics: &MetricsCollector, tag: u8) {
        let tag = tag.to_string();
        let tags = [("tag", &*tag)];
        let series = metrics.with_tags(&tags);
        match self {
            Self::Increment(amount) => series.increment_by("count", amount),
            Self::Decrement(amount) => series.decrement_by("level", amount),
            Self::Gauge(value) => series.gauge("gauge", value),
            Self::Timing(ns) => series.timing("turn", Duration::from_nanos(ns)),
            Self::Histogram(value) => series.histogram("size", value),
        }
    }
}

/// Every value ever recorded.
#[derive(Clone, Debug, Default)]
struct Model {
    sums: BTreeMap<Id, i128>,
    gauges: BTreeMap<Id, f64>,
    samples: BTreeMap<Id, Vec<u64>>,
}

impl Model {
    fn apply(&mut self, record: Record, tag: u8) {
        let id =
            |name: &str| (name.to_owned(), BTreeMap::from([("tag".to_owned(), tag.to_string())]));
        let mut sample = |name, value| self.samples.entry(id(name)).or_default().push(value);
        match record {
            Record::Timing(ns) => sample("turn", ns),
            Record::Histogram(value) => sample("size", value),
            Record::Increment(amount) => {
                *self.sums.entry(id("count")).or_default() += i128::from(amount);
            }
            Record::Decrement(amount) => {
                *self.sums.entry(id("level")).or_default() -= i128::from(amount);
            }
            Record::Gauge(value) => drop(self.gauges.insert(id("gauge"), value)),
        }
    }
}

/// Samples of any size, up to an hour in nanoseconds.
fn sample() -> impl Strategy<Value = u64> {
    (0u32..42, any::<u64>())
        .prop_map(|(bits, random)| (random & ((1 << bits) - 1)).min(3_600 << 30))
}

fn record() -> impl Strategy<Value = Record> {
    let amount = 1u64..1 << 40;
    prop_oneof![
        1 => amount.clone().prop_map(Record::Increment),
        1 => amount.prop_map(Record::Decrement),
        1 => (-1e9..1e9).prop_map(Record::Gauge),
        3 => sample().prop_map(Record::Timing),
        3 => sample().prop_map(Record::Histogram),
    ]
}

/// Per round: what is recorded, and whether its payload is lost.
type Rounds = Vec<(Vec<(Record, u8)>, bool)>;

fn rounds() -> impl Strategy<Value = Rounds> {
    let round = (prop::collection::vec((record(), 0u8..3), 0..40), prop::bool::weighted(0.2));
    prop::collection::vec(round, 1..8)
}

/// An encoder, the decoder of its payloads, and the receiver.
type Way = (Encoder, fn(&mut Encoder, &Snapshot) -> Request, Receiver);

fn ways(temporality: Temporality, buckets: usize) -> [Way; 2] {
    let settings = settings().temporality(temporality).max_buckets(buckets);
    let json_too = settings.clone().encoding(Encoding::Json).encoder();
    [(settings.encoder(), protobuf, Receiver::default()), (json_too, json, Receiver::default())]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]

    #[test]
    fn deltas_add_up_to_what_was_recorded_but_for_what_was_lost(
        rounds in rounds(),
        buckets in 8usize..200,
    ) {
        let (collector, clock) = manual();
        let mut ways = ways(Temporality::Delta, buckets);
        let (mut received, mut all) = (Model::default(), Model::default());
        let is_whole = rounds.iter().all(|(_, is_lost)| !is_lost);
        for (records, is_lost) in rounds {
            for (record, tag) in records {
                record.apply(&collector, tag);
                all.apply(record, tag);
                if !is_lost {
                    received.apply(record, tag);
                }
            }
            clock.advance(SECOND);
            let snapshot = collector.get_all_metrics();
            for (encoder, read, receiver) in &mut ways {
                let request = read(encoder, &snapshot);
                prop_assert!(width(&request) <= buckets);
                if !is_lost {
                    receiver.receive(&request);
                    received.gauges.clone_from(&all.gauges);
                    // A lost level is sent again.
                    let levels = all.sums.iter().filter(|(id, _)| id.0 == "level");
                    received.sums.extend(levels.map(|(id, level)| (id.clone(), *level)));
                }
            }
        }
        for (_, _, receiver) in &ways {
            check(receiver, &received, is_whole)?;
        }
    }

    #[test]
    fn the_last_total_is_what_was_recorded_whatever_was_lost_before(
        rounds in rounds(),
        buckets in 8usize..200,
    ) {
        let (collector, clock) = manual();
        let mut ways = ways(Temporality::Cumulative, buckets);
        let mut all = Model::default();
        let last = rounds.len() - 1;
        for (round, (records, is_lost)) in rounds.into_iter().enumerate() {
            for (record, tag) in records {
                record.apply(&collector, tag);
                all.apply(record, tag);
            }
            clock.advance(SECOND);
            let snapshot = collector.get_all_metrics();
            for (encoder, read, receiver) in &mut ways {
                let request = read(encoder, &snapshot);
                prop_assert!(width(&request) <= buckets);
                if !is_lost || round == last {
                    receiver.receive(&request);
                }
            }
        }
        for (_, _, receiver) in &ways {
            check(receiver, &all, true)?;
        }
    }
}

/// The most buckets in a point.
fn width(request: &Request) -> usize {
    let points = metrics(request).flat_map(distributions);
    points.filter_map(|point| Some(point.positive.as_ref()?.bucket_counts.len())).max().unwrap_or(0)
}

/// The receiver's state, except the collector's own series, equals the model.
fn check(receiver: &Receiver, model: &Model, is_whole: bool) -> Result<(), TestCaseError> {
    let is_ours = |id: &Id| !id.0.starts_with("telemetry.");
    let sums: BTreeMap<_, _> = receiver.sums.iter().filter(|(id, _)| is_ours(id)).collect();
    prop_assert_eq!(sums, model.sums.iter().collect::<BTreeMap<_, _>>());
    let gauges: BTreeMap<_, _> = receiver.gauges.iter().filter(|(id, _)| is_ours(id)).collect();
    prop_assert_eq!(gauges, model.gauges.iter().collect::<BTreeMap<_, _>>());
    let told = receiver.distributions.iter().filter(|(id, _)| is_ours(id));
    let told: Vec<_> = told.map(|(id, _)| id).collect();
    prop_assert_eq!(told, model.samples.keys().collect::<Vec<_>>());
    for (id, samples) in &model.samples {
        let per_unit = if id.0 == "turn" { 1e9 } else { 1.0 };
        distribution(&receiver.distributions[id], samples, per_unit, is_whole)?;
    }
    Ok(())
}

fn distribution(
    told: &Distribution,
    samples: &[u64],
    per_unit: f64,
    is_whole: bool,
) -> Result<(), TestCaseError> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let scaled = |sample: u64| sample as f64 / per_unit;
    let sum = samples.iter().map(|sample| u128::from(*sample)).sum::<u128>() as f64 / per_unit;
    prop_assert_eq!(told.count, sorted.len() as u64);
    prop_assert!((told.sum - sum).abs() <= sum * 1e-12, "{} {}", told.sum, sum);
    for (told, exact) in [(told.min, sorted.first()), (told.max, sorted.last())] {
        let (told, exact) = (told.expect("samples"), scaled(*exact.expect("samples")));
        // The least `min` of all deltas is exact, unless one of them was lost.
        let error = if is_whole { 0.0 } else { exact / 2_048.0 + 1.0 / per_unit };
        prop_assert!((told - exact).abs() <= error, "{told}, not {exact}");
    }
    for (i, sample) in sorted.iter().enumerate() {
        let (low, high) = told.edges(i as u64 + 1);
        let error = 1.0 / 1_024.0;
        let is_within =
            low * (1.0 - error) <= scaled(*sample) && scaled(*sample) <= high * (1.0 + error);
        prop_assert!(is_within, "{} not in {low} to {high}", scaled(*sample));
    }
    Ok(())
}
