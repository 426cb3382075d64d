//! Names and tags, with what OpenTelemetry does not allow replaced.

use tachograph::{Series, Snapshot, Tags};

use super::message::KeyValue;

/// The tags of a series; the empty key, if there is one, as `keyless`.
pub(super) fn attributes(tags: &Tags, keyless: &str) -> Vec<KeyValue> {
    let pair = |(key, value): (&str, &str)| match key {
        "" => KeyValue::new(keyless, value),
        key => KeyValue::new(key, value),
    };
    tags.iter().map(pair).collect()
}

/// The stand-in for the empty key in a metric of which these are some series: one that no other
/// series of it has either, or two of them could come to have the same attributes.
pub(super) fn keyless(series: &[&Series], snapshot: &Snapshot) -> String {
    if series.iter().all(|series| series.tags.get("").is_none()) {
        return String::new();
    }
    let name = &series[0].metric.name;
    stand_in(|key| snapshot.metric(name).any(|series| series.tags.get(key).is_some()))
}

/// A name for what has an empty one: as many `_` as it takes to be the only one of the name.
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
        metrics.with_tags(&[("", "nothing"), ("_", "one"), ("a", "")]).increment("x");
        metrics.with_tags(&[("__", "nothing"), ("_", "one"), ("a", "")]).increment("x");
        let snapshot = metrics.get_all_metrics();
        let all: Vec<_> = snapshot.metric("x").collect();
        let keyless = keyless(&all[..1], &snapshot);
        let told: Vec<_> = all.iter().map(|one| attributes(&one.tags, &keyless)).collect();
        let expected = |key| [(key, "nothing"), ("_", "one"), ("a", "")];
        let expected = |key| expected(key).map(|(key, value)| KeyValue::new(key, value));
        let mut others = expected("__");
        others.swap(0, 1);
        assert_eq!(told, [expected("___").to_vec(), others.to_vec()]);
    }
}
