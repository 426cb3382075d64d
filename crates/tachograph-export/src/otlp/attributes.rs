//! Names and tags, with replacements for what OpenTelemetry does not allow.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use tachograph::{Series, Snapshot, Tags};

/// A tag of a series or an attribute of the resource.
pub(super) fn attribute(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(Value::StringValue(value.to_owned())) };
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}

/// The tags of a series. `keyless` replaces the empty key, if there is one.
pub(super) fn attributes(tags: &Tags, keyless: &str) -> Vec<KeyValue> {
    let pair =
        |(key, value): (&str, _)| attribute(if key.is_empty() { keyless } else { key }, value);
    tags.iter().map(pair).collect()
}

/// The replacement for the empty key in a metric that `series` are part of. No other series of the
/// metric has it either: otherwise two of them could end up with the same attributes.
pub(super) fn keyless(series: &[&Series], snapshot: &Snapshot) -> String {
    if series.iter().all(|series| series.tags.get("").is_none()) {
        return String::new();
    }
    let name = &series[0].metric.name;
    stand_in(|key| snapshot.metric(name).any(|series| series.tags.get(key).is_some()))
}

/// A replacement for an empty name: `_`, repeated until it is unique.
pub(super) fn stand_in(is_taken: impl Fn(&str) -> bool) -> String {
    let mut name = "_".to_owned();
    while is_taken(&name) {
        name.push('_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_key_gets_one_that_no_other_tag_has() {
        let metrics = tachograph::MetricsCollector::builder().manual().build();
        metrics.with_tags(&[("", "nothing"), ("_", "one"), ("a", "b")]).increment("x");
        metrics.with_tags(&[("__", "nothing"), ("_", "one"), ("a", "b")]).increment("x");
        let snapshot = metrics.get_all_metrics();
        let all: Vec<_> = snapshot.metric("x").collect();
        let keyless = keyless(&all[..1], &snapshot);
        let told = all.iter().map(|one| attributes(&one.tags, &keyless));
        let told: Vec<_> = told.collect();
        let expected = |key| [(key, "nothing"), ("_", "one"), ("a", "b")];
        let expected = |key| expected(key).map(|(key, value)| attribute(key, value));
        let mut others = expected("__");
        others.swap(0, 1);
        assert_eq!(told, [expected("___").to_vec(), others.to_vec()]);
    }
}
