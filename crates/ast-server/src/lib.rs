//! Keeps the tree of an Ableton Live set: live events come in as OSC over UDP, changes go out to
//! viewers over WebSocket, and everything that happens is measured.
//!
//! # Promises
//! * A viewer is sent the whole tree when it connects, and from then on every change once and in
//!   order.
//! * A viewer that does not read delays no one: its queue is bounded, and the whole tree replaces
//!   the messages that did not fit.
//! * Everything that arrives over the network is counted and survived; nothing in a malformed
//!   datagram is used.
//! * Every event is counted in exactly one class: `received = processed + ignored + unhandled +
//!   rejected + errors` whenever no event is in progress.
//!
//! # Limits
//! Messages to viewers are not compressed. The first one is the whole tree, 2 MB for 50 tracks by
//! 100 scenes: a client must allow messages of that size (`max_size` in Python's `websockets`). For
//! slow networks, `GET /tree` returns it gzipped.
//!
//! A structural event sends viewers every node that it moves: half a megabyte of JSON for 50 tracks
//! by 100 scenes. Linux only. No sample carries a trace, because OSC has no place for one: there
//! are only exemplars of what an embedding program records itself, with a trace, into the same
//! collector.
//!
//! # Example
//! ```
//! use ast_server::{Addresses, Arg, AstServer, EventSender, Service};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let server = AstServer::new();
//! let service = Service::start(&server, Addresses::free()).await?;
//!
//! let mut live = EventSender::connect(service.addresses().udp)?;
//! live.send("/live/track/mute", &[Arg::from(0), Arg::from(true)])?;
//! while server.get_metrics_summary().event_processing.ignored == 0 {
//!     tokio::task::yield_now().await; // no set is loaded: the event is ignored
//! }
//! service.stop().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

// In the order in which an event travels: each module only uses those above it. The program's
// commands are in `cli`.

// Error messages.
mod error;
// Decodes datagrams into messages.
pub mod osc;
// Decodes messages into edits of the set.
mod events;
// The table of all metrics.
pub mod metrics;
// The server's health in a few fields.
mod summary;
// Log messages limited to one per second.
mod quiet;
// The file of the set.
mod files;
// Messages to viewers.
mod viewers;
// The socket for events, and their order.
mod udp;
// The set, and everything behind its lock.
mod server;
// Queries.
mod queries;
// Threads, tasks and sockets.
mod service;
// Events like those of a busy session.
mod demo;
// The rules of alerts.
pub mod alerts;
// Files for Prometheus, Grafana and the Collector.
pub mod deploy;
// Exports for the fuzz targets.
#[doc(hidden)]
pub mod parts;

pub use self::demo::mix;
pub use self::demo::trouble::Trouble;
pub use self::error::Error;
pub use self::events::event_type::{EventType, Handler};
pub use self::events::request::{BadArgument, Rejection};
pub use self::files::read::{read, read_text};
pub use self::osc::arg::Arg;
pub use self::osc::sender::{EventSender, encode_event, encode_message};
pub use self::queries::answers::{FileInfo, WebSocketStatus};
pub use self::queries::select::{NodeQuery, Operator, UnknownOperator};
pub use self::server::ast_server::{AstServer, Outcome};
pub use self::server::builder::Builder;
pub use self::server::cache::CacheStats;
pub use self::server::dashboard::Dashboard;
pub use self::server::loading::LoadReport;
pub use self::service::lifecycle::{Addresses, Service};
pub use self::summary::exporter::MetricsExporter;
pub use self::summary::{Cache, EventProcessing, LatencyMs, Summary, UdpListener, WebSocket};
pub use self::udp::sequence;
