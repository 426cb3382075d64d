//! A recorder for the [`metrics`] facade that records into a Tachograph collector.
//!
//! A program whose libraries use `counter!`, `gauge!` and `histogram!` gets their numbers into its
//! [`MetricsCollector`](tachograph::MetricsCollector), beside its own.
//!
//! # Promises
//! - Every number arrives once: a counter is exact, a gauge's current value is the last one set,
//!   and a histogram's count, minimum, maximum and sum are exact but for the rounding to its scale.
//! - Memory does not depend on how much is recorded, nor on whether anybody scrapes.
//! - Values that a histogram cannot hold are counted, never silently changed or dropped: see
//!   [`UNFIT`].
//!
//! # Costs
//! A handle that the program keeps costs what the collector's own handle costs plus one virtual
//! call. A macro that is called each time looks its key up in a cache of the calling thread and
//! clones that thread's handle: no lock, no allocation after a thread's first use of a key, except
//! what the macro itself allocates for labels that are not literals.
//!
//! # Limits
//! - A name has one kind. The facade lets `counter!("x")` and `gauge!("x")` live side by side; here
//!   the kind that comes first wins, and records of the other are counted in
//!   `telemetry.kind_conflicts` and dropped.
//! - Labels are tags: an unordered set, the last of two equal keys wins, an empty value is no tag.
//!   The collector's limits on series hold.
//! - `increment` and `absolute` of one counter add up: `absolute` follows the highest total that it
//!   was told, whatever else was counted. Use one of the two.
//! - A histogram's values are rounded to multiples of its scale; see
//!   [`TachographRecorder::with_scale`].
//! - Targets and levels of the macros are ignored.
//! - Describe through the facade what is recorded through it: a description by
//!   [`MetricsCollector::describe`](tachograph::MetricsCollector::describe) resets a histogram's
//!   scale.
//! - Not for use inside a global allocator: the facade's registration allocates.
//!
//! # Example
//! ```
//! use tachograph::MetricsCollector;
//! use tachograph_metrics::TachographRecorder;
//!
//! let collector = MetricsCollector::new();
//! TachographRecorder::new(collector.clone()).install()?;
//!
//! metrics::counter!("requests", "route" => "/").increment(1);
//!
//! let requests = collector.with_tags(&[("route", "/")]).get_counter("requests");
//! assert_eq!(requests.map(|stats| stats.value), Some(1));
//! # Ok::<(), metrics::SetRecorderError<Box<TachographRecorder>>>(())
//! ```
#![forbid(unsafe_code)]

mod handles;
mod known;
mod recorder;
mod scale;

pub use handles::UNFIT;
pub use recorder::TachographRecorder;

/// The guide's programs are this crate's doctests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/porting/metrics.md")]
struct Guide;
