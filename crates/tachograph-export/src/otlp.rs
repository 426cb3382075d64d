//! OTLP metrics v1: an `ExportMetricsServiceRequest`, in protobuf or JSON.
//!
//! | kind | written as | temporality |
//! |---|---|---|
//! | counter | monotonic sum | as set |
//! | up-down counter | non-monotonic sum | always cumulative |
//! | gauge | gauge: the value set last | – |
//! | timing, histogram | exponential histogram with count, sum, min, max | as set |
//!
//! A point covers the series' lifetime, or its gain since the previous payload. Tags become
//! attributes; units are UCUM codes (`s`, `By`, `1`, `%`, or `{packets}` for a unit that UCUM does
//! not define). Names and tags are written unchanged, except empty names and keys, which
//! OpenTelemetry does not allow: they become `_`, or `__` and so on if that is taken. Names begin
//! with the collector's [prefix](tachograph::Builder::export_prefix) and a dot, if it has one; its
//! [constant labels](tachograph::Builder::export_label) are resource attributes, unless the
//! settings have one with the same key. A gauge that was never set has no point.
//!
//! # Temporality
//! [`Temporality::Cumulative`] reports totals since a fixed start, so the next payload makes up for
//! a lost one. [`Temporality::Delta`] reports the gain since the previous payload: an [`Encoder`]
//! keeps the last snapshot it was given and writes the [difference](tachograph::Snapshot::since).
//! Every sample is in exactly one of an encoder's payloads, so dropping a payload loses its
//! samples, and sending one twice counts them twice. Up-down counters stay cumulative because their
//! level is what matters; OpenTelemetry's own delta preference does the same.
//!
//! # Distributions
//! An exponential histogram has buckets of equal relative width, `2^(2^-scale)`. The scale is the
//! one set with [`Settings::scale`], or else the finest, up to 8, at which all samples fit into
//! [`Settings::max_buckets`]. Finer buckets (OpenTelemetry's SDKs start at scale 20) would claim
//! more precision than the snapshot has, and Prometheus does not support them.
//!
//! Counts and sums are exact. A sample is in its own bucket, or in the adjacent one if it lies
//! within 1/2,048 of the edge; samples coalesced under overload are placed within 3.2 %. `min` and
//! `max` are exact in cumulative points. In deltas they are exact if the delta changed the
//! lifetime's value; otherwise they are within 1/2,048 and never beyond the lifetime's. The
//! smallest `min` of all deltas is the lifetime's `min`.
//!
//! # Exemplars
//! The point of a timing or histogram recorded with traces carries the worst sample of its window
//! as exemplar, with trace and span id. A delta carries it only if the previous payload did not
//! carry the same one.
//!
//! # Values
//! A counter above 2^63 - 1 does not fit OTLP's integers and is written as a float, rounded to 53
//! bits. A monotonic counter that was decremented has a negative delta, so that its deltas still
//! add up to its value. Gauges may be infinite, which JSON writes as `"Infinity"`. Times before
//! 1970 become 0, and times after 2554 the greatest representable one. No point starts after it
//! ends, even if the wall clock was set back.

mod attributes;
mod encoder;
mod json;
mod metric;
mod request;
mod settings;
mod unit;

pub use self::encoder::Encoder;
pub use self::settings::{Encoding, Settings, Temporality};
pub use self::unit::code as unit_code;
