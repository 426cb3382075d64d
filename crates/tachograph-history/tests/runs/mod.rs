//! Runs that are made by hand.

use std::sync::Arc;

use tachograph_history::compare::{Change, Measure};
use tachograph_history::{Definition, Frame, Line};

/// The definition of a series, as a recording has it.
pub(crate) fn define(number: u32, key: &str, kind: &str) -> Arc<Definition> {
    let line = format!(
        r#"{{"series":{{"number":{number},"key":"{key}","name":"{key}","kind":"{kind}"}}}}"#
    );
    match serde_json::from_str(&line) {
        Ok(Line::Series(definition)) => Arc::new(definition),
        other => panic!("{other:?}"),
    }
}

/// A frame of a second.
pub(crate) fn second(at: u64) -> Frame {
    Frame { version: at, end_ms: at * 1_000, span_ms: 1_000, ..Frame::default() }
}

pub(crate) fn of(changes: &[Change], measure: Measure) -> &Change {
    changes.iter().find(|it| it.measure == measure).expect("compared")
}
