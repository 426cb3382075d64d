//! The file of the set: a save of it is loaded again.
//!
//! The kernel tells of changes in the file's folder, because many programs save by putting a new
//! file in the place of the old one. That is only a hint to look: what counts is the file's
//! [`Stamp`]. Every second it is looked at without a hint too, for file systems that give none and
//! folders that give way to others.
//!
//! A file that changes is left alone until it has been still for a moment. One that cannot be read
//! then may be half written: it is given [`PATIENCE`] to become whole, and only then is anyone
//! told.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};

use crate::journal::STILL;
use crate::loading::Stamp;
use crate::server::AstServer;

/// How often the file is looked at without a hint: one call of the system.
const POLL: Duration = Duration::from_secs(1);
/// How long a file that cannot be read has to be as it is before viewers are told.
const PATIENCE: Duration = Duration::from_secs(2);

/// Loads the set's file again each time it has changed; never ends.
pub(crate) async fn run(server: AstServer) {
    let mut watcher = Watcher { hints: None, failed: None, server };
    loop {
        if watcher.server.settings().watch {
            watcher.follow();
            // Err: the time is over, and so it is looked at all the same.
            let _ = timeout(POLL, watcher.server.look().notified()).await;
        } else {
            watcher.server.look().notified().await;
        }
        watcher.look().await;
    }
}

struct Watcher {
    server: AstServer,
    hints: Option<Hints>,
    /// What could not be loaded and was told of; `None` inside: the file was not there.
    failed: Option<Option<Stamp>>,
}

/// Where hints come from, while this lives.
struct Hints {
    file: PathBuf,
    /// `None` where the system gives no hints.
    _watcher: Option<RecommendedWatcher>,
}

impl Watcher {
    /// Has hints come from the folder of the file that is loaded now.
    fn follow(&mut self) {
        let file = self.server.state().file().map(|(file, _)| file);
        if self.hints.as_ref().map(|hints| &hints.file) == file.as_ref() {
            return;
        }
        self.hints = file.map(|file| {
            let told = |error: &notify::Error| {
                tracing::warn!(file = %file.display(), %error, "no hints of saves, only looking");
            };
            let watcher = hints(&file, &self.server).inspect_err(told).ok();
            Hints { file, _watcher: watcher }
        });
    }

    /// Loads the file again if it is not what was loaded, once it is whole.
    async fn look(&mut self) {
        let Some((file, loaded)) = self.server.state().file() else { return };
        let signs = self.server.state().signs_of_save();
        let mut seen = Stamp::look(&file);
        if seen == Some(loaded) || self.failed == Some(seen) {
            return self.server.state().save_is_over(signs);
        }
        self.server.state().expect_save(std::time::Instant::now());
        let mut changed = Instant::now();
        let mut tried = None;
        loop {
            sleep(STILL).await;
            let now = Stamp::look(&file);
            if now != seen {
                (seen, changed) = (now, Instant::now());
            } else if tried != Some(seen) || changed.elapsed() >= PATIENCE {
                tried = Some(seen);
                match self.reload().await {
                    Ok(()) => return self.failed = None,
                    Err(reason) if changed.elapsed() >= PATIENCE => {
                        return self.tell(&reason, seen);
                    }
                    Err(reason) => tracing::debug!(reason, "waiting for the file to be whole"),
                }
            }
        }
    }

    /// Loads the file again; `Err` says why that failed.
    async fn reload(&self) -> Result<(), String> {
        let server = self.server.clone();
        match spawn_blocking(move || server.reload()).await {
            Ok(Ok(true)) => {
                tracing::info!("the set was saved, and is loaded again");
                Ok(())
            }
            Ok(Ok(false)) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(panicked) => Err(format!("this is a bug, please report it: {panicked}")),
        }
    }

    fn tell(&mut self, reason: &str, seen: Option<Stamp>) {
        let mut state = self.server.state();
        let signs = state.signs_of_save();
        state.save_is_over(signs);
        drop(state);
        tracing::warn!(reason, "cannot load the set again: the tree stays as it is");
        self.server.announce_failed_load(reason);
        self.failed = Some(seen);
    }
}

/// Has the server look whenever something happens to a file's name, or somebody is done writing.
fn hints(file: &Path, server: &AstServer) -> notify::Result<RecommendedWatcher> {
    let (server, name) = (server.clone(), file.file_name().map(ToOwned::to_owned));
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // An error may mean that hints were lost.
        if event.map_or(true, |event| is_hint(&event, name.as_deref())) {
            server.state().sign_of_save(std::time::Instant::now());
            server.look().notify_one();
        }
    })?;
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    watcher.watch(folder, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

/// Reading the file is no news, the loads' own least of all.
fn is_hint(event: &Event, name: Option<&OsStr>) -> bool {
    let is_written = match event.kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        _ => true,
    };
    is_written && (event.need_rescan() || event.paths.iter().any(|path| path.file_name() == name))
}
