//! Display keys: no two series share one, and each can be parsed back.
#![no_main]

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tachograph::testing::models::{cut, display_key};

/// Maximum bytes of a name, tag key or tag value; longer ones are cut.
const TEXT_BYTES: usize = 256;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    name: &'a str,
    tags: Vec<(&'a str, &'a str)>,
    /// A second series, which may equal the first.
    other_name: &'a str,
    other_tags: Vec<(&'a str, &'a str)>,
    /// Which of its parts are copied from the first.
    same: [bool; 2],
}

type Series = (String, BTreeMap<String, String>);

/// A series. Of tags with the same key the last one wins; an empty value removes the tag.
fn series(name: &str, tags: &[(&str, &str)]) -> Series {
    let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let last: BTreeMap<_, _> = tags.collect();
    (name.to_owned(), last.into_iter().filter(|(_, value)| !value.is_empty()).collect())
}

/// Parses a key with a state machine over its characters, unlike the code that builds keys.
fn parse(key: &str) -> Option<Series> {
    let (mut texts, mut ends) = (vec![String::new()], Vec::new());
    let mut chars = key.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => texts.last_mut()?.push(chars.next()?),
            '[' | '=' | ',' | ']' => {
                ends.push(c);
                texts.push(String::new());
            }
            c => texts.last_mut()?.push(c),
        }
    }
    let name = texts.first()?.clone();
    if ends.is_empty() {
        return Some((name, BTreeMap::new()));
    }
    // [ = , = , = ] and nothing after it.
    let pairs = (ends.len() - 1).checked_div(2)?;
    let expected =
        std::iter::once('[').chain("=,".chars().cycle().take(2 * pairs - 1)).chain([']']);
    if !ends.iter().copied().eq(expected) || !texts.last()?.is_empty() {
        return None;
    }
    let mut tags = BTreeMap::new();
    let mut last: Option<&String> = None;
    for pair in texts[1..=2 * pairs].chunks(2) {
        // Sorted and without duplicates.
        if last.is_some_and(|last| *last >= pair[0]) {
            return None;
        }
        last = Some(&pair[0]);
        tags.insert(pair[0].clone(), pair[1].clone());
    }
    Some((name, tags))
}

fuzz_target!(|input: Input<'_>| {
    let (name, tags) = (input.name, &input.tags);
    let key = display_key(name, tags);
    assert_eq!(parse(&key), Some(series(name, tags)), "{key}");

    let other_name = if input.same[0] { name } else { input.other_name };
    let other_tags = if input.same[1] { tags } else { &input.other_tags };
    let same = series(name, tags) == series(other_name, other_tags);
    assert_eq!(key == display_key(other_name, other_tags), same);

    // The order of tags with distinct keys makes no difference.
    let (_, distinct) = series(name, tags);
    let mut reversed: Vec<(&str, &str)> =
        distinct.iter().map(|(key, value)| (&**key, &**value)).collect();
    reversed.reverse();
    assert_eq!(display_key(name, &reversed), key);

    // The longest prefix within the limit.
    let short = cut(name);
    assert!(name.starts_with(short) && short.len() <= TEXT_BYTES);
    let next = name[short.len()..].chars().next();
    assert!(next.is_none_or(|next| short.len() + next.len_utf8() > TEXT_BYTES));
});
