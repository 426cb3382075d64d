//! Names and tags, with what OpenTelemetry does not allow replaced.

use prost::bytes::BufMut;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len, message};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use tachograph::{Series, Snapshot, Tags};

use super::borrowed::{bytes_len, write_bytes, written_by_hand};

/// A tag, or an attribute of who tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyValue<'a> {
    pub(super) key: &'a str,
    pub(super) value: &'a str,
}

/// The field of an `AnyValue` that is text.
const STRING_VALUE: u32 = 1;

impl KeyValue<'_> {
    fn write(&self, buffer: &mut impl BufMut) {
        write_bytes(1, self.key, buffer);
        encode_key(2, WireType::LengthDelimited, buffer);
        encode_varint(self.value_len() as u64, buffer);
        // Of several kinds of value one was chosen, so it is written even where it is empty.
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

/// Any field: the keys of all up to 15 take one byte.
const FIELD: u32 = 1;

/// The tags of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Attributes<'a> {
    /// `None` is the same as none.
    tags: Option<&'a Tags>,
    /// What the empty key is called, if there is one.
    keyless: &'a str,
    /// How long they are: every message around them asks.
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

    /// Writes each as this field, at most 15.
    pub(super) fn write(&self, field: u32, buffer: &mut impl BufMut) {
        self.pairs().for_each(|pair| message::encode(field, &pair, buffer));
    }

    /// The bytes of that.
    pub(super) fn length(&self) -> usize {
        self.bytes
    }
}

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.pairs())
    }
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
