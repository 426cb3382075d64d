//! Traces that are numbers.

use crate::Trace;

pub(super) fn trace(number: u64) -> Trace {
    let id = u128::from(number) << 64 | u128::from(!number);
    Trace::new(id.to_be_bytes(), number.to_be_bytes()).expect("not all zero")
}

/// The number that a trace stands for: all of it, or it is none.
pub(super) fn number(of: Trace) -> u64 {
    let span = of.span_id().expect("every trace has a span");
    let number = u64::from_be_bytes(span.to_bytes());
    assert_eq!(of, trace(number), "a trace that was never given");
    number
}
