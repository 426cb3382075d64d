//! The metrics of a [`MetricsCollector`](tachograph::MetricsCollector) over HTTP/1.1: scraped,
//! read, pushed.
//!
//! | path | is |
//! |---|---|
//! | `/metrics` | the last published snapshot, in the Prometheus format that `Accept` asks for |
//! | `/metrics.json` | every statistic of every series, everything recorded before the request included; `?buckets=1` adds the distributions |
//! | `/summary` | the [program's own summary](Endpoint::summary), likewise; 404 without one |
//! | `/snapshot` | the last published snapshot, whole: reads back as a [`Snapshot`](tachograph::Snapshot) by serde |
//! | `/health` | 200 while snapshots are fresh or recording is off and the [program's own checks](Endpoint::check) pass, 503 otherwise |
//! | `/-/ready` | 200 once there is something to see |
//! | `/` | the page: charts of every series as it comes, alerts, doctor; `/?token=…` lets a browser in |
//! | `/live` | every second as it is recorded, after the last ten minutes: server-sent events |
//! | `/history` | the last minutes in steps of any length: `?from=-10m&to=-5m&step=30s` |
//! | `/doctor` | findings in the history, in plain words with their numbers |
//! | `/alerts` | rules, their alerts, their last changes, and what sinks took of them |
//!
//! The last four are those of an endpoint that keeps a [history](Endpoint::history); their lines are
//! those of [`tachograph_history::Line`], which a [recording](Endpoint::record) has too. An event of
//! `/live` is called as its line is (`meta`, `series`, `frame`), and a frame has its number as `id`:
//! a client that comes back with `Last-Event-ID` goes on after it. `lost` with `{"frames":n}` tells
//! a client that it was too slow for so many.
//!
//! [`Endpoint::serve`] runs on a tokio runtime, [`Endpoint::spawn`] on a thread of its own,
//! [`Endpoint::router`] inside an application. [`Push`] sends OTLP to a receiver
//! instead: totals or deltas, in protobuf or JSON.
//!
//! # Promises
//! * Recording never waits for a client. Pages are written on two threads that start with the
//!   endpoint, so a busy endpoint does not stall the runtime that it runs on either.
//! * Scrapes at the same time share one rendering and one compression: each format and encoding of
//!   a snapshot is made once.
//! * Loopback only, unless told otherwise, and only under known host names, so that no web page
//!   reads it through a browser ([`Endpoint::allow_host`]).
//! * Limits on everything: connections, the size of a request, the time to send it, to answer it and
//!   to read the answer, the payloads that wait to be pushed. Where all places are taken, whoever
//!   has been without a request for longest gives way. While somebody reads a body of an older
//!   snapshot, a new one is made once a second, so slow readers hold few of them.
//! * A frame is encoded once for all who listen, and one who does not keep up loses whole frames and
//!   holds up nobody.
//! * `/health` waits for nobody, least of all for the aggregator that it tells about.
//! * What is scraped and pushed is measured: `metrics.scrape.*` and `metrics.push.*`, listed below.
//!
//! # Limits
//! HTTP/1.1 only. An endpoint and a push hold a clone of their collector, so the collector is shut
//! down by [`shutdown`](tachograph::MetricsCollector::shutdown), or after they are gone. The age
//! that `/health` tells is by the wall clock, as the snapshot's timestamp is. A push follows no
//! redirects and uses no proxy from the environment.
//!
//! # Features
//! `otlp` (on): pushing. `alerts` (off): rules over the history, and who is told. `tls` (off): HTTPS for both, by rustls with ring; needs a C compiler, as
//! nothing else does.
//!
//! # What is measured
//! | name | kind | unit | is |
//! |---|---|---|---|
//! | `metrics.scrape.requests[page=…,status=…]` | counter | – | requests, refused ones included |
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
//! | `metrics.push.duration` | timing | seconds | of a request, connecting included |
//! | `metrics.push.size` | histogram | bytes | payloads, as they are sent |
//! | `metrics.push.dropped[reason=…]` | counter | payloads | `queue_full`, `refused`, `shutdown`, `panicked` |
//! | `metrics.push.postponed` | counter | – | times at which deltas were left for the next payload, for want of room |
//! | `metrics.push.rejected` | counter | data points | left out of payloads that were taken |
//! | `metrics.push.queue` | gauge | payloads | that wait to be sent |
//!
//! `page` is the path below the endpoint, `page` for the files of the page, `mounted` for routes that the program has added, `other`
//! for what is not served.
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

mod authority;
mod bounds;
mod error;
mod http;
mod live;
mod pages;
#[cfg(feature = "otlp")]
mod push;
mod quiet;
#[cfg(feature = "alerts")]
mod sinks;
mod thread;

pub use self::error::Error;
pub use self::http::endpoint::Endpoint;
pub use self::http::server::Server;
pub use self::http::server_thread::ServerThread;
#[cfg(feature = "tls")]
pub use self::http::tls::Tls;
#[cfg(feature = "otlp")]
pub use self::push::pusher::{Pusher, PusherThread};
#[cfg(feature = "otlp")]
pub use self::push::pushes::PushReport;
#[cfg(feature = "otlp")]
pub use self::push::settings::Push;
#[cfg(feature = "alerts")]
pub use self::sinks::alerts::{Alerts, AlertsHandle};
#[cfg(feature = "alerts")]
pub use self::sinks::receiver::Receiver;
