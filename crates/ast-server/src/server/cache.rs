//! A cache of tracks and scenes as JSON.
//!
//! It is never stale: an entry is valid as long as the hash of its node, which covers everything
//! below; the hash is compared with the tree's at each look-up. So the cache costs an event
//! nothing. Events do not wait while JSON is written either, because that is done from a copy.

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
    /// The version of a key's content; `None` if the set has no such thing.
    ///
    /// A list is versioned by the hash of the whole tree, which changes with anything.
    fn version(self, set: &Set) -> Option<Version> {
        let hash = match self {
            Self::Track(track) => set.track(track)?.hash(),
            Self::Scene(scene) => set.scene(scene)?.hash,
            Self::Tracks | Self::Scenes => set.root_hash(),
        };
        Some(Version { hash, ids: set.ids_version() })
    }

    /// A copy of a key's content, which can be written without holding up the set. `None` if the
    /// set has no such thing.
    fn copy(self, set: &Set) -> Option<Part> {
        Some(match self {
            Self::Track(track) => Part::Track(Box::new(set.track(track)?.clone())),
            Self::Scene(scene) => Part::Scene(Box::new(set.scene(scene)?.clone())),
            Self::Tracks => Part::Tracks(set.project().tracks.clone()),
            Self::Scenes => Part::Scenes(set.project().scenes.clone()),
        })
    }

    /// Whether a copy takes about as much memory as the set.
    pub(crate) const fn is_list(self) -> bool {
        matches!(self, Self::Tracks | Self::Scenes)
    }
}

/// A copy of the content at that moment.
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
        // A tree contains nothing that JSON cannot represent.
        json.unwrap_or_default().into()
    }
}

fn list<'a>(nodes: impl Iterator<Item = NodeRef<'a>>) -> serde_json::Result<String> {
    serde_json::to_string(&nodes.collect::<Vec<_>>())
}

/// The result of a look-up.
#[derive(Debug)]
pub(crate) enum Found {
    Kept(Text),
    /// Still to be written, which takes time.
    Copied(Copied),
}

/// The content and ids that a text shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    hash: Hash,
    /// Hashes do not cover ids.
    ids: u64,
}

/// A copy to be written, and the version of the resulting text.
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

/// The answer of [`AstServer::get_cache_stats`](crate::AstServer::get_cache_stats). Counts are
/// since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CacheStats {
    /// Whether look-ups go through the cache.
    pub enabled: bool,
    /// The maximum number of entries of each kind.
    pub capacity: usize,
    /// Cached tracks.
    pub tracks: usize,
    /// Cached scenes.
    pub scenes: usize,
    /// Cached lists, at most two.
    pub lists: usize,
    /// Look-ups that were answered from the cache.
    pub hits: u64,
    /// Look-ups that were not, including those of outdated entries.
    pub misses: u64,
    /// Entries evicted in favour of others.
    pub evictions: u64,
    /// Entries that were found outdated.
    pub invalidations: u64,
    /// The share of hits in all look-ups; 0 before the first.
    pub hit_rate: f64,
}

#[derive(Debug)]
struct Entry {
    version: Version,
    json: Text,
}

/// The entries by kind; the least recently used is evicted first.
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
        // Memory is allocated as needed, not in advance for the configured maximum.
        let room = || LruCache::unbounded();
        Self { tracks: room(), scenes: room(), lists: room(), stats }
    }

    /// Looks up a key; `None` if the set has no such thing.
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

    /// Stores a written text. If the set has changed since, the hash shows that at the next
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

    /// When turned off, it stores nothing and drops its contents.
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
