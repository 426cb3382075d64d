//! Reading published snapshots repeatedly, from a loop.

use crate::read::snapshot::Snapshot;
use crate::sync::{Arc, ArcSwap, Cache};

/// Follows the published snapshots of one collector and keeps the last one it has seen.
///
/// While nothing new has been published, [`SnapshotReader::latest`] costs two loads, whereas
/// [`MetricsCollector::snapshot`] increments and decrements a reference count. Use one per reading
/// thread; wait-free. It keeps one snapshot alive, and still returns the last one after the
/// collector is gone.
///
/// ```
/// let metrics = tachograph::MetricsCollector::new();
/// let mut reader = metrics.snapshot_reader();
/// for _turn_of_the_loop in 0..3 {
///     let snapshot = reader.latest();
///     assert!(snapshot.version() >= 1);
/// }
/// ```
///
/// [`MetricsCollector::snapshot`]: crate::MetricsCollector::snapshot
#[derive(Clone, Debug)]
pub struct SnapshotReader(Cache<Arc<ArcSwap<Snapshot>>, Arc<Snapshot>>);

impl SnapshotReader {
    pub(crate) fn new(published: Arc<ArcSwap<Snapshot>>) -> Self {
        Self(Cache::new(published))
    }

    /// The last published snapshot.
    #[inline]
    pub fn latest(&mut self) -> &Arc<Snapshot> {
        self.0.load()
    }
}
