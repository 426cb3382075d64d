//! Encoders that turn [`tachograph`] snapshots into the formats other programs read.
//!
//! | format | for | module or type |
//! |---|---|---|
//! | JSON | programs that want every statistic of every series | [`json`] |
//! | Prometheus text 0.0.4, OpenMetrics 1.0, protobuf with native histograms | a Prometheus server, and anything else that reads its formats | [`prometheus`] |
//! | OTLP metrics, protobuf and JSON | an OpenTelemetry Collector, and anything else that receives OTLP | `otlp`, with the feature of that name |
//!
//! # Promises
//! * No I/O, no clock, no threads, no calls into the collector: the output depends only on the
//!   snapshot, and for OTLP deltas also on the previous snapshot.
//! * The output is valid in its format, whatever names, tags and values were recorded.
//! * The same snapshot always gives the same bytes; keys, families and labels are sorted.
//! * Encoders append to a buffer that you provide and can reuse.
//!
//! # Costs
//! One pass over the series. If you keep one [Prometheus encoder](prometheus::Prometheus), it
//! caches the text of names and labels until a series comes or goes, and writing a line allocates
//! nothing. `cargo bench -p benches --bench exposition` measures each format.
//!
//! # Limits
//! The Prometheus formats carry lifetime statistics, the window's quantiles for summaries, and only
//! the current value of a gauge. Prometheus stores values as 64-bit floats: the text formats write
//! integers above 2^53 exactly, but a reader rounds them.
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
#[cfg(feature = "otlp")]
pub mod otlp;
pub mod prometheus;
mod series;
mod time;

pub use self::time::rfc3339;
