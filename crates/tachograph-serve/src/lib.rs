//! Serves the metrics of a [`MetricsCollector`](tachograph::MetricsCollector) over HTTP/1.1, and
//! pushes them.
//!
//! | path | content |
//! |---|---|
//! | `/metrics` | the last published snapshot, in the Prometheus format that `Accept` asks for |
//! | `/metrics.json` | every statistic of every series, including everything recorded before the request; `?buckets=1` adds the distributions |
//! | `/summary` | the [program's own summary](Endpoint::summary), likewise; 404 without one |
//! | `/snapshot` | the last published snapshot, whole: reads back as a [`Snapshot`](tachograph::Snapshot) by serde |
//! | `/health` | 200 while snapshots are fresh or recording is off and the [program's own checks](Endpoint::check) pass, 503 otherwise |
//! | `/-/ready` | 200 once there is something to read |
//! | `/` | the page: charts of every series as it comes, alerts, doctor; `/?token=…` lets a browser in |
//! | `/live` | every second as it is recorded, after the last ten minutes: server-sent events |
//! | `/history` | the last minutes in steps of any length: `?from=-10m&to=-5m&step=30s` |
//! | `/doctor` | findings in the history, in plain words with their numbers |
//! | `/report` | the page with history, alerts and findings as one file, which opens without a server |
//! | `/alerts` | rules, their alerts, their last changes, and what sinks took of them |
//!
//! The last six exist on an endpoint that keeps a [history](Endpoint::history); `/alerts` also
//! needs rules. The lines of `/live` and `/history` are those of [`tachograph_history::Line`], like
//! those of a [recording](Endpoint::record). An event of `/live` is named after its line (`meta`,
//! `series`, `frame`), and a frame's `id` is its number: a client that reconnects with
//! `Last-Event-ID` continues after it. `lost` with `{"frames":n}` tells a client that it was too
//! slow for that many frames.
//!
//! [`Endpoint::serve`] runs on a tokio runtime, [`Endpoint::spawn`] on a separate thread,
//! [`Endpoint::router`] inside an application. [`Push`] sends OTLP to a receiver instead: totals or
//! deltas, in protobuf or JSON.
//!
//! The page, of a program in trouble:
//!
#![doc = include_str!("../doc/page.md")]
//!
//! # Promises
//! * Recording never waits for a client. Pages are written on two threads that start with the
//!   endpoint, so a busy endpoint does not stall the runtime it runs on either.
//! * Simultaneous scrapes share one rendering and one compression: each format and encoding of a
//!   snapshot is produced once.
//! * Loopback only by default, and only under known host names, so that no web page can read it
//!   through a browser ([`Endpoint::allow_host`]).
//! * Everything is limited: connections, the size of a request, the time to send it, to answer it
//!   and to read the answer, the payloads waiting to be pushed. If all places are taken, the
//!   connection that has been without a request for longest makes room. While a client still reads
//!   the body of an older snapshot, new ones are produced only once a second, so slow readers hold
//!   few of them.
//! * A frame is encoded once for all listeners. A listener that does not keep up loses whole frames
//!   and delays no one.
//! * `/health` waits for nothing, in particular not for the aggregator that it reports on.
//! * Scrapes and pushes are measured: `metrics.scrape.*` and `metrics.push.*`, listed below.
//!
//! # Limits
//! HTTP/1.1 only. An endpoint and a push hold a clone of their collector, so the collector is shut
//! down by [`shutdown`](tachograph::MetricsCollector::shutdown), or after they are gone. The age in
//! `/health` uses the wall clock, like the snapshot's timestamp. A push follows no redirects and
//! uses no proxy from the environment.
//!
//! # Features
//! `otlp` (on): pushing. `alerts` (off): rules over the history, and who is told. `tls` (off):
//! HTTPS for both, by rustls with ring; needs a C compiler, as nothing else does.
//!
//! # What is measured
//! | name | kind | unit | meaning |
//! |---|---|---|---|
//! | `metrics.scrape.requests[page=…,status=…]` | counter | – | requests, including refused ones |
//! | `metrics.scrape.duration[page=…]` | timing | seconds | from a request's head to its answer's |
//! | `metrics.scrape.size[format=…,encoding=…]` | histogram | bytes | bodies, as they are sent |
//! | `metrics.scrape.rendered[format=…,encoding=…]` | counter | – | bodies made, not shared |
//! | `metrics.scrape.evicted` | counter | – | connections closed to make room for new ones |
//! | `metrics.scrape.connections` | gauge | – | open connections |
//! | `metrics.live.listeners` | gauge | – | clients that read `/live` |
//! | `metrics.live.lost` | counter | frames | that they were too slow for |
//! | `metrics.live.frame.duration` | timing | seconds | making a frame and its line |
//! | `metrics.alerts.delivered[sink=…]` | counter | changes | that a sink took |
//! | `metrics.alerts.failed[sink=…]` | counter | – | attempts that failed |
//! | `metrics.alerts.dropped[sink=…]` | counter | changes | that a sink will never get |
//! | `metrics.push.attempts[outcome=…]` | counter | – | requests: `taken`, `later`, `refused`, `unanswered` |
//! | `metrics.push.duration` | timing | seconds | of a request, including connecting |
//! | `metrics.push.size` | histogram | bytes | payloads, as they are sent |
//! | `metrics.push.dropped[reason=…]` | counter | payloads | `queue_full`, `refused`, `shutdown`, `panicked` |
//! | `metrics.push.postponed` | counter | – | times at which deltas were left for the next payload, for want of room |
//! | `metrics.push.rejected` | counter | data points | left out of payloads that were taken |
//! | `metrics.push.queue` | gauge | payloads | that wait to be sent |
//!
//! The tag `page` is the path below the endpoint, `page` for the files of the page, `mounted` for
//! routes that the program has added, `other` for paths that are not served.
//!
//! # Example
//! ```
//! use std::net::SocketAddr;
//! use tachograph::MetricsCollector;
//! use tachograph_serve::Endpoint;
//!
//! # fn main() -> Result<(), tachograph_serve::Error> {
//! let metrics = MetricsCollector::new();
//! let endpoint = Endpoint::new(metrics.clone()).listen(SocketAddr::from(([127, 0, 0, 1], 0)));
//! let server = endpoint.spawn()?;
//! println!("metrics at http://{}/metrics", server.addr());
//! metrics.increment("events.processed");
//! server.shutdown();
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

#[cfg(feature = "alerts")]
mod alerts;
mod authority;
mod bounds;
mod error;
mod http;
mod live;
mod pages;
#[cfg(feature = "otlp")]
mod push;
mod quiet;
mod thread;

#[cfg(feature = "alerts")]
pub use self::alerts::builder::{Alerts, AlertsHandle};
#[cfg(feature = "alerts")]
pub use self::alerts::receiver::Receiver;
pub use self::error::Error;
pub use self::http::endpoint::Endpoint;
pub use self::http::server::{Server, listen};
pub use self::http::server_thread::ServerThread;
#[cfg(feature = "tls")]
pub use self::http::tls::Tls;
#[cfg(feature = "otlp")]
pub use self::push::builder::Push;
#[cfg(feature = "otlp")]
pub use self::push::pusher::{Pusher, PusherThread};
#[cfg(feature = "otlp")]
pub use self::push::report::PushReport;
