//! Queries on the set.
//!
//! Each is answered from the tree as it is at that moment. If the answer may cover much of the set,
//! that part is copied, so that events only wait for the copy, and not while it is searched and
//! written. There is at most one such copy at a time.

use std::path::{Path, PathBuf};
use std::sync::{MutexGuard, PoisonError};

use live_set::{Changes, Hash, NodeRef, NodeType, ProjectInfo, Set, diff};
use serde::Serialize;
use serde_json::Value;

use crate::error::Error;
use crate::files::neighbour;
use crate::files::open::Opened;
use crate::files::read::{as_text, read};
use crate::queries::pool::Asker;
use crate::queries::select::NodeQuery;
use crate::server::ast_server::AstServer;
use crate::server::cache::{Cache, CacheStats, Found, Key};
use crate::viewers::message::{self, Text};

/// The answer of [`AstServer::get_project_info`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FileInfo {
    /// The file.
    #[serde(serialize_with = "as_text")]
    pub file: PathBuf,
    /// The summary of the set.
    #[serde(flatten)]
    pub info: ProjectInfo,
}

/// The answer of [`AstServer::get_websocket_status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WebSocketStatus {
    /// Connected viewers.
    pub clients: usize,
    /// Those whose queue is full: they are sent the whole tree once they read again.
    pub lagging: usize,
    /// The maximum number of connected viewers.
    pub clients_max: usize,
    /// The maximum number of messages queued per viewer.
    pub queue_messages: usize,
    /// The maximum bytes of messages queued per viewer.
    pub queue_bytes: usize,
    /// The bytes of all messages still to be sent; a message for several viewers counts once.
    pub held_bytes: usize,
    /// The maximum of `held_bytes`.
    pub held_bytes_max: usize,
}

impl AstServer {
    /// The node with an id, as `{node_type, id, hash, attributes, children}`.
    ///
    /// # Errors
    /// No set is loaded, or it has no such node.
    pub fn find_node_by_id(&self, id: &str) -> Result<Value, Error> {
        self.node_by_id(id, to_value)
    }

    /// Every node of a type, in the order of the tree.
    ///
    /// # Errors
    /// No set is loaded, or there is no such type.
    pub fn find_nodes_by_type(&self, node_type: &str) -> Result<Vec<Value>, Error> {
        let node_type: NodeType = node_type.parse()?;
        self.nodes(|node| node.node_type() == node_type, |nodes| nodes.map(to_value).collect())
    }

    /// Every node that matches a query, in the order of the tree.
    ///
    /// # Errors
    /// No set is loaded.
    pub fn query_nodes(&self, query: &NodeQuery) -> Result<Vec<Value>, Error> {
        self.nodes(|node| query.means(node), |nodes| nodes.map(to_value).collect())
    }

    /// A track by position, counted from 0, as JSON text; through the cache.
    ///
    /// # Errors
    /// No set is loaded, or it has no such track.
    pub fn get_track(&self, track: usize) -> Result<String, Error> {
        self.look_up(Key::Track(track)).map(|json| json.to_string())
    }

    /// A scene by row, counted from 0, as JSON text; through the cache.
    ///
    /// # Errors
    /// No set is loaded, or it has no such scene.
    pub fn get_scene(&self, scene: usize) -> Result<String, Error> {
        self.look_up(Key::Scene(scene)).map(|json| json.to_string())
    }

    /// Every track, as a JSON list; through the cache.
    ///
    /// # Errors
    /// No set is loaded.
    pub fn get_tracks(&self) -> Result<String, Error> {
        self.look_up(Key::Tracks).map(|json| json.to_string())
    }

    /// Every scene, as a JSON list; through the cache.
    ///
    /// # Errors
    /// No set is loaded.
    pub fn get_scenes(&self) -> Result<String, Error> {
        self.look_up(Key::Scenes).map(|json| json.to_string())
    }

    /// The contents and the counts of the cache of tracks and scenes.
    #[must_use]
    pub fn get_cache_stats(&self) -> CacheStats {
        self.cache().stats()
    }

    /// Turns the cache for look-ups on or off; when turned off, it drops its contents.
    pub fn set_cache_enabled(&self, enabled: bool) {
        self.cache().set_enabled(enabled);
    }

    /// The connected viewers, and the limits.
    #[must_use]
    pub fn get_websocket_status(&self) -> WebSocketStatus {
        let (clients, lagging) = self.state().viewers_lagging();
        let settings = self.settings();
        WebSocketStatus {
            clients,
            lagging,
            clients_max: settings.clients_max,
            queue_messages: settings.queue_messages,
            queue_bytes: settings.queue_bytes,
            held_bytes: self.memory().held(),
            held_bytes_max: settings.clients_bytes,
        }
    }

    /// The difference between a file and the current set.
    ///
    /// # Errors
    /// No set is loaded, or the file cannot be read.
    pub fn diff_with_file(&self, file: impl AsRef<Path>) -> Result<Changes, Error> {
        self.diff_with(|| read(file.as_ref()))
    }

    fn diff_with(&self, read: impl FnOnce() -> Result<Set, Error>) -> Result<Changes, Error> {
        let timer = self.handles().diff_duration.start();
        let compare = || {
            // A copy, so that events continue meanwhile.
            let current = self.copy()?;
            let mut other = read()?;
            other.continue_from(&current);
            Ok(diff(&current, &other))
        };
        compare().inspect_err(|_| timer.discard())
    }

    /// Numbers about the contents of the set.
    ///
    /// # Errors
    /// No set is loaded.
    pub fn get_project_info(&self) -> Result<FileInfo, Error> {
        let state = self.state();
        let loaded = state.loaded()?;
        Ok(FileInfo { file: loaded.file.clone(), info: loaded.set().project_info() })
    }

    /// The current hash of the whole tree.
    ///
    /// # Errors
    /// No set is loaded.
    pub fn root_hash(&self) -> Result<Hash, Error> {
        Ok(self.state().loaded()?.set().root_hash())
    }

    pub(crate) fn node_by_id<R>(
        &self,
        id: &str,
        read: impl FnOnce(NodeRef<'_>) -> R,
    ) -> Result<R, Error> {
        let no_node = || Error::no_node(format!("id {id:?}"));
        // Read from a copy, so that events continue meanwhile; only one copy of the whole tree
        // exists at a time.
        let part = {
            let state = self.state();
            let found = state.loaded()?.set().node(id).ok_or_else(no_node)?;
            (found.node_type() != NodeType::Project).then(|| found.to_node())
        };
        if let Some(part) = part {
            return Ok(read(part.as_ref()));
        }
        let _turn = self.copying();
        let set = self.copy()?;
        set.node(id).map(read).ok_or_else(no_node)
    }

    pub(crate) fn nodes<R>(
        &self,
        mut wanted: impl FnMut(NodeRef<'_>) -> bool,
        read: impl FnOnce(&mut dyn Iterator<Item = NodeRef<'_>>) -> R,
    ) -> Result<R, Error> {
        let _turn = self.copying();
        let set = self.copy()?;
        Ok(read(&mut set.nodes().filter(|node| wanted(*node))))
    }

    /// The first message to viewers, with the current tree.
    pub(crate) fn tree_message(&self) -> Result<Text, Error> {
        let _turn = self.copying();
        let (set, file) = {
            let state = self.state();
            let loaded = state.loaded()?;
            (loaded.set().clone(), loaded.file.clone())
        };
        Ok(message::full_ast(&set, &file))
    }

    pub(crate) fn look_up(&self, key: Key) -> Result<Text, Error> {
        let _turn = key.is_list().then(|| self.copying());
        let found = {
            let state = self.state();
            let set: &Set = state.loaded()?.set();
            self.cache().look_up(key, set, self.handles())
        };
        let found = found.ok_or_else(|| match key {
            Key::Scene(scene) => Error::no_node(format!("position {scene} among the scenes")),
            Key::Track(track) => Error::no_node(format!("position {track} among the tracks")),
            Key::Tracks | Key::Scenes => Error::no_set(),
        })?;
        Ok(match found {
            Found::Kept(json) => json,
            Found::Copied(copied) => {
                let json = copied.write();
                self.cache().keep(&copied, json.clone(), self.handles());
                json
            }
        })
    }

    /// A copy of the current set.
    fn copy(&self) -> Result<Set, Error> {
        Ok(self.state().loaded()?.set().clone())
    }

    /// Held while a copy of much of the set exists; locked before the state.
    pub(crate) fn copying(&self) -> MutexGuard<'_, ()> {
        // It guards nothing that a panic could leave half done.
        self.copy_lock().lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compares with a file named by a remote client.
    pub(crate) fn diff_with_neighbour(
        &self,
        name: &str,
        asker: &Asker<'_>,
    ) -> Result<Changes, Error> {
        self.root_hash()?;
        let (path, opened) = self.neighbour(name)?;
        let _turn = self.comparing();
        let read = || Set::read(asker.reading(opened.file));
        self.diff_with(|| read().map_err(|source| Error::read(&path, source)))
    }

    /// Opens a file named by a remote client: in the folder of the set that this program has
    /// loaded, or in the one in the settings.
    pub(crate) fn neighbour(&self, name: &str) -> Result<(PathBuf, Opened), Error> {
        let folder = self.state().folder();
        let folders: Vec<_> = folder.into_iter().chain(self.settings().sets.clone()).collect();
        neighbour::open(&folders, name)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        // Entries are validated by their hashes, so a panic during a look-up does no harm.
        self.cache_lock().lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn to_value(node: NodeRef<'_>) -> Value {
    // A tree contains nothing that JSON cannot represent.
    serde_json::to_value(node).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::ast_server::Outcome;

    #[test]
    fn events_go_on_while_an_answer_is_written() {
        let server = AstServer::small();
        let rename = |name: &str| {
            let args = [0.into(), name.into()];
            server.process_live_event("/live/track/renamed", &args, 1, 0.0)
        };
        let name = |node: NodeRef<'_>| node.attribute("name").map(Into::into);
        let before = server.nodes(
            |node| node.node_type() == NodeType::Track,
            |tracks| {
                // With the set locked this would wait forever.
                assert_eq!(rename("meanwhile"), Outcome::Processed);
                tracks.next().and_then(name)
            },
        );
        let was: Option<live_set::Value> = before.expect("a set");
        assert_ne!(was, Some("meanwhile".to_owned().into()), "the tree of that moment");
        let tracks = server.find_nodes_by_type("track").expect("a set");
        let track = server.node_by_id(tracks[0]["id"].as_str().expect("an id"), |track| {
            assert_eq!(rename("once more"), Outcome::Processed);
            name(track)
        });
        let was: Option<live_set::Value> = track.expect("a node");
        assert_eq!(was, Some("meanwhile".to_owned().into()));
        let root = server.node_by_id("project", |root| {
            assert_eq!(rename("again"), Outcome::Processed);
            root.children().first().copied().and_then(name)
        });
        let was: Option<live_set::Value> = root.expect("a node");
        assert_eq!(was, Some("once more".to_owned().into()));
    }
}
