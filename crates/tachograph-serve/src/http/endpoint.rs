//! The settings of an endpoint: what is served, where, and within which limits.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde::Serialize;
use tachograph::{MetricsCollector, Snapshot};
use tachograph_export::prometheus::Prometheus;
use tokio::sync::watch;

#[cfg(feature = "alerts")]
use crate::alerts::builder::Alerts;
#[cfg(feature = "alerts")]
use crate::alerts::runtime;
use crate::authority;
use crate::bounds::bounded;
use crate::error::Error;
use crate::http::access::{Access, Hosts, Refusal};
use crate::http::connection::Protocol;
use crate::http::health::Checks;
use crate::http::routes::{self, Site};
use crate::http::server::{self, Server};
use crate::http::server_thread::ServerThread;
use crate::http::session;
#[cfg(feature = "tls")]
use crate::http::tls::Tls;
use crate::http::token::Token;
use crate::live::recording;
use crate::live::site::{Live, Plan, Program};
use crate::pages::bodies::Pages;
use crate::pages::scrapes::Scrapes;
use crate::pages::summary::Summary;
use crate::thread;

/// The default port: the usual one for Prometheus exporters in applications.
const PORT: u16 = 9464;

/// Serves the metrics of one collector.
#[derive(Clone, Debug)]
pub struct Endpoint {
    metrics: MetricsCollector,
    pub(crate) access: Access,
    stale_after: Duration,
    checks: Checks,
    limits: Limits,
    prometheus: Prometheus,
    history: Option<Plan>,
    program: Program,
    summary: Option<Summary>,
    #[cfg(feature = "alerts")]
    alerts: Option<Alerts>,
    paths: Vec<&'static str>,
    mounted: Router,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<Tls>,
}

/// The bounds of a server and its connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) connections: usize,
    pub(crate) header: Duration,
    pub(crate) keep_alive: Duration,
    pub(crate) request: Duration,
    pub(crate) answer: Duration,
    pub(crate) drain: Duration,
}

/// With a shorter time no client could be served.
const LEAST: Duration = Duration::from_secs(1);

impl Endpoint {
    /// The paths of its own pages, each with a description.
    pub const PAGES: &[(&str, &str)] = routes::PAGES;

    /// The paths of the additional pages of an endpoint with a [history](Self::history).
    pub const HISTORY_PAGES: &[(&str, &str)] = routes::HISTORY_PAGES;

    /// An endpoint with the default settings.
    pub fn new(metrics: MetricsCollector) -> Self {
        let bound = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
        Self {
            metrics,
            access: Access { hosts: Hosts { bound, names: Vec::new(), any: false }, token: None },
            stale_after: Duration::from_secs(5),
            checks: Checks::default(),
            limits: Limits {
                connections: 256,
                header: Duration::from_secs(10),
                keep_alive: Duration::from_secs(90),
                request: Duration::from_secs(30),
                answer: Duration::from_secs(10),
                drain: Duration::from_secs(5),
            },
            prometheus: Prometheus::new(),
            history: None,
            summary: None,
            program: Program::default(),
            #[cfg(feature = "alerts")]
            alerts: None,
            paths: Self::all_pages().collect(),
            mounted: Router::new(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// The address to listen on; `127.0.0.1:9464` by default. Port 0 picks any free one.
    pub fn listen(mut self, addr: SocketAddr) -> Self {
        self.access.hosts.bound = addr;
        self
    }

    /// Also answers requests for this host: a name or an address, without a port.
    ///
    /// Other hosts are refused, so that no web page can read the metrics through a name of its own
    /// that it resolves to this machine. `localhost`, the loopback addresses and the listening
    /// address are known from the start; all addresses are if that one is unspecified (`0.0.0.0`,
    /// `[::]`). A request from a page is refused unless the page's own host is on this list or is
    /// the host that it requests.
    ///
    /// # Errors
    /// If it is neither a name nor an address.
    pub fn allow_host(mut self, host: impl AsRef<str>) -> Result<Self, Error> {
        let host = host.as_ref();
        let name = authority::host(host).ok_or_else(|| Error::host(host))?;
        self.access.hosts.names.push(name);
        Ok(self)
    }

    /// Answers requests for any host and from any page: for use behind something that checks them.
    pub fn allow_any_host(mut self) -> Self {
        self.access.hosts.any = true;
        self
    }

    /// Only answers clients that send this token: `Authorization: Bearer TOKEN`. Applies to every
    /// page, including `/health` and `/-/ready`.
    ///
    /// Without TLS, anyone on the network path can read it.
    ///
    /// # Errors
    /// If it is empty, or has anything other than visible ASCII, which no client could send.
    pub fn bearer_token(mut self, token: impl Into<String>) -> Result<Self, Error> {
        self.access.token = Some(Token::new(token.into())?);
        Ok(self)
    }

    /// Speaks only HTTPS.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// How late the next snapshot may be before `/health` answers 503; 5 s by default. It is due
    /// one publish interval of the collector after the last.
    pub fn stale_after(mut self, age: Duration) -> Self {
        self.stale_after = age;
        self
    }

    /// Adds a check of the program's own to `/health`: while it fails, the answer is 503, and its
    /// body has the reason under `failing` and this name. A check that panics fails.
    ///
    /// It runs for every request of `/health`, on the endpoint's runtime: it should read a flag or
    /// a time, and must never wait.
    ///
    /// ```
    /// use std::sync::{Arc, RwLock};
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use tachograph::MetricsCollector;
    /// use tachograph_serve::Endpoint;
    ///
    /// let has_ended = Arc::new(AtomicBool::new(false));
    /// let seen = Arc::clone(&has_ended);
    /// let endpoint = Endpoint::new(MetricsCollector::new()).check("event loop", move || {
    ///     match seen.load(Ordering::Acquire) {
    ///         true => Err("the thread has ended".to_owned()),
    ///         false => Ok(()),
    ///     }
    /// });
    /// ```
    pub fn check(
        mut self,
        name: impl Into<String>,
        check: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.checks.add(name.into(), Arc::new(check));
        self
    }

    /// The maximum number of connections served at a time: at least 1, at most half of the
    /// descriptors that the process may open; 256 by default. For any further connection, the one
    /// that has been without a request for longest is closed, after any answer in progress.
    pub fn connections_max(mut self, connections: usize) -> Self {
        self.limits.connections = connections;
        self
    }

    /// How long a connection may take to send the head of its first request, and before that for
    /// the TLS handshake; at least 1 s, 10 s by default.
    pub fn header_timeout(mut self, timeout: Duration) -> Self {
        self.limits.header = bounded(timeout, LEAST);
        self
    }

    /// How long a connection is kept open for its next request; at least 1 s, 90 s by default. That
    /// is longer than the pause between two scrapes, so a scraper keeps its connection.
    pub fn keep_alive(mut self, timeout: Duration) -> Self {
        self.limits.keep_alive = bounded(timeout, LEAST);
        self
    }

    /// How long the head of an answer may take, including one of a [mounted](Self::mount) route;
    /// after that the answer is 503. At least 1 s, 30 s by default. The time for the body does not
    /// count.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.limits.request = bounded(timeout, LEAST);
        self
    }

    /// How long a client may read nothing of its answer; at least 1 s, 10 s by default. It may take
    /// three times that for all of an answer of the endpoint's own.
    pub fn answer_timeout(mut self, timeout: Duration) -> Self {
        self.limits.answer = bounded(timeout, LEAST);
        self
    }

    /// The form of timings and histograms on `/metrics`, and the encoder's other options. By
    /// default summaries as text, and native histograms as protobuf, which a Prometheus server
    /// requests once it supports them (`--enable-feature=native-histograms`).
    ///
    /// ```
    /// use tachograph::MetricsCollector;
    /// use tachograph_export::prometheus::{Bounds, Form, Prometheus, Schema};
    /// use tachograph_serve::Endpoint;
    ///
    /// // Classic buckets for all servers, native ones for those that support them.
    /// let both = Form::NativeAndClassic(Schema::default(), Bounds::default());
    /// let endpoint = Endpoint::new(MetricsCollector::new()).prometheus(Prometheus::new().timings(both));
    /// ```
    pub fn prometheus(mut self, encoder: Prometheus) -> Self {
        self.prometheus = encoder;
        self
    }

    /// Answers `/summary` with the JSON of this function's result for a snapshot: the few numbers
    /// that show how the program is doing. Without one, `/summary` answers 404.
    ///
    /// It runs on a dedicated thread, once for all requests that arrive meanwhile. If it panics, or
    /// its result cannot be written as JSON (a map with keys that are not strings, say), the answer
    /// is 500.
    ///
    /// ```
    /// use serde::Serialize;
    /// use tachograph::{MetricsCollector, Value};
    /// use tachograph_serve::Endpoint;
    ///
    /// #[derive(Serialize)]
    /// struct Shop {
    ///     snapshot_version: u64,
    ///     orders: i128,
    /// }
    ///
    /// let endpoint = Endpoint::new(MetricsCollector::new()).summary(|snapshot| Shop {
    ///     snapshot_version: snapshot.version(),
    ///     orders: snapshot
    ///         .total("orders.taken")
    ///         .and_then(|orders| orders.as_counter().map(|views| views.lifetime.value))
    ///         .unwrap_or(0),
    /// });
    /// ```
    pub fn summary<T: Serialize>(
        mut self,
        summary: impl Fn(&Snapshot) -> T + Send + Sync + 'static,
    ) -> Self {
        self.summary = Some(Summary::new(summary));
        self
    }

    /// How long a shutdown waits for answers in progress; 0 means not at all, 5 s by default.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.limits.drain = bounded(timeout, Duration::ZERO);
        self
    }

    /// The pages that it serves with its present settings, each with a description: for programs
    /// that list what they serve.
    pub fn served(&self) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
        let is_served = |path| match path {
            "/summary" => self.summary.is_some(),
            routes::ALERTS => self.has_alerts(),
            path => self.history.is_some() || Self::PAGES.iter().any(|(known, _)| *known == path),
        };
        let known = Self::PAGES.iter().chain(Self::HISTORY_PAGES).copied();
        known.filter(move |(path, _)| self.paths.contains(path) && is_served(path))
    }

    fn all_pages() -> impl Iterator<Item = &'static str> {
        Self::PAGES.iter().chain(Self::HISTORY_PAGES).map(|(path, _)| *path)
    }

    /// Keeps the last minutes and serves them: [the page, `/live`, `/history`, `/doctor`,
    /// `/report`](Self::HISTORY_PAGES). Off by default.
    ///
    /// Costs two threads, the configured bytes for frames (16 MiB by default) and about the same
    /// for their lines, and per step one pass over what changed: a few milliseconds of background
    /// time for 1,000 series that all changed. Each client of `/live` costs a connection, plus 16
    /// KiB in addition to its socket. Up to 1,024 may listen at a time, in addition to the other
    /// connections, limited by the remaining descriptors in half of those that the process may
    /// open. A client that does not keep up loses whole frames and is told how many; one that reads
    /// nothing for the [answer timeout](Self::answer_timeout) is closed.
    pub fn history(mut self, settings: tachograph_history::Settings) -> Self {
        self.history.get_or_insert_default().settings = settings;
        self
    }

    /// Also writes every frame to this file, one JSON object per line, gzipped if its name ends in
    /// `.gz`: a [recording](tachograph_history::file). Turns the [history](Self::history) on.
    ///
    /// The file is created when the endpoint starts, locked against a second recorder, and written
    /// on a separate thread. If it is emptied meanwhile, as when logs are rotated by copying, the
    /// recording goes on from its start. If it can no longer be written or is gone, the recording
    /// ends until the program is restarted, and everything else continues: the log says why, and
    /// so do `/doctor` and, without another status, `/health`.
    ///
    /// # Errors
    /// If there is something that is no recording: only an older one is overwritten.
    pub fn record(mut self, file: impl Into<PathBuf>) -> Result<Self, Error> {
        let file = file.into();
        recording::check_what_is_there(&file).map_err(|reason| Error::recording(&file, reason))?;
        self.history.get_or_insert_default().file = Some(file);
        Ok(self)
    }

    /// Evaluates rules with every frame, tells sinks about changes, and shows the state of all
    /// alerts as `/alerts`. Turns the [history](Self::history) on.
    #[cfg(feature = "alerts")]
    pub fn alerts(mut self, alerts: Alerts) -> Self {
        self.history.get_or_insert_default();
        self.alerts = Some(alerts);
        self
    }

    /// The program's name and version in streams and recordings.
    pub fn program(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.program = Program { name: name.into(), version: version.into() };
        self
    }

    /// Only serves these of its [pages](Self::PAGES), for example for programs with a `/health` of
    /// their own. All by default. The history's pages are served if there is one.
    ///
    /// # Errors
    /// If there is no such page.
    ///
    /// ```
    /// use tachograph::MetricsCollector;
    /// use tachograph_serve::Endpoint;
    ///
    /// # fn main() -> Result<(), tachograph_serve::Error> {
    /// let endpoint = Endpoint::new(MetricsCollector::new()).pages(["/metrics", "/-/ready"])?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn pages<'a>(mut self, paths: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        self.paths.clear();
        for path in paths {
            let known = Self::all_pages().find(|known| *known == path);
            let known = known.ok_or_else(|| Error::page(path))?;
            if !self.paths.contains(&known) {
                self.paths.push(known);
            }
        }
        Ok(self)
    }

    /// Also serves these routes, beside the endpoint's own and under the same rules for access and
    /// time limits. Their requests are counted under the page `mounted`.
    ///
    /// For an endpoint with a server of its own: [`router`](Self::router) only has the endpoint's
    /// routes.
    ///
    /// A route with the path of one of the endpoint's own [pages](Self::pages) is refused when the
    /// endpoint starts to serve.
    pub fn mount(mut self, routes: Router) -> Self {
        self.mounted = self.mounted.merge(routes);
        self
    }

    /// The answer to a request that is refused here for its `Host`, its `Origin` or its token, if
    /// it is: for servers of another kind that let in whom the endpoint lets in. In place of the
    /// token, the cookie of a browser will do that has opened the page with it: ask for requests
    /// that only read.
    #[must_use]
    pub fn refusal(&self, target: &Uri, headers: &HeaderMap) -> Option<Response> {
        let refusal = self.access.check(target, headers).err()?;
        let token = self.access.token.as_ref().filter(|_| refusal == Refusal::Token);
        let is_in = token.is_some_and(|token| session::is_in(token, headers));
        (!is_in).then(|| routes::refuse(&refusal))
    }

    /// The routes, to merge into a router or to nest below a path.
    ///
    /// There is no fallback for other paths. The token and hosts are checked as in an endpoint's
    /// own server, whose address [`listen`](Self::listen) sets; if the program checks hosts itself,
    /// [allow any](Self::allow_any_host). Limits on connections and times are those of the server
    /// it is mounted in; note that `axum::serve` sets none of them. Its answers need a tokio
    /// runtime.
    ///
    /// # Errors
    /// If the threads that write pages cannot be started, or the recording cannot be made.
    pub fn router(&self) -> Result<Router, Error> {
        Ok(routes::router(&self.site()?))
    }

    /// Binds the address and serves in the background, on the current tokio runtime.
    ///
    /// # Errors
    /// If the address cannot be bound, a mounted route has the path of a page, the threads that
    /// write pages cannot be started, the recording cannot be made, or there is no runtime.
    ///
    /// # Panics
    /// On a runtime without I/O or time.
    pub async fn serve(self) -> Result<Server, Error> {
        thread::need_runtime()?;
        let refused = |source| Error::listen(self.access.hosts.bound, source);
        let listener = server::listen(self.access.hosts.bound).map_err(refused)?;
        let addr = listener.local_addr().map_err(refused)?;
        let site = self.site()?;
        let router = routes::whole(&site, self.mounted, self.limits.request)?;
        let (running, stopped) = watch::channel(());
        let protocol = Protocol {
            router,
            limits: self.limits,
            scrapes: Arc::clone(&site.scrapes),
            stopped,
            #[cfg(feature = "tls")]
            tls: self.tls,
        };
        let places = server::places(self.limits.connections);
        Ok(Server::start(listener, addr, places, site, protocol, running))
    }

    /// Binds the address and serves on a separate thread. Needs no tokio runtime: the thread has
    /// its own single-threaded one.
    ///
    /// Blocks until the address is bound, so do not call it from async code.
    ///
    /// # Errors
    /// Those of [`serve`](Self::serve), and if the thread cannot be started or this is async code.
    pub fn spawn(self) -> Result<ServerThread, Error> {
        let runtime = thread::runtime()?;
        let server = runtime.block_on(self.serve())?;
        ServerThread::start(runtime, server)
    }

    fn site(&self) -> Result<Arc<Site>, Error> {
        let metrics = self.metrics.clone();
        let scrapes = Arc::new(Scrapes::new(&metrics));
        let live = self.history.as_ref().map(|plan| self.live(plan, &scrapes)).transpose()?;
        let pages =
            Pages::new(metrics, Arc::clone(&scrapes), &self.prometheus, self.summary.as_ref());
        let pages = pages.map_err(Error::thread)?;
        let access = RwLock::new(self.access.clone());
        let stale_after = self.stale_after.saturating_add(self.metrics.publish_every());
        let checks = self.checks.clone();
        let read_within = self.limits.answer.saturating_mul(3);
        Ok(Arc::new(Site {
            paths: self.served().map(|(path, _)| path).collect(),
            pages,
            scrapes,
            live,
            #[cfg(feature = "alerts")]
            board: self.alerts.as_ref().map(|alerts| Arc::clone(&alerts.board)),
            access,
            #[cfg(feature = "tls")]
            is_secure: self.tls.is_some(),
            #[cfg(not(feature = "tls"))]
            is_secure: false,
            stale_after,
            read_within,
            checks,
        }))
    }

    fn live(&self, plan: &Plan, scrapes: &Arc<Scrapes>) -> Result<Arc<Live>, Error> {
        let plan = plan.fitted(&self.metrics);
        #[cfg(feature = "alerts")]
        let feeds = self
            .alerts
            .iter()
            .map(|alerts| runtime::start(alerts, &self.metrics, plan.settings.step));
        #[cfg(not(feature = "alerts"))]
        let feeds = std::iter::empty();
        let feeds = feeds.collect::<Result<Vec<_>, Error>>()?;
        let listeners = server::listeners(self.limits.connections);
        let live = Live::start(&plan, &self.program, &self.metrics, scrapes, feeds, listeners);
        live.map(Arc::new)
    }

    fn has_alerts(&self) -> bool {
        #[cfg(feature = "alerts")]
        return self.alerts.is_some();
        #[cfg(not(feature = "alerts"))]
        false
    }
}
