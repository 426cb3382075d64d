//! Watches the set's file, and loads a save of it.
//!
//! The kernel reports changes in the file's folder, because many programs save by replacing the old
//! file with a new one. That is only a hint to check: what counts is the file's [`Stamp`]. Every
//! second the file is also checked without a hint, for file systems that give none and for folders
//! that are replaced.
//!
//! A changing file is left alone until it has been still for a moment, but not forever. If it
//! cannot be read then, it may be half written: it gets [`PATIENCE`] to become complete, and only
//! then are viewers told, once. It is still retried, with growing pauses, because the cause may be
//! temporary, such as a lack of file descriptors.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};

use crate::files::journal::{STILL, Sign};
use crate::files::stamp::Stamp;
use crate::server::ast_server::AstServer;

/// How often the file is checked without a hint, which costs one system call.
const POLL: Duration = Duration::from_secs(1);
/// How long an unreadable file must be unchanged before viewers are told.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a file that never stays still is read anyway.
const STREAM_EVERY: Duration = Duration::from_secs(2);
/// How long a file that never stays still may be unreadable before viewers are told.
const STREAM_PATIENCE: Duration = Duration::from_secs(10);
/// The first and the longest pause before a file that could not be loaded is tried again.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Loads the set's file each time it has changed; never returns.
pub(crate) async fn run(server: AstServer) {
    let mut watcher = Watcher { hints: None, failed: None, server };
    loop {
        let is_watching = watcher.server.settings().watch;
        if is_watching {
            watcher.follow();
        }
        let hint = watcher.server.look().notified();
        let is_hint = if is_watching || watcher.failed.is_some() {
            // Err: the time is over, so the file is checked anyway.
            timeout(POLL, hint).await.is_ok()
        } else {
            hint.await;
            true
        };
        watcher.look(is_hint).await;
    }
}

struct Watcher {
    server: AstServer,
    hints: Option<Hints>,
    /// The state that could not be loaded and was reported.
    failed: Option<Failed>,
}

struct Failed {
    /// `None`: the file did not exist.
    seen: Option<Stamp>,
    reason: String,
    /// When it is tried again, and the present pause.
    again: Instant,
    pause: Duration,
}

/// The source of hints, while this lives.
struct Hints {
    file: PathBuf,
    /// `None` if the system gives no hints.
    _watcher: Option<RecommendedWatcher>,
}

impl Watcher {
    /// Watches the folder of the present file for hints.
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

    /// Loads the file if it differs from what was loaded, once it is complete. If it could not be
    /// loaded, tries again on a hint or after a pause, because the cause may be temporary.
    async fn look(&mut self, is_hint: bool) {
        let Some((file, loaded)) = self.server.state().file() else { return };
        let signs = self.server.state().signs_of_save();
        let seen = Stamp::look(&file);
        if seen == Some(loaded) && !self.server.state().is_void() {
            self.is_loaded();
            return self.server.state().save_is_over(signs, std::time::Instant::now());
        }
        match &self.failed {
            Some(failed) if failed.seen != seen => self.wait_and_load(&file, seen).await,
            Some(failed) if is_hint || failed.again <= Instant::now() => {
                match self.reload().await {
                    Ok(()) => self.is_loaded(),
                    Err(reason) => self.is_not_loaded(reason, seen),
                }
            }
            Some(_) => {
                self.server.state().save_is_over(signs, std::time::Instant::now());
            }
            None => self.wait_and_load(&file, seen).await,
        }
    }

    /// Loads a changed file once it is still. A file that never is, is loaded now and then; one
    /// that cannot be read may be half written.
    async fn wait_and_load(&mut self, file: &Path, mut seen: Option<Stamp>) {
        self.server.state().expect_save(std::time::Instant::now());
        let begun = Instant::now();
        let (mut changed, mut last_try, mut tried) = (begun, begun, None);
        loop {
            sleep(STILL).await;
            let now = Stamp::look(file);
            let is_still = now == seen;
            if !is_still {
                (seen, changed) = (now, Instant::now());
            }
            let is_out_of_patience = changed.elapsed() >= PATIENCE;
            let is_due = is_still && (tried != Some(seen) || is_out_of_patience);
            if !is_due && last_try.elapsed() < STREAM_EVERY {
                continue;
            }
            (tried, last_try) = (Some(seen), Instant::now());
            match self.reload().await {
                Ok(()) => return self.is_loaded(),
                Err(reason) if is_out_of_patience || begun.elapsed() >= STREAM_PATIENCE => {
                    return self.is_not_loaded(reason, seen);
                }
                Err(reason) => tracing::debug!(reason, "waiting for the file to be whole"),
            }
        }
    }

    /// Loads the file; `Err` says why that failed.
    async fn reload(&self) -> Result<(), String> {
        let server = self.server.clone();
        match spawn_blocking(move || server.reload()).await {
            Ok(Ok(true)) => {
                tracing::info!("the set is read again from its file");
                Ok(())
            }
            Ok(Ok(false)) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(panicked) => Err(format!("this is a bug, please report it: {panicked}")),
        }
    }

    fn is_loaded(&mut self) {
        if self.failed.take().is_some() {
            self.server.set_file_problem(None);
        }
    }

    /// Reports a failure, unless the same was reported before.
    fn is_not_loaded(&mut self, reason: String, seen: Option<Stamp>) {
        let mut state = self.server.state();
        let signs = state.signs_of_save();
        state.save_is_over(signs, std::time::Instant::now());
        drop(state);
        let before = self.failed.take();
        let pause = match &before {
            Some(before) if before.seen == seen => (2 * before.pause).min(PAUSE_MAX),
            _ => PAUSE_MIN,
        };
        if before.is_none_or(|before| before.reason != reason) {
            tracing::warn!(reason, "cannot load the set again: the tree stays as it is");
            self.server.announce_failed_load(&reason);
            self.server.set_file_problem(Some(format!("the saved set is not loaded: {reason}")));
        }
        self.failed = Some(Failed { seen, reason, again: Instant::now() + pause, pause });
    }
}

/// Reports every changed file in the folder to the server, and wakes the watcher if it is the
/// set's: a save may begin with another file.
fn hints(file: &Path, server: &AstServer) -> notify::Result<RecommendedWatcher> {
    let (server, name) = (server.clone(), file.file_name().unwrap_or_default().to_owned());
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        let sign = match &event {
            Ok(event) if !event.need_rescan() => sign(event),
            // Hints were lost; one may have been for the set's file.
            _ => Some(Sign::Written(&name)),
        };
        let now = std::time::Instant::now();
        if sign.is_some_and(|sign| server.state().sign_of_save(sign, now)) {
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

/// The file change that an event reports. Reading does not count, in particular not our own.
fn sign(event: &Event) -> Option<Sign<'_>> {
    if let EventKind::Access(access) = event.kind
        && access != AccessKind::Close(AccessMode::Write)
    {
        return None;
    }
    let mut names = event.paths.iter().filter_map(|path| path.file_name());
    match (names.next()?, names.next()) {
        (from, Some(to)) => Some(Sign::Renamed { from, to }),
        (name, None) => Some(Sign::Written(name)),
    }
}

#[cfg(test)]
mod tests;
