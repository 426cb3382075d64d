//! Names, tags and descriptions that nobody should choose.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tachograph::{MetricsCollector, Unit};
use tachograph_export::otlp::{Encoding, Temporality};

use super::decode::{json, metrics, protobuf, tags};
use super::receiver::Receiver;
use super::settings;

fn text() -> impl Strategy<Value = String> {
    let c = prop::sample::select(vec!['_', 'a', '.', '\0', '\n', '"', '\\', '{', 'é', '\u{1f600}']);
    prop_oneof![
        4 => prop::collection::vec(c, 0..4).prop_map(|chars| chars.into_iter().collect()),
        1 => Just("_".repeat(300)),
    ]
}

type Pairs = Vec<(String, String)>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_series_is_told_once_under_its_own_name_and_tags(
        series in prop::collection::vec(
            (text(), prop::collection::vec((text(), text()), 0..4), 0u64..1_000, any::<bool>()),
            0..30,
        ),
        told in prop::collection::vec((text(), text(), text()), 0..5),
        is_delta: bool,
    ) {
        let collector = MetricsCollector::builder().manual().build();
        for (name, unit, description) in &told {
            collector.describe(name, Unit::Other(unit.as_str().into()), description);
        }
        for (name, pairs, value, is_counter) in &series {
            record(&collector, name, pairs, *value, *is_counter);
        }
        let temporality = if is_delta { Temporality::Delta } else { Temporality::Cumulative };
        let settings = settings().temporality(temporality);
        let snapshot = collector.get_all_metrics();
        let request = protobuf(&mut settings.encoder(), &snapshot);
        let as_json = json(&mut settings.encoding(Encoding::Json).encoder(), &snapshot);
        prop_assert_eq!(&request, &as_json);

        let mut names = BTreeSet::new();
        for metric in metrics(&request) {
            prop_assert!(!metric.name.is_empty() && names.insert(&metric.name), "{}", metric.name);
            prop_assert!(metric.unit.bytes().all(|byte| byte.is_ascii_graphic()), "{}", metric.unit);
        }
        let mut receiver = Receiver::default();
        receiver.receive(&request);
        for series in snapshot.series().iter().filter(|it| !it.metric.name.starts_with("telemetry.")) {
            // The replacement for an empty name or key is the shortest free run of `_`.
            let name = stand_in(&series.metric.name, |name| snapshot.metric(name).next().is_some());
            let pairs = series.tags.iter();
            let pairs: BTreeMap<_, _> = pairs
                .map(|(key, value)| {
                    let all = || snapshot.metric(&series.metric.name);
                    let key = stand_in(key, |key| all().any(|one| one.tags.get(key).is_some()));
                    (key, value.to_owned())
                })
                .collect();
            prop_assert_eq!(pairs.len(), series.tags.len());
            let id = (name, pairs);
            if let Some(views) = series.value.as_counter() {
                let told = receiver.sums.get(&id).copied();
                prop_assert_eq!(told.unwrap_or(0), views.lifetime.value);
                prop_assert!(is_delta || told.is_some());
            } else if let Some(views) = series.value.as_timing() {
                let told = receiver.distributions.get(&id).map(|told| told.count);
                prop_assert_eq!(told, Some(views.lifetime.count));
            }
        }
    }
}

fn stand_in(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    if !name.is_empty() {
        return name.to_owned();
    }
    let free = (1..).map(|length| "_".repeat(length)).find(|name| !is_taken(name));
    free.expect("names are finite")
}

fn record(metrics: &MetricsCollector, name: &str, pairs: &Pairs, value: u64, is_counter: bool) {
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| (&**key, &**value)).collect();
    let series = metrics.with_tags(&pairs);
    if is_counter { series.increment_by(name, value) } else { series.histogram(name, value) }
}

#[test]
fn attributes_and_names_as_long_as_the_collector_keeps_them_go_out_whole() {
    let collector = MetricsCollector::builder().manual().build();
    let long = "n".repeat(256);
    collector.with_tags(&[(&long, &long)]).increment(&long);
    let request = protobuf(&mut settings().encoder(), &collector.get_all_metrics());
    let metric = metrics(&request).find(|metric| metric.name == long).expect("told");
    let told = tags(&super::decode::numbers(metric)[0].attributes);
    assert_eq!(told, BTreeMap::from([(long.clone(), long)]));
}
