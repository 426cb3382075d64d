//! Loads sets from files: the first load, and the same file again after a save.
//!
//! Loads take turns, each from opening its file to installing its tree, so the tree of the last
//! load is the one that stays.

use std::path::{Path, PathBuf};
use std::sync::{MutexGuard, PoisonError};
use std::time::Instant;

use live_set::{Hash, Set};
use serde::Serialize;
use serde_json::json;

use crate::error::Error;
use crate::files::open::Opened;
use crate::files::read::{as_text, open, read_opened};
use crate::files::stamp::Stamp;
use crate::server::ast_server::AstServer;

/// The answer of [`AstServer::load_project`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LoadReport {
    /// `"success"`.
    pub status: &'static str,
    /// The file.
    #[serde(serialize_with = "as_text")]
    pub file: PathBuf,
    /// The hash of the whole tree.
    pub root_hash: Hash,
}

impl AstServer {
    /// Loads a set, `.als` or the XML inside one, replaces the loaded one, and sends it to every
    /// viewer.
    ///
    /// Blocks while the file is read, and while another load is in progress; events continue
    /// meanwhile.
    ///
    /// # Errors
    /// If the file cannot be opened or is not a set; then the loaded set stays, and viewers are
    /// told.
    pub fn load_project(&self, file: impl AsRef<Path>) -> Result<LoadReport, Error> {
        let file = file.as_ref();
        let _turn = self.loading();
        let report = self.load(file, || open(file))?;
        self.state().open_folder_of(file);
        Ok(report)
    }

    /// The same for a file named by a remote client; see [`neighbour`](Self::neighbour).
    pub(crate) fn load_neighbour(&self, name: &str) -> Result<LoadReport, Error> {
        let _turn = self.loading();
        let (file, opened) = self.neighbour(name)?;
        self.load(&file, || Ok(opened))
    }

    fn load(
        &self,
        file: &Path,
        open: impl FnOnce() -> Result<Opened, Error>,
    ) -> Result<LoadReport, Error> {
        let (set, stamp) = self.read_timed(file, open).inspect_err(|error| {
            self.announce_failed_load(&error.to_string());
        })?;
        let root_hash = set.root_hash();
        self.state().load(set, file, stamp);
        // The watcher has another file to watch.
        self.look().notify_one();
        Ok(LoadReport { status: "success", file: file.to_owned(), root_hash })
    }

    /// Takes the set's file as it is now, whatever events have changed, and sends the differences
    /// to viewers.
    ///
    /// # Errors
    /// If no set is loaded, or its file cannot be opened or is not a set; then viewers are told,
    /// and the loaded set stays.
    pub(crate) fn take_file(&self) -> Result<LoadReport, Error> {
        let _turn = self.loading();
        let (file, _) = self.state().file().ok_or_else(Error::no_set)?;
        let (set, stamp) = self.read_set(&file).inspect_err(|error| {
            self.announce_failed_load(&error.to_string());
        })?;
        let mut state = self.state();
        state.void(Instant::now());
        state.reload(set, stamp);
        let root_hash = state.loaded()?.set().root_hash();
        Ok(LoadReport { status: "success", file, root_hash })
    }

    /// Reads the set's file again if it has changed since it was loaded, and merges it; returns
    /// whether it was read. Differences are sent to viewers.
    ///
    /// # Errors
    /// If the file cannot be opened or is not a set, which may be temporary; the loaded set stays.
    pub(crate) fn reload(&self) -> Result<bool, Error> {
        let _turn = self.loading();
        let Some((file, loaded)) = self.state().file() else { return Ok(false) };
        if Stamp::look(&file) == Some(loaded) && !self.state().is_void() {
            return Ok(false);
        }
        let (set, stamp) = self.read_set(&file)?;
        let signs = self.state().signs_of_save();
        // A save that has begun since is also read, and then some events are newer than only this
        // one.
        let is_last = Stamp::look(&file) == Some(stamp);
        let mut state = self.state();
        state.reload(set, stamp);
        if is_last {
            state.save_is_over(signs, Instant::now());
        }
        Ok(true)
    }

    /// Tells viewers that their tree stays valid.
    pub(crate) fn announce_failed_load(&self, reason: &str) {
        let mut state = self.state();
        if state.is_loaded() {
            let details = json!({ "reason": reason });
            state.announce("Reload failed", details);
        }
    }

    fn read_set(&self, file: &Path) -> Result<(Set, Stamp), Error> {
        self.read_timed(file, || open(file))
    }

    fn read_timed(
        &self,
        file: &Path,
        open: impl FnOnce() -> Result<Opened, Error>,
    ) -> Result<(Set, Stamp), Error> {
        let timer = self.handles().load_duration.start();
        open().and_then(|opened| read_opened(file, opened)).inspect_err(|_| {
            timer.discard();
            self.handles().load_failed.increment();
        })
    }

    fn loading(&self) -> MutexGuard<'_, ()> {
        // It guards nothing that a panic could leave half done.
        self.turn().lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use live_set::generate::Spec;

    use super::*;
    use crate::files::journal::Sign;
    use crate::osc::arg::Arg;
    use crate::server::ast_server::Outcome;

    fn save(file: &Path, tempo: f64) {
        let spec = Spec { tracks: 2, scenes: 2, clips: 1, tempo, ..Spec::default() };
        let new = file.with_extension("new");
        spec.write_als(File::create(&new).expect("a file")).expect("written");
        fs::rename(&new, file).expect("renamed");
    }

    fn process(server: &AstServer, path: &str, args: &[Arg<'_>]) {
        assert_eq!(server.process_live_event(path, args, 1, 0.0), Outcome::Processed, "{path}");
    }

    /// The set's tempo, and the names and ids of its tracks.
    fn state(server: &AstServer) -> (f64, Vec<(String, String)>) {
        let state = server.state();
        let project = state.loaded().expect("a set").set().project();
        let tracks = project.tracks.iter().map(|it| (it.name.clone(), it.id.to_string()));
        (project.tempo, tracks.collect())
    }

    #[test]
    fn what_the_file_did_not_change_stays_and_what_comes_after_the_first_sign_of_a_save_does() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("set.als");
        save(&file, 120.0);
        let server = AstServer::new();
        server.load_project(&file).expect("the set loads");
        let (_, before) = state(&server);

        process(&server, "/live/track/renamed", &[0.into(), "before".into()]);
        process(&server, "/live/transport/tempo", &[90.0.into()]);
        // Live first writes another file and finally gives it the set's name.
        let written = Sign::Written("set.new".as_ref());
        assert!(!server.state().sign_of_save(written, Instant::now()), "it is not the set's");
        process(&server, "/live/track/added", &[0.into(), "new".into(), "midi".into()]);
        process(&server, "/live/track/renamed", &[2.into(), "after".into()]);
        let (_, live) = state(&server);
        save(&file, 130.0);
        let renamed = Sign::Renamed { from: "set.new".as_ref(), to: "set.als".as_ref() };
        assert!(server.state().sign_of_save(renamed, Instant::now()));
        assert!(server.reload().expect("it reads"));

        let (tempo, after) = state(&server);
        assert_eq!(tempo, 130.0, "what the save says");
        assert_eq!(after[0], live[0], "what was added keeps its id");
        assert_eq!((&after[1], &after[2]), (&live[1], &live[2]), "the file did not change these");
        assert_eq!(before[0].1, after[1].1);
        let mut set = server.state().loaded().expect("a set").set().clone();
        assert_eq!(set.root_hash(), set.rehash(), "hashes are right");
    }
}
