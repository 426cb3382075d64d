//! Names and tags, with replacements for what OpenTelemetry does not allow.

use prost::bytes::BufMut;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len, message};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use tachograph::{Series, Snapshot, Tags};

use super::borrowed::{bytes_len, write_bytes, written_by_hand};

/// A tag of a series or an attribute of the resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyValue<'a> {
    pub(super) key: &'a str,
    pub(super) value: &'a str,
}

/// The text field of `AnyValue`.
const STRING_VALUE: u32 = 1;

impl KeyValue<'_> {
    fn write(&self, buffer: &mut impl BufMut) {
        write_bytes(1, self.key, buffer);
        encode_key(2, WireType::LengthDelimited, buffer);
        encode_varint(self.value_len() as u64, buffer);
        // The value is a oneof, so it is written even if it is empty.
        encode_key(STRING_VALUE, WireType::LengthDelimited, buffer);
        encode_varint(self.value.len() as u64, buffer);
        buffer.put_slice(self.value.as_bytes());
    }

    fn value_len(&self) -> usize {
        let bytes = self.value.len();
        key_len(STRING_VALUE) + encoded_len_varint(bytes as u64) + bytes
    }

    fn length(&self) -> usize {
        let value = self.value_len();
        bytes_len(1, self.key) + key_len(2) + encoded_len_varint(value as u64) + value
    }
}

written_by_hand!(KeyValue<'_>);

impl Serialize for KeyValue<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        enum AnyValue<'a> {
            StringValue(&'a str),
        }
        let mut pair = to.serialize_struct("KeyValue", 2)?;
        pair.serialize_field("key", self.key)?;
        pair.serialize_field("value", &AnyValue::StringValue(self.value))?;
        pair.end()
    }
}

/// Any field number: keys up to 15 all take one byte.
const FIELD: u32 = 1;

/// The tags of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Attributes<'a> {
    /// `None` stands for no tags.
    tags: Option<&'a Tags>,
    /// The replacement for the empty key, if there is one.
    keyless: &'a str,
    /// Encoded length, kept because every enclosing message asks for it.
    bytes: usize,
}

impl<'a> Attributes<'a> {
    pub(super) fn new(tags: &'a Tags, keyless: &'a str) -> Self {
        let attributes = Self { tags: Some(tags), keyless, bytes: 0 };
        let pairs = attributes.pairs().map(|pair| message::encoded_len(FIELD, &pair));
        Self { bytes: pairs.sum(), ..attributes }
    }

    fn pairs(&self) -> impl Iterator<Item = KeyValue<'a>> {
        let Self { tags, keyless, .. } = *self;
        let pair = move |(key, value): (&'a str, &'a str)| match key {
            "" => KeyValue { key: keyless, value },
            key => KeyValue { key, value },
        };
        tags.into_iter().flat_map(Tags::iter).map(pair)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tags.is_none_or(Tags::is_empty)
    }

    /// Writes each attribute as `field`, at most 15.
    pub(super) fn write(&self, field: u32, buffer: &mut impl BufMut) {
        self.pairs().for_each(|pair| message::encode(field, &pair, buffer));
    }

    /// The number of bytes that `write` appends.
    pub(super) fn length(&self) -> usize {
        self.bytes
    }
}

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.pairs())
    }
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
        let told = all.iter().map(|one| Attributes::new(&one.tags, &keyless).pairs().collect());
        let told: Vec<Vec<_>> = told.collect();
        let expected = |key| [(key, "nothing"), ("_", "one"), ("a", "b")];
        let expected = |key| expected(key).map(|(key, value)| KeyValue { key, value });
        let mut others = expected("__");
        others.swap(0, 1);
        assert_eq!(told, [expected("___").to_vec(), others.to_vec()]);
    }
}
