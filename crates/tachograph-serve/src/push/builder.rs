//! The settings of a push: what is pushed, where to, and within which limits.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tachograph::{MetricsCollector, Snapshot};
use tachograph_export::otlp::Settings;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::bounds::bounded;
use crate::error::Error;
use crate::push::backoff::Backoff;
use crate::push::delivery::Delivery;
use crate::push::destination::{Destination, LEAST};
use crate::push::pusher::{Pusher, PusherThread, Shared};
use crate::push::queue::Queue;
use crate::push::report::{PushReport, Pushes};
use crate::push::source::Source;
use crate::push::target::Target;
use crate::quiet::Quiet;
use crate::thread;

/// Repeatedly sends the metrics of one collector to an OTLP/HTTP receiver, such as an OpenTelemetry
/// Collector: by POST, in protobuf or JSON.
///
/// # Rules
/// Those of the OTLP/HTTP specification. After 429, 502, 503, 504 or no answer the payload is sent
/// again, after a back-off that doubles with every consecutive failure and is half random, and not
/// before the time in `Retry-After`. Every other status is final. A partially accepted payload is
/// not sent again; the rejected data points are counted. If there was no answer, it is unknown
/// whether the payload arrived: it is sent again, unchanged, as the specification requires.
///
/// The queue is bounded. Beyond its limits the oldest totals are dropped and counted, because later
/// ones make up for them. Nothing makes up for a delta, so none is dropped for another: while there
/// is no room, no payload is made, which is also counted, and the next one covers the whole time
/// since the last. Deltas are only lost if the receiver refuses them or they are left at the end,
/// and each is a counted drop. If a delta is sent again after a missing answer, a receiver that had
/// accepted it counts it twice. If that does not suit you, push totals instead.
///
/// # Example
/// ```
/// use std::time::Duration;
/// use tachograph::MetricsCollector;
/// use tachograph_export::otlp::Settings;
/// use tachograph_serve::Push;
///
/// # fn main() -> Result<(), tachograph_serve::Error> {
/// let metrics = MetricsCollector::new();
/// let settings = Settings::new("mixer").attribute("service.instance.id", "studio-1");
/// let push = Push::new(metrics.clone(), "http://127.0.0.1:4318", settings)?;
/// let pusher = push.every(Duration::from_secs(10)).spawn()?;
/// metrics.increment("events.processed");
/// // At the end: pushes what was recorded since the last payload.
/// let report = pusher.shutdown(Duration::from_millis(200));
/// assert_eq!(report.payloads, report.delivered + report.dropped);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Push {
    metrics: MetricsCollector,
    to: Destination,
    source: Source,
    every: Duration,
    backoff: (Duration, Duration),
    queue: (usize, usize),
    is_gzip: bool,
}

/// The specification's path, for a URL without one.
const PATH: &str = "/v1/metrics";

impl Push {
    /// Pushes OTLP, encoded as the settings say.
    ///
    /// The URL is `http`, or `https` with the feature `tls`. If it has no path, the specification's
    /// is used: `/v1/metrics`.
    ///
    /// # Errors
    /// If the URL cannot be pushed to.
    pub fn new(metrics: MetricsCollector, url: &str, settings: Settings) -> Result<Self, Error> {
        Self::of(metrics, url, Source::Otlp(settings))
    }

    /// Pushes what a function writes for a snapshot: an `ExportMetricsServiceRequest` in protobuf.
    /// It must write totals, because payloads may be dropped in favour of newer ones.
    ///
    /// # Errors
    /// Those of [`Push::new`].
    pub fn with_encoder(
        metrics: MetricsCollector,
        url: &str,
        encode: impl Fn(&Snapshot, &mut Vec<u8>) + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        Self::of(metrics, url, Source::Function(Arc::new(encode)))
    }

    fn of(metrics: MetricsCollector, url: &str, source: Source) -> Result<Self, Error> {
        Ok(Self {
            metrics,
            to: Destination::new(Target::parse(url, PATH)?),
            source,
            every: Duration::from_secs(60),
            backoff: (Duration::from_secs(1), Duration::from_secs(60)),
            queue: (16, 16 << 20),
            is_gzip: false,
        })
    }

    /// The push interval, at least 1 ms; 60 s by default. The first payload is sent at a random
    /// time within it, so that processes started together do not push together.
    pub fn every(mut self, every: Duration) -> Self {
        // An interval of zero would be a loop without a pause.
        self.every = bounded(every, Duration::from_millis(1));
        self
    }

    /// How long one request may take, including connecting; at least 10 ms, 10 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.to.timeout(timeout);
        self
    }

    /// Sends this header too, for example one with a token. It replaces one with the same name.
    ///
    /// # Errors
    /// If the name or the value has invalid characters, or if the push sets the header itself:
    /// `Host`, and those that describe the body and the connection.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        self.to.header(name, value)?;
        Ok(self)
    }

    /// Compresses payloads with gzip; off by default.
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.is_gzip = gzip;
        self
    }

    /// The maximum number of queued payloads and of their bytes together; 16 and 16 MiB by default.
    /// Beyond either the oldest totals are dropped; the newest stays, whatever its size. Deltas are
    /// not made while there is no room: one payload may exceed the bytes, and the last one the
    /// number.
    pub fn queue_max(mut self, payloads: usize, bytes: usize) -> Self {
        self.queue = (payloads, bytes);
        self
    }

    /// The wait after the first failure, and the longest after many consecutive ones; at least 10
    /// ms, 1 s and 60 s by default.
    pub fn backoff(mut self, first: Duration, max: Duration) -> Self {
        self.backoff = (bounded(first, LEAST), bounded(max, LEAST));
        self
    }

    /// Makes connections with a function instead of over TCP: to a Unix socket, or through a proxy.
    /// With an `https` URL, TLS runs over its connection.
    pub fn connect_with<F, S>(mut self, connect: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.to.connect_with(connect);
        self
    }

    /// Trusts receivers with certificates from these authorities, in PEM, instead of the system's.
    ///
    /// # Errors
    /// If there is none in it, or one cannot be read.
    #[cfg(feature = "tls")]
    pub fn authorities(mut self, pem: &[u8]) -> Result<Self, Error> {
        self.to.authorities(pem)?;
        Ok(self)
    }

    /// Pushes in the background, on the current tokio runtime.
    ///
    /// # Errors
    /// If the URL is `https` and no authority is trusted, or there is no runtime.
    ///
    /// # Panics
    /// On a runtime without I/O or time.
    pub fn start(self) -> Result<Pusher, Error> {
        thread::need_runtime()?;
        let mut random = fastrand::Rng::new();
        let first = self.every.mul_f64(random.f64());
        let (deadline, ending) = watch::channel(None);
        let delivery = Delivery {
            shared: Arc::new(Shared {
                pushes: Pushes::new(&self.metrics),
                metrics: self.metrics,
                queue: Queue::new(self.queue.0, self.queue.1, self.source.is_delta()),
            }),
            client: self.to.client(self.source.content_type())?,
            backoff: Backoff::new(self.backoff.0, self.backoff.1, random),
            deadline: ending,
            refusals: Quiet::default(),
            delays: Quiet::default(),
        };
        let writer = self.source.writer(self.is_gzip);
        Ok(Pusher::start(delivery, deadline, writer, first, self.every))
    }

    /// Pushes once and waits for the outcome, for programs that end: everything recorded so far,
    /// retried until the receiver has it or the time is up. If it has it,
    /// [`delivered`](PushReport::delivered) is 1; else that is 0, and the payload is counted as
    /// dropped.
    ///
    /// Needs no tokio runtime, and blocks, so do not call it from async code: there, shut a pusher
    /// down right after its [start](Push::start).
    ///
    /// # Errors
    /// Those of [`Push::spawn`].
    pub fn once(self, timeout: Duration) -> Result<PushReport, Error> {
        // The only payload is the final one.
        Ok(self.every(Duration::MAX).spawn()?.shutdown(timeout))
    }

    /// Pushes on a separate thread. Needs no tokio runtime: the thread has its own single-threaded
    /// one.
    ///
    /// # Errors
    /// Those of [`Push::start`], and if the thread cannot be started or this is async code.
    pub fn spawn(self) -> Result<PusherThread, Error> {
        let runtime = thread::runtime()?;
        let pusher = runtime.block_on(async { self.start() })?;
        PusherThread::start(runtime, pusher)
    }
}
