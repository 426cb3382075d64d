//! The tag set of a series.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

/// The only tag of a metric's overflow series.
pub(crate) const OVERFLOW: (&str, &str) = ("overflow", "true");

/// An unordered set of `key=value` pairs, kept sorted by key; cheap to clone.
///
/// If two pairs have the same key, the last one wins. A pair with an empty value is no pair, as in
/// Prometheus. Serialized to JSON as an object. A single allocation, because there may be a great
/// many series.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Tags(
    /// The number of pairs, then length and text of each key and value; empty if there are no
    /// pairs.
    Arc<str>,
);

impl Tags {
    /// The tag set of the given pairs.
    pub fn new<K: AsRef<str>, V: AsRef<str>>(pairs: &[(K, V)]) -> Self {
        Self::from_pairs(pairs.iter().map(|(key, value)| (key.as_ref(), value.as_ref())).collect())
    }

    fn from_pairs(mut pairs: Vec<(&str, &str)>) -> Self {
        // The sort is stable and the list reversed first: of equal keys the last given one comes
        // first and is kept.
        pairs.reverse();
        pairs.sort_by_key(|(key, _)| *key);
        pairs.dedup_by_key(|(key, _)| *key);
        pairs.retain(|(_, value)| !value.is_empty());
        if pairs.is_empty() {
            return Self::default();
        }
        let texts = pairs.iter().flat_map(|(key, value)| [key, value]);
        let mut all =
            String::with_capacity(1 + texts.clone().map(|it| it.len() + 2).sum::<usize>());
        push_number(&mut all, pairs.len());
        for text in texts {
            push_number(&mut all, text.len());
            all.push_str(text);
        }
        Self(all.into())
    }

    /// The value of a key. Looks at each pair up to it.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(k, _)| *k == key).map(|(_, value)| value)
    }

    /// The pairs, sorted by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        let mut rest = &*self.0;
        let left = take_number(&mut rest).unwrap_or(0);
        Pairs { rest, left }
    }

    /// The number of pairs.
    pub fn len(&self) -> usize {
        self.iter().len()
    }

    /// Whether this is the tag set of a metric's overflow series.
    pub(crate) fn is_overflow(&self) -> bool {
        self.iter().eq([OVERFLOW])
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Iterates over the pairs of the text in a [`Tags`].
#[derive(Clone)]
struct Pairs<'a> {
    rest: &'a str,
    left: usize,
}

impl<'a> Pairs<'a> {
    #[inline]
    fn text(&mut self) -> Option<&'a str> {
        let len = take_number(&mut self.rest)?;
        let (text, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(text)
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some((self.text()?, self.text()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Pairs<'_> {}
impl FusedIterator for Pairs<'_> {}

/// Appends a number as single-byte characters: six bits in each, lowest first, and a seventh bit
/// that says whether more follow.
fn push_number(text: &mut String, mut number: usize) {
    while number > 0x3F {
        text.push(char::from(0x40 | (number & 0x3F) as u8));
        number >>= 6;
    }
    text.push(char::from(number as u8));
}

/// Removes such a number from the front.
#[inline]
fn take_number(text: &mut &str) -> Option<usize> {
    let mut number = 0;
    for (i, byte) in text.bytes().enumerate() {
        number |= usize::from(byte & 0x3F) << (6 * i);
        if byte & 0x40 == 0 {
            *text = text.get(i + 1..)?;
            return Some(number);
        }
    }
    None
}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Ord for Tags {
    /// Orders by the first pair that differs.
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl PartialOrd for Tags {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = BTreeMap::<String, String>::deserialize(deserializer)?;
        Ok(Self::from_pairs(pairs.iter().map(|(key, value)| (&**key, &**value)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lengths around the limits of numbers with one, two and three characters.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["\\PC{0,3}", ".{60,70}", (4_090_usize..4_100).prop_map(|len| "é".repeat(len))]
    }

    proptest! {
        #[test]
        fn pairs_with_values_come_back_sorted_and_of_equal_keys_the_last(
            pairs in prop::collection::vec((text(), text()), 0..70),
            others in prop::collection::vec((text(), text()), 0..3),
        ) {
            let set = |pairs: &[(String, String)]| -> BTreeMap<String, String> {
                let last: BTreeMap<_, _> = pairs.iter().cloned().collect();
                last.into_iter().filter(|(_, value)| !value.is_empty()).collect()
            };
            let naive = set(&pairs);
            let tags = Tags::new(&pairs);
            let expected = naive.iter().map(|(key, value)| (&**key, &**value));
            prop_assert!(tags.iter().eq(expected));
            prop_assert_eq!((tags.len(), tags.is_empty()), (naive.len(), naive.is_empty()));
            for (key, value) in &naive {
                prop_assert_eq!(tags.get(key), Some(&**value));
            }
            let other = set(&others);
            prop_assert_eq!(tags.cmp(&Tags::new(&others)), naive.iter().cmp(other.iter()));
            let json = serde_json::to_string(&tags).expect("a map of texts");
            prop_assert_eq!(serde_json::from_str::<Tags>(&json).expect("written so"), tags);
        }
    }
}
