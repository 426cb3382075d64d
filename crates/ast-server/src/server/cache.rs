//! Tracks and scenes as JSON, kept for the next who asks.
//!
//! Never stale: an entry is as good as the hash of what it shows, which covers everything below,
//! and is compared with the tree's at each look-up. So an event pays nothing for the cache. Nor
//! does it wait while JSON is written: that is done from a copy.

use std::num::NonZeroUsize;

use live_set::{Hash, NodeRef, Scene, Set, Track};
use lru::LruCache;
use serde::Serialize;

use crate::metrics::ServerMetrics;
use crate::viewers::message::Text;

/// What can be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// A track by position.
    Track(usize),
    /// A scene by row.
    Scene(usize),
    /// Every track.
    Tracks,
    /// Every scene.
    Scenes,
}

impl Key {
    /// The version of what is asked for; `None` where the set has no such thing.
    ///
    /// A list goes by the hash of the whole tree, which changes with anything.
    fn version(self, set: &Set) -> Option<Version> {
        let hash = match self {
            Self::Track(track) => set.track(track)?.hash,
            Self::Scene(scene) => set.scene(scene)?.hash,
            Self::Tracks | Self::Scenes => set.root_hash(),
        };
        Some(Version { hash, ids: set.ids_version() })
    }

    /// A copy of what is asked for: written where nobody waits for the set. `None` where the set
    /// has no such thing.
    fn copy(self, set: &Set) -> Option<Part> {
        Some(match self {
            Self::Track(track) => Part::Track(Box::new(set.track(track)?.clone())),
            Self::Scene(scene) => Part::Scene(Box::new(set.scene(scene)?.clone())),
            Self::Tracks => Part::Tracks(set.project().tracks.clone()),
            Self::Scenes => Part::Scenes(set.project().scenes.clone()),
        })
    }

    /// Whether a copy takes about as much room as the set.
    pub(crate) const fn is_list(self) -> bool {
        matches!(self, Self::Tracks | Self::Scenes)
    }
}

/// What a look-up is about, as it was at that moment.
#[derive(Debug)]
enum Part {
    Track(Box<Track>),
    Scene(Box<Scene>),
    Tracks(Vec<Track>),
    Scenes(Vec<Scene>),
}

impl Part {
    fn write(&self) -> Text {
        let json = match self {
            Self::Track(track) => serde_json::to_string(&NodeRef::Track(track)),
            Self::Scene(scene) => serde_json::to_string(&NodeRef::Scene(scene)),
            Self::Tracks(tracks) => list(tracks.iter().map(NodeRef::Track)),
            Self::Scenes(scenes) => list(scenes.iter().map(NodeRef::Scene)),
        };
        // A tree holds nothing that JSON cannot say.
        json.unwrap_or_default().into()
    }
}

fn list<'a>(nodes: impl Iterator<Item = NodeRef<'a>>) -> serde_json::Result<String> {
    serde_json::to_string(&nodes.collect::<Vec<_>>())
}

/// What the cache makes of a look-up.
#[derive(Debug)]
pub(crate) enum Found {
    Kept(Text),
    /// To be written, which takes its time.
    Copied(Copied),
}

/// What content and ids a text shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    hash: Hash,
    /// Hashes know nothing of ids.
    ids: u64,
}

/// What was copied to be written, and the version that the text will be as good as.
#[derive(Debug)]
pub(crate) struct Copied {
    key: Key,
    version: Version,
    part: Part,
}

impl Copied {
    pub(crate) fn write(&self) -> Text {
        self.part.write()
    }
}

/// What [`AstServer::get_cache_stats`](crate::AstServer::get_cache_stats) answers. The counts are
/// those since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CacheStats {
    /// Whether look-ups go through the cache.
    pub enabled: bool,
    /// How many entries of a kind are kept.
    pub capacity: usize,
    /// Tracks that are kept.
    pub tracks: usize,
    /// Scenes that are kept.
    pub scenes: usize,
    /// Lists that are kept, of two.
    pub lists: usize,
    /// Look-ups that were answered from the cache.
    pub hits: u64,
    /// Look-ups that were not; those of outdated entries included.
    pub misses: u64,
    /// Entries that gave way to others.
    pub evictions: u64,
    /// Entries that were found outdated.
    pub invalidations: u64,
    /// Hits, of all look-ups; 0 before the first.
    pub hit_rate: f64,
}

#[derive(Debug)]
struct Entry {
    version: Version,
    json: Text,
}

/// The entries, by kind; least recently used goes first.
#[derive(Debug)]
pub(crate) struct Cache {
    tracks: LruCache<Key, Entry>,
    scenes: LruCache<Key, Entry>,
    lists: LruCache<Key, Entry>,
    stats: CacheStats,
}

impl Cache {
    pub(crate) fn new(enabled: bool, capacity: NonZeroUsize) -> Self {
        let stats = CacheStats { enabled, capacity: capacity.get(), ..CacheStats::default() };
        // Room is taken as it is needed, not in advance for as many as somebody asked for.
        let room = || LruCache::unbounded();
        Self { tracks: room(), scenes: room(), lists: room(), stats }
    }

    /// What the set says of a key; `None` where it has no such thing.
    pub(crate) fn look_up(
        &mut self,
        key: Key,
        set: &Set,
        metrics: &ServerMetrics,
    ) -> Option<Found> {
        let version = key.version(set)?;
        let copied = || key.copy(set).map(|part| Found::Copied(Copied { key, version, part }));
        if !self.stats.enabled {
            return copied();
        }
        let known = self.kind(key).get(&key).map(|entry| (entry.version, entry.json.clone()));
        let answer = match known {
            Some((known, json)) if known == version => {
                self.stats.hits += 1;
                metrics.cache_hit.increment();
                Some(Found::Kept(json))
            }
            outdated => {
                if outdated.is_some() {
                    self.stats.invalidations += 1;
                    metrics.cache_invalidation.increment();
                }
                self.stats.misses += 1;
                metrics.cache_miss.increment();
                copied()
            }
        };
        self.stats.hit_rate = rate(self.stats.hits, self.stats.misses);
        metrics.cache_hit_rate.set(self.stats.hit_rate);
        answer
    }

    /// Keeps what was written. Should the set have changed since, the hash tells at the next
    /// look-up.
    pub(crate) fn keep(&mut self, written: &Copied, json: Text, metrics: &ServerMetrics) {
        if !self.stats.enabled {
            return;
        }
        let capacity = self.stats.capacity;
        let kind = self.kind(written.key);
        kind.put(written.key, Entry { version: written.version, json });
        if kind.len() > capacity {
            kind.pop_lru();
            self.stats.evictions += 1;
            metrics.cache_eviction.increment();
        }
    }

    fn kind(&mut self, key: Key) -> &mut LruCache<Key, Entry> {
        match key {
            Key::Track(_) => &mut self.tracks,
            Key::Scene(_) => &mut self.scenes,
            Key::Tracks | Key::Scenes => &mut self.lists,
        }
    }

    /// Off, it keeps nothing, and what it kept is forgotten.
    pub(crate) fn set_enabled(&mut self, enabled: bool) {
        self.stats.enabled = enabled;
        if !enabled {
            for kind in [&mut self.tracks, &mut self.scenes, &mut self.lists] {
                kind.clear();
            }
        }
    }

    pub(crate) fn stats(&self) -> CacheStats {
        let (tracks, scenes, lists) = (self.tracks.len(), self.scenes.len(), self.lists.len());
        CacheStats { tracks, scenes, lists, ..self.stats }
    }
}

fn rate(hits: u64, misses: u64) -> f64 {
    hits as f64 / (hits + misses) as f64
}
