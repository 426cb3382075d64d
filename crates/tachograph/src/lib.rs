//! Metrics for latency-sensitive event loops.
//!
//! # Promises
//! - Recording never takes a lock, allocates, makes a system call or loops without a bound, after
//!   a thread's first use of a series. [`Gauge::add`] alone may repeat a compare-and-swap.
//! - No sample is lost quietly: `recorded = aggregated + dropped`, exactly, for every series.
//!   Overload first coalesces samples in place; only one with no such place is dropped, and counted.
//! - A read by `get_*` holds everything that was recorded before it. A snapshot is one pass over
//!   all recorders, immutable, and free to take.
//! - Memory is bounded, whatever the number of threads that come and go, the number of series
//!   asked for, or the length of an aggregator's stall.
//! - Counts, sums, minima, maxima and means are exact. Quantiles are within 0.05 % at 250,000 samples
//!   a second and thread, also from quiet; of samples that overload coalesces, within 3.2 %.
//!
//! # Costs
//! A counter is one load and one store on a word of the calling thread, a timing three stores.
//! A thread's lane takes under 128 KiB below 4,000 samples a drain, a timing 1 to 90 KiB by its spread. One background thread
//! aggregates, at 10 wake-ups a second while idle; [`Builder::manual`] does without it.
//!
//! # Limits
//! Samples carry no time: one belongs to the step of the window in which it is aggregated. Two
//! metrics of one thread may differ, in a snapshot, by what was recorded during the pass. More
//! than 4,096 threads at once, 20,000 series, 2,000 metrics, or 256 MiB of timings need larger
//! limits ([`Builder`]); what exceeds them is added up under `overflow=true` or counted as dropped.
//!
//! # Example
//! ```
//! use tachograph::MetricsCollector;
//! let metrics = MetricsCollector::new();
//! let processed = metrics.register_counter("events.processed");
//! processed.increment();
//! assert_eq!(metrics.get_counter("events.processed").map(|stats| stats.value), Some(1));
//! ```
//!
//! The [`guide`] shows everything; [`telemetry`] lists what a collector says about itself.
#![deny(unsafe_code)]
#![cfg_attr(tachograph_rtsan, feature(sanitize))]

mod aggregator;
#[cfg_attr(not(all(unix, not(tachograph_loom))), path = "no_background.rs")]
mod background;
mod batch;
mod block;
mod bucket;
mod builder;
mod cell;
mod clock;
mod collector;
mod core;
mod correction;
mod distribution;
mod driver;
mod entry;
mod error;
mod exported;
mod fault;
#[cfg_attr(not(all(unix, not(tachograph_loom))), path = "no_fork.rs")]
mod fork;
#[cfg(not(tachograph_loom))]
mod global;
pub mod guide;
mod handle;
mod idle;
mod intake;
mod key;
mod kind;
mod lane;
mod limits;
mod local;
#[cfg(tachograph_loom)]
mod model;
mod names;
mod operation;
mod overload;
mod own;
mod pace;
#[cfg(any(tachograph_loom, fuzzing))]
pub mod parts;
mod reader;
mod recorder;
mod registry;
mod sample;
mod seat;
mod series;
mod series_table;
#[cfg(test)]
mod simulation;
mod snapshot;
mod spill;
mod stats;
mod stop;
mod sync;
mod table;
mod tagged;
mod tags;
pub mod telemetry;
mod timer;
mod trace;
mod window;
mod writer;

pub use builder::Builder;
pub use clock::{Clock, MockClock};
pub use collector::MetricsCollector;
pub use core::ShutdownReport;
pub use error::{DropReason, Warning};
pub use exported::{ExportedNames, MetricNames};
#[cfg(not(tachograph_loom))]
pub use global::{
    AlreadySet, LazyCounter, LazyGauge, LazyHistogram, LazyTiming, LazyUpDownCounter, global,
    set_global,
};
pub use handle::{Counter, Gauge, Histogram, Timing, UpDownCounter};
pub use kind::{Kind, Metric, Unit};
pub use recorder::Recorder;
pub use snapshot::{Series, Snapshot, SnapshotReader, Value, Views};
pub use stats::{Bucket, Buckets, CounterStats, GaugeStats, TimingStats};
pub use tagged::Tagged;
pub use tags::Tags;
pub use timer::{NamedTimer, RecorderTimer, Timer, TimerGuard};
pub use trace::{Exemplar, InvalidTrace, SpanId, Trace, TraceId, Traced};
