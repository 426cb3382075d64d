//! A [layer](tracing_subscriber::Layer) for `tracing` that times spans and counts events in a
//! Tachograph collector.
//!
//! # Metrics
//! | name | kind | tags |
//! |---|---|---|
//! | [`BUSY`], `tracing.span.busy` | timing | `span`, `target`, chosen fields |
//! | [`IDLE`], `tracing.span.idle` | timing | the same |
//! | [`EVENTS`], `tracing.events` | counter | `level`, `target`, chosen fields |
//!
//! A span is busy while at least one thread is in it and idle otherwise: the two add up to its
//! life, from its creation until its last handle is dropped. Both are recorded then, once. An
//! event's `level` is `error`, `warn`, `info`, `debug` or `trace`.
//!
//! # Promises
//! - A span that moves between threads, is entered again while it is entered, by this or by another
//!   thread, or is closed on another thread, is timed as a whole.
//! - A span that a filter has disabled costs and records nothing. `follows_from` changes nothing.
//! - A span that is never closed is never recorded. Nor is one in whose life recording was off when
//!   it was created, first or last entered, or closed: what is recorded is complete.
//! - Cardinality is bounded by the collector's limits: fields with too many values are added up
//!   under `overflow=true`.
//!
//! # Costs
//! One entry in the span's extensions, which is one allocation, and a clock read at its creation,
//! its end, and each time it becomes busy or idle. No lock but the one that the registry has around
//! each span's extensions, which no other thread holds unless it is in the same span. At the end
//! two records by name, which allocate when a thread sees a tag set for the first time. Chosen
//! fields take no allocation while there are at most two of at most 24 bytes each.
//!
//! # Exemplars
//! The ids that a registry gives to spans are used again, and no tracing system knows them, so they
//! are never exported. With [`TachographLayer::with_trace`] a span's timings carry the trace that
//! the thread is in when the span is first entered, such as OpenTelemetry's.
//!
//! # Limits
//! - One registry times spans for the first such layer only. Further ones count events.
//! - Fields of a span belong to it alone: neither its events nor its children inherit them.
//!
//! # Example
//! ```
//! use tachograph::MetricsCollector;
//! use tachograph_tracing::{BUSY, EVENTS, TachographLayer};
//! use tracing_subscriber::layer::SubscriberExt;
//!
//! let collector = MetricsCollector::new();
//! let layer = TachographLayer::new(collector.clone()).with_field("route");
//! let subscriber = tracing_subscriber::registry().with(layer);
//! tracing::subscriber::with_default(subscriber, || {
//!     let _request = tracing::info_span!(target: "web", "request", route = "/users").entered();
//!     tracing::warn!(target: "web", "slow");
//! });
//!
//! let tags = [("span", "request"), ("target", "web"), ("route", "/users")];
//! assert_eq!(collector.with_tags(&tags).get_timing(BUSY).map(|stats| stats.count), Some(1));
//! let tags = [("level", "warn"), ("target", "web")];
//! assert_eq!(collector.with_tags(&tags).get_counter(EVENTS).map(|stats| stats.value), Some(1));
//! ```
#![forbid(unsafe_code)]

mod layer;
mod life;
mod values;

pub use layer::{BUSY, EVENTS, IDLE, TachographLayer};
