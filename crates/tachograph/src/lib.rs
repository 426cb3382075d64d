//! Metrics for latency-sensitive event loops: recording without locks, allocations or system
//! calls.
#![deny(unsafe_code)]

mod aggregator;
mod block;
mod bucket;
mod builder;
mod cell;
mod clock;
mod collector;
mod core;
mod distribution;
mod driver;
mod entry;
mod error;
mod handle;
mod intake;
mod key;
mod kind;
mod lane;
mod limits;
mod local;
mod names;
mod reader;
mod recorder;
mod registry;
mod rows;
mod sample;
mod series;
mod series_table;
mod snapshot;
mod stats;
mod sync;
mod table;
mod tagged;
mod tags;
mod telemetry;
mod timer;
mod window;
mod writer;

pub use builder::Builder;
pub use clock::{Clock, MockClock};
pub use collector::MetricsCollector;
pub use core::ShutdownReport;
pub use error::{DropReason, Warning};
pub use handle::{Counter, Gauge, Histogram, Timing, UpDownCounter};
pub use kind::{Kind, Metric, Unit};
pub use recorder::Recorder;
pub use snapshot::{Series, Snapshot, Value, Views};
pub use stats::{Bucket, Buckets, CounterStats, GaugeStats, TimingStats};
pub use tagged::Tagged;
pub use tags::Tags;
pub use timer::{RecorderTimer, Timer, TimerGuard};
