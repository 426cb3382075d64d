//! Snapshots of [`tachograph`] as bytes that other programs read.
//!
//! | format | for | by |
//! |---|---|---|
//! | JSON | programs that want every statistic of every series | [`json`] |
//! | Prometheus text 0.0.4, OpenMetrics 1.0, protobuf with native histograms | a Prometheus server, and all that read its formats | [`prometheus`] |
//! | OTLP metrics, protobuf and JSON | an OpenTelemetry Collector, and all that receive its protocol | [`otlp`] |
//!
//! # Promises
//! * No I/O, no clock, no threads, and no word to the collector: what is written follows from the
//!   snapshot alone; where OTLP is told as deltas, also from the one before it.
//! * Whatever was recorded, under whatever names and tags, the output is valid in its format.
//! * One snapshot gives the same bytes each time; keys, families and labels are sorted.
//! * Encoders append to a buffer of the caller's, which may be used again and again.
//!
//! # Costs
//! One pass over the series. What Prometheus reads is spelled once, names and labels, while no series
//! comes or goes and one [encoder](prometheus::Prometheus) is kept; a line then allocates nothing.
//! `cargo bench -p benches --bench exposition` measures each format.
//!
//! # Limits
//! What Prometheus reads holds lifetime statistics, of summaries the window's quantiles, and a gauge's current value only. Values are
//! 64-bit floats there: in the text formats integers above 2^53 are written exactly, but read back
//! rounded.
//!
//! # Example
//! ```
//! use std::time::Duration;
//! use tachograph::MetricsCollector;
//! use tachograph_export::{json, prometheus};
//!
//! let metrics = MetricsCollector::new();
//! metrics.timing("event.processing.duration", Duration::from_micros(5_200));
//! metrics.increment("events.processed");
//! let all_metrics = metrics.get_all_metrics();
//!
//! let json = json::to_value(&all_metrics, json::Options::default());
//! assert_eq!(json["metrics"]["timings"]["event.processing.duration"]["count"], 1);
//!
//! let mut text = String::new();
//! prometheus::encode(&all_metrics, &mut text);
//! assert!(text.contains("\nevents_processed_total 1\n"));
//! ```
#![forbid(unsafe_code)]

mod exponential;
pub mod json;
pub mod otlp;
pub mod prometheus;
mod series;
mod time;

pub use self::time::rfc3339;
