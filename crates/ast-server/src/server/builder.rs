//! The settings of a server.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::Semaphore;

const CACHE_ENTRIES: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// Practically forever, but safe to add to any time without overflow.
const FOREVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// Configures an [`AstServer`](crate::AstServer); every setting has a sensible default.
#[derive(Clone, Debug)]
pub struct Builder {
    pub(crate) enable_metrics: bool,
    pub(crate) queue_messages: usize,
    pub(crate) queue_bytes: usize,
    pub(crate) clients_bytes: usize,
    pub(crate) ping_every: Duration,
    pub(crate) ping_timeout: Duration,
    pub(crate) evict_after: Duration,
    pub(crate) clients_max: usize,
    pub(crate) broadcast_interval: Duration,
    pub(crate) watch: bool,
    pub(crate) cache: bool,
    pub(crate) cache_entries: NonZeroUsize,
    pub(crate) sets: Option<PathBuf>,
    pub(crate) answers_bytes: usize,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            enable_metrics: true,
            queue_messages: 1_000,
            queue_bytes: 4 << 20,
            clients_bytes: 64 << 20,
            ping_every: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(60),
            evict_after: Duration::from_secs(30),
            clients_max: 1_000,
            broadcast_interval: Duration::from_millis(100),
            watch: true,
            cache: true,
            cache_entries: CACHE_ENTRIES,
            sets: None,
            answers_bytes: 64 << 20,
        }
    }
}

impl Builder {
    /// Whether metrics are recorded from the start; on by default. Can be switched at any time with
    /// `server.metrics().set_enabled(..)`.
    #[must_use]
    pub fn enable_metrics(mut self, enable: bool) -> Self {
        self.enable_metrics = enable;
        self
    }

    /// The number of messages that may wait for a viewer before the whole tree replaces them; 1,000
    /// by default, at least 1.
    #[must_use]
    pub fn client_queue(mut self, messages: usize) -> Self {
        self.queue_messages = messages.max(1);
        self
    }

    /// The bytes of messages that may wait for a viewer before the whole tree replaces them; 4 MiB
    /// by default. A larger message waits alone.
    #[must_use]
    pub fn client_queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// The memory that the messages for all viewers may take; 64 MiB by default. A message for
    /// several viewers counts once. If memory is short, viewers that have read nothing for a second
    /// are disconnected, and new ones wait for their tree.
    #[must_use]
    pub fn clients_bytes(mut self, bytes: usize) -> Self {
        self.clients_bytes = bytes;
        self
    }

    /// How often a viewer is pinged; every 20 s by default, at least 1 ms.
    #[must_use]
    pub fn ping_every(mut self, every: Duration) -> Self {
        self.ping_every = every.clamp(Duration::from_millis(1), FOREVER);
        self
    }

    /// How long a viewer may go without a sign of life before it is disconnected; 60 s by default.
    #[must_use]
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.ping_timeout = timeout.min(FOREVER);
        self
    }

    /// How long a viewer may read nothing while there is something to read; 30 s by default.
    #[must_use]
    pub fn evict_after(mut self, after: Duration) -> Self {
        self.evict_after = after.min(FOREVER);
        self
    }

    /// How many viewers may be connected; 1,000 by default.
    #[must_use]
    pub fn max_clients(mut self, clients: usize) -> Self {
        self.clients_max = clients.min(Semaphore::MAX_PERMITS);
        self
    }

    /// The minimum interval between broadcasts of one device parameter, and of the tempo; 100 ms by
    /// default.
    #[must_use]
    pub fn broadcast_interval(mut self, interval: Duration) -> Self {
        self.broadcast_interval = interval.min(FOREVER);
        self
    }

    /// Whether the set's file is watched while the server runs, so that a saved set is loaded
    /// again; on by default. After a gap in the events it is checked in any case.
    #[must_use]
    pub fn watch(mut self, watch: bool) -> Self {
        self.watch = watch;
        self
    }

    /// Whether look-ups of tracks and scenes use the cache; on by default. Can be switched at any
    /// time with [`AstServer::set_cache_enabled`](crate::AstServer::set_cache_enabled).
    #[must_use]
    pub fn cache(mut self, enable: bool) -> Self {
        self.cache = enable;
        self
    }

    /// The number of tracks, and of scenes, that the cache keeps; 256 by default, at least 1.
    #[must_use]
    pub fn cache_entries(mut self, entries: usize) -> Self {
        self.cache_entries = NonZeroUsize::new(entries).unwrap_or(NonZeroUsize::MIN);
        self
    }

    /// A folder whose sets may be loaded and compared with over HTTP, in addition to those in the
    /// folder of the set that [`AstServer::load_project`](crate::AstServer::load_project) has
    /// loaded; none by default.
    #[must_use]
    pub fn sets(mut self, folder: impl Into<PathBuf>) -> Self {
        self.sets = Some(folder.into());
        self
    }

    /// The memory that answers to queries over HTTP may take until their clients have read them; 64
    /// MiB by default. If it is short, queries are answered 503; a larger answer is allowed if it
    /// is the only one.
    #[must_use]
    pub fn answers_bytes(mut self, bytes: usize) -> Self {
        self.answers_bytes = bytes;
        self
    }
}
