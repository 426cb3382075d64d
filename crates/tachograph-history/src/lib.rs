//! The last minutes of a [`tachograph`] collector, as frames.
//!
//! A [`Frame`] holds what was recorded in one step (a second by default): the difference of two
//! snapshots. Page, terminal, recordings, reports and alerts all read the same frames, so they show
//! the same numbers.
//!
//! # Promises
//! * Pure: no clock, no threads; time comes with the snapshots. Only [`mod@file`] opens files.
//! * Frames merge exactly: counts, sums, minima, maxima and buckets of any number of them add up,
//!   so a percentile of an hour is that of its samples and a spike survives in coarser frames.
//! * Memory is bounded by bytes as well as by age ([`Settings`]), and [`History::oldest`] tells
//!   what is left.
//! * A recording is read back whole. A torn last line is told, not taken; hostile ones are refused
//!   with the number of the line.
//!
//! # Limits
//! Buckets are 9 % wide (eight in every power of two), so a quantile of merged frames is within 4.5
//! % of a recorded value; a frame carries the snapshot's own window quantiles beside, within 0.05
//! %.
//!
//! # Example
//! ```
//! use std::time::{Duration, Instant, SystemTime};
//! use tachograph::MetricsCollector;
//! use tachograph_history::{History, Settings};
//!
//! let metrics = MetricsCollector::builder().manual().build();
//! let mut history = History::new(Settings::default());
//! let (start, wall) = (Instant::now(), SystemTime::now());
//! for second in 0..10 {
//!     let now = Duration::from_secs(second);
//!     metrics.increment_by("events.processed", 100);
//!     metrics.run_pass(start + now, wall + now);
//!     history.record(&metrics.snapshot());
//! }
//! let all = history.merged(SystemTime::UNIX_EPOCH, wall + Duration::from_secs(60));
//! let number = history.number("events.processed").expect("it was counted");
//! assert_eq!(all.expect("ten frames").counter(number), Some(1_000));
//! ```
#![forbid(unsafe_code)]

mod buckets;
pub mod compare;
mod condensed;
mod definition;
pub mod doctor;
pub mod file;
mod frame;
mod history;
mod line;
mod standing;
mod text;

pub use self::buckets::{Buckets, PER_OCTAVE};
pub use self::condensed::{Condensed, Facts};
pub use self::definition::Definition;
pub use self::frame::{Frame, GaugeStep, Mark, Statistics, TimingStep, WindowQuantiles};
pub use self::history::{Depth, History, Settings, steps};
pub use self::line::{FORMAT, Line, Meta};
pub use self::standing::Standing;
pub use self::text::format;
