//! Exemplars: a traced sample, written after the bucket that contains it.

use std::fmt::Write;

use tachograph::Exemplar;

use super::number::{push_float, push_seconds};

/// The label of the trace id.
pub(super) const TRACE_ID: &str = "trace_id";

/// The label of the span id, if there is one.
pub(super) const SPAN_ID: &str = "span_id";

/// OpenMetrics' limit for all labels of an exemplar together, names and values, in characters.
const CHARACTERS_MAX: usize = 128;

// Ids are 16 and 8 bytes, two hex digits each.
const _: () = assert!(TRACE_ID.len() + 32 + SPAN_ID.len() + 16 <= CHARACTERS_MAX);

/// Takes the exemplar if it lies at or below this bound. Called in the order of the bounds, this
/// gives it to the bucket that contains its value.
pub(super) fn within(exemplar: &mut Option<Exemplar>, upper_bound: f64) -> Option<Exemplar> {
    // 1,000 units of 1e-9 come out above 1e-6: a value above a bound only by rounding counts as
    // equal.
    let rounding = upper_bound.abs() * 4.0 * f64::EPSILON;
    let found = exemplar.take_if(|exemplar| exemplar.value <= upper_bound + rounding)?;
    Some(Exemplar { value: found.value.min(upper_bound), ..found })
}

/// Appends an exemplar as OpenMetrics writes it after a bucket's count.
pub(super) fn push_exemplar(out: &mut String, exemplar: &Exemplar) {
    let trace = &exemplar.trace;
    // Infallible: memory accepts every write.
    let _ = write!(out, " # {{{TRACE_ID}=\"{}\"", trace.trace_id());
    if let Some(span_id) = trace.span_id() {
        let _ = write!(out, ",{SPAN_ID}=\"{span_id}\"");
    }
    out.push_str("} ");
    push_float(out, Some(exemplar.value));
    out.push(' ');
    push_seconds(out, exemplar.timestamp);
}
