//! Exemplars: a traced sample behind the bucket that it lies in.

use std::fmt::Write;

use tachograph::Exemplar;

use super::number::{push_float, push_seconds};

/// The label of the trace's id.
pub(super) const TRACE_ID: &str = "trace_id";

/// The label of the span's id, where there is one.
pub(super) const SPAN_ID: &str = "span_id";

/// What OpenMetrics allows all labels of an exemplar together, names and values, in characters.
const CHARACTERS_MAX: usize = 128;

// Ids are 16 and 8 bytes, two digits each.
const _: () = assert!(TRACE_ID.len() + 32 + SPAN_ID.len() + 16 <= CHARACTERS_MAX);

/// Takes the exemplar if it lies within a bucket of this upper bound. Whoever asks in the order of
/// the bounds gives it to the bucket that its value falls in.
pub(super) fn within(exemplar: &mut Option<Exemplar>, upper_bound: f64) -> Option<Exemplar> {
    // 1,000 units of 1e-9 come out above 1e-6: what is beyond a bound by rounding alone is at it.
    let rounding = upper_bound.abs() * 4.0 * f64::EPSILON;
    let found = exemplar.take_if(|exemplar| exemplar.value <= upper_bound + rounding)?;
    Some(Exemplar { value: found.value.min(upper_bound), ..found })
}

/// Appends what stands behind a bucket's count in OpenMetrics.
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
