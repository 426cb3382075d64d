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

mod arg;
mod builder;
mod cache;
mod dashboard;
pub mod deploy;
mod envelope;
mod error;
mod event;
mod event_loop;
mod event_timer;
mod event_type;
mod gaps;
mod journal;
mod loading;
mod losses;
mod message;
pub mod metrics;
pub mod mix;
mod neighbour;
mod open;
pub mod osc;
mod part;
#[doc(hidden)]
pub mod parts;
mod process;
mod queries;
mod query_pool;
mod query_routes;
mod quiet;
mod select;
mod sender;
pub mod sequence;
mod server;
mod service;
mod state;
mod throttle;
mod udp;
mod viewers;
mod watcher;

pub use self::arg::Arg;
pub use self::builder::Builder;
pub use self::cache::CacheStats;
pub use self::dashboard::Dashboard;
pub use self::error::Error;
pub use self::event::{BadArgument, Rejection};
pub use self::event_type::{EventType, Handler};
pub use self::loading::{LoadReport, read};
pub use self::queries::{FileInfo, WebSocketStatus};
pub use self::select::{NodeQuery, Operator, UnknownOperator};
pub use self::sender::{EventSender, encode_event, encode_message};
pub use self::server::{AstServer, Outcome};
pub use self::service::{Addresses, Service};
