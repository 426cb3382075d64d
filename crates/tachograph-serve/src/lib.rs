//! The metrics of a [`MetricsCollector`](tachograph::MetricsCollector) over HTTP/1.1.
//!
//! | path | is |
//! |---|---|
//! | `/metrics` | Prometheus text of the last published snapshot |
//! | `/metrics.json` | every statistic of every series, everything recorded before the request included |
//! | `/summary` | the high-level view, likewise |
//! | `/health` | 200 while snapshots are fresh or recording is off, 503 when they are stale |
//!
//! # Promises
//! * Recording never waits for a client. Snapshots are taken and rendered on blocking threads, at
//!   most four at once, so a busy endpoint does not stall the runtime that it runs on either.
//! * Scrapes at the same time share one rendering: the text of a snapshot is made once.
//! * Loopback only, unless told otherwise.
//! * Limits on everything: connections, the size of a request's head, the time to send it, the
//!   time to take an answer.
//!
//! # Limits
//! No TLS, no compression and no authentication yet: do not listen beyond loopback where others
//! may not read the metrics. An endpoint holds a clone of its collector, so the collector is shut
//! down by [`shutdown`](tachograph::MetricsCollector::shutdown), or after the endpoint is gone.
//! The age that `/health` tells is by the wall clock, as the snapshot's timestamp is.
//!
//! # Example
//! ```
//! use std::net::SocketAddr;
//! use tachograph::MetricsCollector;
//! use tachograph_serve::Endpoint;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), tachograph_serve::Error> {
//! let metrics = MetricsCollector::new();
//! let endpoint = Endpoint::new(metrics.clone()).listen(SocketAddr::from(([127, 0, 0, 1], 0)));
//! let server = endpoint.serve().await?;
//! println!("metrics at http://{}/metrics", server.addr());
//! metrics.increment("events.processed");
//! server.shutdown().await;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod connection;
mod endpoint;
mod error;
mod health;
mod pages;
mod routes;
mod server;
mod write_deadline;

pub use self::endpoint::Endpoint;
pub use self::error::Error;
pub use self::server::Server;
