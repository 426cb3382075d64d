//! The values of chosen fields.

use std::fmt::{self, Write};

use compact_str::CompactString;
use smallvec::SmallVec;
use tracing::field::{Field, Visit};

/// A tag: its key and its value.
pub(crate) type Tag<'a> = (&'a str, &'a str);

/// Tags for one record.
pub(crate) type Tags<'a> = SmallVec<[Tag<'a>; 6]>;

/// The values of chosen fields, in the order in which they came; a later value of a field replaces
/// the earlier one.
#[derive(Debug, Default)]
pub(crate) struct Values(SmallVec<[(&'static str, CompactString); 2]>);

impl Values {
    /// A visitor that keeps the values of the chosen fields.
    pub(crate) fn of<'a>(&'a mut self, chosen: &'a [String]) -> Choice<'a> {
        Choice { values: self, chosen }
    }

    /// Adds values that came later.
    pub(crate) fn add(&mut self, later: Self) {
        later.0.into_iter().for_each(|(name, value)| self.set(name, value));
    }

    /// The values' tags and then `more`, which win over fields of the same name.
    pub(crate) fn with<'a>(&'a self, more: [Tag<'a>; 2]) -> Tags<'a> {
        let mut tags = Tags::new();
        self.0.iter().for_each(|(name, value)| tags.push((name, value)));
        tags.extend_from_slice(&more);
        tags
    }

    fn set(&mut self, name: &'static str, value: CompactString) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name, value)),
        }
    }
}

pub(crate) struct Choice<'a> {
    values: &'a mut Values,
    chosen: &'a [String],
}

impl Choice<'_> {
    fn set(&mut self, field: &Field, text: impl FnOnce() -> CompactString) {
        if self.chosen.iter().any(|name| name == field.name()) {
            self.values.set(field.name(), text());
        }
    }
}

impl Visit for Choice<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, || value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, || {
            let mut text = CompactString::default();
            // Err: the value's own `fmt` failed; what it wrote before that stands.
            let _ = write!(text, "{value:?}");
            text
        });
    }
}
