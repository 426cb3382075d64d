//! OpenMetrics 1.0.

use std::time::SystemTime;

use super::escape::push_quoted;
use super::lines::{Dialect, Head};
use super::number::push_seconds;

/// The last line.
pub(super) const END: &str = "# EOF\n";

pub(super) fn dialect(timestamp: Option<SystemTime>, created: bool) -> Dialect {
    let mut stamp = String::new();
    if let Some(time) = timestamp {
        stamp.push(' ');
        push_seconds(&mut stamp, time);
    }
    Dialect { head, created, exemplars: true, stamp }
}

fn head(out: &mut String, head: &Head<'_>) {
    let Head { base, unit, kind, help, .. } = *head;
    for part in ["# TYPE ", base, " ", kind, "\n"] {
        out.push_str(part);
    }
    if !unit.is_empty() {
        for part in ["# UNIT ", base, " ", unit, "\n"] {
            out.push_str(part);
        }
    }
    for part in ["# HELP ", base, " "] {
        out.push_str(part);
    }
    push_quoted(out, help);
    out.push('\n');
}
