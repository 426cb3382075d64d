//! OTLP metrics v1: an `ExportMetricsServiceRequest`, in protobuf or JSON.
//!
//! | kind | is written as | temporality |
//! |---|---|---|
//! | counter | monotonic sum | as set |
//! | up-down counter | sum that is not monotonic | always cumulative |
//! | gauge | gauge: the value set last | – |
//! | timing, histogram | exponential histogram with count, sum, min, max | as set |
//!
//! All of a series' lifetime, or its gain since the payload before. Tags are attributes; units are
//! those of UCUM (`s`, `By`, `1`, `%`; `{packets}` for what it does not know). Names and tags are
//! written as they are, but for empty ones, which OpenTelemetry does not allow: they become `_`, and
//! `__` and so on while that is taken. A gauge that was never set has no point.
//!
//! # Temporality
//! [`Temporality::Cumulative`] tells totals since a fixed start, so that what is lost on the way is
//! made up for by the next payload. [`Temporality::Delta`] tells what came since the payload
//! before: an [`Encoder`] keeps the snapshot that it was given last and writes the
//! [difference](tachograph::Snapshot::since). Every sample is in exactly one payload of the encoder, so whoever
//! drops a payload loses what is in it, and whoever sends one twice counts it twice.
//! Up-down counters stay cumulative, as OpenTelemetry's own preference for deltas has them: what
//! they are about is their level.
//!
//! # Distributions
//! An exponential histogram has buckets of equal relative width, `2^(2^-scale)`. Its scale is the
//! finest at which all samples fit into [`Settings::max_buckets`], at most 8, or the one set by
//! [`Settings::scale`]. Finer buckets (OpenTelemetry's own libraries begin with 20) would claim to
//! know more than the snapshot does, and Prometheus has none.
//!
//! Counts and sums are exact. A sample is in its bucket, or in the one beside it if it lies within
//! 1/2,048 of the edge; samples that were coalesced under overload are placed within 3.2 %.
//! `min` and `max` are exact in cumulative points. In deltas they are exact where the gain has
//! moved the lifetime's, and within 1/2,048 otherwise, never beyond the lifetime's: the least `min`
//! of all deltas is the lifetime's.
//!
//! # Exemplars
//! A timing or histogram that was recorded with traces has the worst sample of its window as its
//! point's exemplar, with the ids of trace and span; a delta only where the payload before has not
//! told the same one.
//!
//! # Values
//! A counter beyond 2^63 - 1, which OTLP's integers cannot hold, is written as a float, rounded to
//! 53 bits. A monotonic counter that was decremented has a negative delta, so that deltas add up to
//! its value. Gauges may be infinite: protobuf has that, and JSON says `"Infinity"`. Times before
//! 1970 are 0, those after 2554 the greatest there is; no point starts after it ends, whatever the
//! wall clock did.

mod attributes;
mod borrowed;
mod encoder;
mod fits;
mod json;
mod message;
mod metric;
mod point;
mod request;
mod settings;
mod unit;

pub use self::encoder::Encoder;
pub use self::settings::{Encoding, Settings, Temporality};
