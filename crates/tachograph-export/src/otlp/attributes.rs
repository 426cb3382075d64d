//! Names and tags, with what OpenTelemetry does not allow replaced.

use tachograph::Tags;

use super::message::KeyValue;

/// The tags of a series.
pub(super) fn attributes(tags: &Tags) -> Vec<KeyValue> {
    let pair = |(key, value): (&str, &str)| match key {
        "" => KeyValue::new(&stand_in(|name| tags.get(name).is_some()), value),
        key => KeyValue::new(key, value),
    };
    tags.iter().map(pair).collect()
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
        let tags = Tags::new(&[("", "nothing"), ("_", "one"), ("__", "two"), ("a", "")]);
        let expected = [("___", "nothing"), ("_", "one"), ("__", "two"), ("a", "")];
        assert_eq!(attributes(&tags), expected.map(|(key, value)| KeyValue::new(key, value)));
    }
}
