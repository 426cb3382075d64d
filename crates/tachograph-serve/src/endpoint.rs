//! What is served, where, and within which limits.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use tachograph::MetricsCollector;
use tokio::net::TcpListener;

use crate::error::Error;
use crate::routes;
use crate::server::Server;

/// The port of the default address: the usual one of Prometheus exporters in applications.
const PORT: u16 = 9464;

/// Serves the metrics of one collector.
#[derive(Clone, Debug)]
pub struct Endpoint {
    metrics: MetricsCollector,
    addr: SocketAddr,
    stale_after: Duration,
    limits: Limits,
}

/// The bounds of a server and its connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) connections: usize,
    pub(crate) header: Duration,
    pub(crate) answer: Duration,
    pub(crate) drain: Duration,
}

impl Endpoint {
    /// An endpoint with the default settings.
    pub fn new(metrics: MetricsCollector) -> Self {
        Self {
            metrics,
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)),
            stale_after: Duration::from_secs(5),
            limits: Limits {
                connections: 256,
                header: Duration::from_secs(10),
                answer: Duration::from_secs(30),
                drain: Duration::from_secs(5),
            },
        }
    }

    /// Where to listen; `127.0.0.1:9464` by default. Port 0 is any free one.
    pub fn listen(mut self, addr: SocketAddr) -> Self {
        self.addr = addr;
        self
    }

    /// How old the last published snapshot may be before `/health` answers 503; 5 s by default.
    pub fn stale_after(mut self, age: Duration) -> Self {
        self.stale_after = age;
        self
    }

    /// How many connections are served at a time, at least 1; 256 by default. Further ones wait
    /// in the operating system's queue.
    pub fn connections_max(mut self, connections: usize) -> Self {
        self.limits.connections = connections.max(1);
        self
    }

    /// How long a connection may take to send the head of a request, and may be idle between two;
    /// 10 s by default.
    pub fn header_timeout(mut self, timeout: Duration) -> Self {
        self.limits.header = timeout;
        self
    }

    /// How long a client may take to read an answer, from when it first keeps the server waiting;
    /// 30 s by default.
    pub fn answer_timeout(mut self, timeout: Duration) -> Self {
        self.limits.answer = timeout;
        self
    }

    /// How long a shutdown waits for answers that are under way; 5 s by default.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.limits.drain = timeout;
        self
    }

    /// The routes, to merge into a router or to nest below a path.
    ///
    /// Without a fallback for other paths. Limits on connections and times are the server's that
    /// it is mounted in; note that `axum::serve` sets none of them. Its answers need a tokio
    /// runtime.
    pub fn router(&self) -> Router {
        routes::router(self.metrics.clone(), self.stale_after)
    }

    /// Binds the address and serves in the background, on the current tokio runtime.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub async fn serve(self) -> Result<Server, Error> {
        let error = |source| Error::new(self.addr, source);
        let listener = TcpListener::bind(self.addr).await.map_err(error)?;
        let addr = listener.local_addr().map_err(error)?;
        let router = self.router().fallback(routes::not_found);
        Ok(Server::start(listener, addr, router, self.limits))
    }
}
