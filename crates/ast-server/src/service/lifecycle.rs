//! A running server with its sockets.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tachograph_history::Settings as History;
use tachograph_serve::Endpoint;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::error::Error;
use crate::queries::routes;
use crate::server::ast_server::AstServer;
use crate::service::door::{self, Door};
use crate::service::event_loop::EventLoop;
use crate::service::part::Part;
use crate::service::watcher;
use crate::summary::exporter::MetricsExporter;
use crate::udp::socket;

/// The addresses that a server listens on. Port 0 picks any free port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Addresses {
    /// The address for events.
    pub udp: SocketAddr,
    /// The address for viewers.
    pub websocket: SocketAddr,
    /// The address for metrics and queries, over HTTP.
    pub http: SocketAddr,
}

impl Addresses {
    /// The default address for events.
    pub const UDP: SocketAddr = local(9002);
    /// The default address for viewers.
    pub const WEBSOCKET: SocketAddr = local(8765);
    /// The default address for metrics.
    pub const HTTP: SocketAddr = local(9464);

    /// Custom addresses.
    #[must_use]
    pub const fn new(udp: SocketAddr, websocket: SocketAddr, http: SocketAddr) -> Self {
        Self { udp, websocket, http }
    }

    /// Free ports on the loopback interface.
    #[must_use]
    pub const fn free() -> Self {
        Self::new(local(0), local(0), local(0))
    }
}

impl Default for Addresses {
    fn default() -> Self {
        Self::new(Self::UDP, Self::WEBSOCKET, Self::HTTP)
    }
}

const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// The names of a service's threads and tasks in `/health`.
const PARTS: [&str; 5] = ["ast-events", "ast-udp", "viewers", "file watch", "held-back changes"];

/// A running server. Dropping it stops it without waiting; [`Service::stop`] waits.
#[derive(Debug)]
pub struct Service {
    addresses: Addresses,
    stop: watch::Sender<bool>,
    stop_receiving: Arc<AtomicBool>,
    http: Option<tachograph_serve::Server>,
    /// Decides who may connect as a viewer.
    access: Arc<Mutex<Endpoint>>,
    tasks: JoinSet<()>,
    threads: Vec<JoinHandle<()>>,
}

impl Service {
    /// Opens the sockets and starts serving.
    ///
    /// # Errors
    /// An address cannot be listened on, or a thread cannot be started.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start(server: &AstServer, addresses: Addresses) -> Result<Self, Error> {
        let endpoint = Endpoint::new(server.metrics().clone()).history(History::default());
        Self::start_with(server, addresses, endpoint).await
    }

    /// Like [`Service::start`], with your own endpoint for metrics and queries, which controls who
    /// may read them. Pages that may read it may also connect as viewers.
    ///
    /// # Errors
    /// Those of [`Service::start`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start_with(
        server: &AstServer,
        addresses: Addresses,
        endpoint: Endpoint,
    ) -> Result<Self, Error> {
        let refused = |what, addr| move |source: io::Error| Error::listen(what, addr, source);
        let socket = socket::bind(addresses.udp).map_err(refused("events", addresses.udp))?;
        let listener =
            door::listen(addresses.websocket).map_err(refused("viewers", addresses.websocket))?;
        let access = Arc::new(Mutex::new(endpoint.clone().listen(addresses.websocket)));
        let [events, udp, door, watcher, flusher] =
            PARTS.map(|name| Part::new(name, server.handles().part_restarted.clone()));
        let parts = [&events, &udp, &door, &watcher, &flusher];
        let endpoint = parts
            .into_iter()
            .cloned()
            .fold(endpoint, |endpoint, part| endpoint.check(part.name(), move || part.check()));
        let checked = server.clone();
        let endpoint = endpoint.check("set", move || checked.file_problem().map_or(Ok(()), Err));
        let endpoint = endpoint.summary(MetricsExporter::to_summary).listen(addresses.http);
        let queries = routes::routes(server.clone(), &endpoint);
        let endpoint = endpoint.mount(queries);
        let endpoint = endpoint.program("ast-server", env!("CARGO_PKG_VERSION"));
        let http = endpoint.serve().await?;
        let bound = Addresses {
            udp: socket.local_addr().map_err(refused("events", addresses.udp))?,
            websocket: listener.local_addr().map_err(refused("viewers", addresses.websocket))?,
            http: http.addr(),
        };

        let (stop, stopped) = watch::channel(false);
        let stop_receiving = Arc::new(AtomicBool::new(false));
        let (queue, queued) = mpsc::channel(socket::QUEUE_DATAGRAMS);
        let mut receiver = socket::Receiver {
            socket,
            queue,
            stop: Arc::clone(&stop_receiving),
            metrics: Arc::clone(server.handles()),
            dropped_before: 0,
        };
        let mut event_loop = EventLoop::new(server.clone(), queued);

        let mut service = Self {
            addresses: bound,
            stop,
            stop_receiving,
            http: Some(http),
            access: Arc::clone(&access),
            tasks: JoinSet::new(),
            threads: Vec::new(),
        };
        service.spawn(&events, move || event_loop.run())?;
        service.spawn(&udp, move || receiver.run())?;
        let entrance = Door::new(listener, server.clone(), access, stopped);
        service.tasks.spawn(async move { door.run_task(|| entrance.serve()).await });
        let watched = server.clone();
        service.tasks.spawn(async move {
            watcher.run_task(|| watcher::run(watched.clone())).await;
        });
        let server = server.clone();
        service.tasks.spawn(async move { flusher.run_task(|| server.send_held_back()).await });
        Ok(service)
    }

    fn spawn(&mut self, part: &Part, run: impl FnMut() + Send + 'static) -> Result<(), Error> {
        let (name, part) = (part.name(), part.clone());
        let thread = std::thread::Builder::new().name(name.to_owned());
        let thread = thread.spawn(move || part.run(run));
        self.threads.push(thread.map_err(|source| Error::thread(name, source))?);
        Ok(())
    }

    /// The addresses it listens on, with the actual ports.
    #[must_use]
    pub const fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// From now on applies another endpoint's access control, to metrics and viewers, and its
    /// certificate: for renewing tokens and certificates. Everything else stays the same.
    pub fn let_in(&self, endpoint: Endpoint) {
        if let Some(http) = &self.http {
            http.let_in(&endpoint);
        }
        let access = endpoint.listen(self.addresses.websocket);
        *self.access.lock().unwrap_or_else(PoisonError::into_inner) = access;
    }

    fn tell_to_stop(&self) {
        // Relaxed: the flag guards no other data.
        self.stop_receiving.store(true, Ordering::Relaxed);
        self.stop.send_replace(true);
    }

    /// Stops: reads no more datagrams, processes those already read, and closes every connection.
    pub async fn stop(mut self) {
        self.tell_to_stop();
        let threads = std::mem::take(&mut self.threads);
        let joined = tokio::task::spawn_blocking(|| {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a thread of the server has panicked");
                }
            }
        });
        let _ = joined.await;
        // Each connection holds a receiver, and drops it after saying goodbye.
        self.stop.closed().await;
        if let Some(http) = self.http.take() {
            http.shutdown().await;
        }
        self.tasks.shutdown().await;
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.tell_to_stop();
    }
}
