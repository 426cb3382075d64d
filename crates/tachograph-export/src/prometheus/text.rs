//! The text format 0.0.4.

use std::time::SystemTime;

use super::escape::push_unquoted;
use super::lines::{Dialect, Head};
use crate::time::milliseconds;

pub(super) fn dialect(timestamp: Option<SystemTime>) -> Dialect {
    let stamp = timestamp.map(|time| format!(" {}", milliseconds(time)));
    Dialect { head, created: false, exemplars: false, stamp: stamp.unwrap_or_default() }
}

fn head(out: &mut String, head: &Head<'_>) {
    let Head { name, kind, help, .. } = *head;
    for part in ["# HELP ", name, " "] {
        out.push_str(part);
    }
    push_unquoted(out, help);
    for part in ["\n# TYPE ", name, " ", kind, "\n"] {
        out.push_str(part);
    }
}
