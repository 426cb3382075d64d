//! Keeps the tree of an Ableton Live set: live events come in as OSC over UDP, changes go out to
//! viewers over WebSocket, and everything that happens is measured.
//!
//! # Promises
//! * A viewer is sent the whole tree when it connects, and from then on every change of it once,
//!   in order.
//! * One that does not read delays nobody: its queue is bounded, and the whole tree takes the
//!   place of what it had no room for.
//! * Whatever comes over the network is counted and survived; nothing of a malformed datagram is
//!   used.
//! * Every event is counted in exactly one class: `received = processed + ignored + unhandled +
//!   rejected + errors` whenever nothing is under way.
//!
//! # Limits
//! Messages to viewers are not compressed. The first is the whole tree, 2 MB on 50 tracks by 100
//! scenes: a client must allow messages of that size (`max_size` in Python's `websockets`). Across a
//! network, `GET /tree` has it as gzip.
//!
//! A structural event tells viewers of every node that it moves: half a megabyte of JSON on 50 tracks
//! by 100 scenes. Linux only. No sample carries a trace, as OSC has no place for one: exemplars are
//! only of what a program around the server records itself, with a trace, into the same collector.
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

// In the order in which an event travels: each uses those above it only. The program's commands are
// in `cli`.

// What can go wrong, in words.
mod error;
// Datagrams to messages.
pub mod osc;
// Messages to edits of the set.
mod events;
// What is measured: one table.
pub mod metrics;
// The server's health in a few fields.
mod summary;
// Log messages that come at most once a second.
mod quiet;
// The file of the set.
mod files;
// What viewers are sent.
mod viewers;
// The socket of the events, and their order.
mod udp;
// The set, and everything behind its lock.
mod server;
// What can be asked of it.
mod queries;
// Threads, tasks and sockets.
mod service;
// Events like those of a busy session.
mod demo;
// Files for Prometheus, Grafana and the Collector.
pub mod deploy;
// What the fuzz targets need.
#[doc(hidden)]
pub mod parts;

pub use self::demo::mix;
pub use self::error::Error;
pub use self::events::event_type::{EventType, Handler};
pub use self::events::request::{BadArgument, Rejection};
pub use self::files::read::read;
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
