//! `tachograph record`.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tachograph::Unit;
use tachograph_history::file::Writer;
use tachograph_history::{Definition, Line, Mark, Meta, format};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use super::wait;
use crate::failure::Failure;
use crate::http::Endpoint;
use crate::live::{News, follow};
use crate::output::{self, Progress};

pub(crate) fn run(
    endpoint: &Endpoint,
    file: &Path,
    time: Option<Duration>,
    force: bool,
) -> Result<ExitCode, Failure> {
    let name = file.display();
    output::check_free(file, force)?;
    let cannot = |error| Failure::Failed(format!("cannot write {name}: {error}"));
    let is_new = !file.exists();
    let writer = Writer::create(file).map_err(|error| {
        Failure::Failed(format!("cannot write {name}: {error}; choose another name"))
    })?;
    let mut recording = Recording::new(writer);
    let ended = wait(record(endpoint, &mut recording, time))?;
    let Recording { mut writer, frames, first_ms, last_ms, restarts, lost, failed, .. } = recording;
    let failed = failed.or_else(|| writer.finish().err());
    drop(writer);
    if frames == 0 {
        if is_new && fs::metadata(file).is_ok_and(|it| it.len() == 0) {
            let _ = fs::remove_file(file);
        }
        failed.map_or(Ok(()), |error| Err(cannot(error)))?;
        ended?;
        return Err(Failure::Failed("no frame arrived: nothing was recorded".to_owned()));
    }
    let span = format((last_ms - first_ms) as f64 / 1e3, &Unit::Seconds);
    let times = |count: u64| if count == 1 { "once".to_owned() } else { format!("{count} times") };
    let mut told = format!("{frames} frames, {span}");
    if restarts > 0 {
        told += &format!("; the program was restarted {}", times(restarts));
    }
    if lost > 0 {
        told += &format!("; {lost} frames were lost, because this program did not keep up");
    }
    if let Some(error) = failed {
        return Err(Failure::Failed(format!("cannot write {name}: {error}; before: {told}")));
    }
    ended?;
    let size = format(fs::metadata(file).map_or(0, |it| it.len()) as f64, &Unit::Bytes);
    output::say(&format!(
        "{told}; {size} in {name}; view it with: tachograph top {}\n",
        output::quoted(file)
    ));
    Ok(ExitCode::SUCCESS)
}

/// Records until a signal, the end of the time, or an error.
async fn record(
    endpoint: &Endpoint,
    recording: &mut Recording,
    time: Option<Duration>,
) -> Result<(), Failure> {
    let caught = |kind| signal(kind).map_err(|error| Failure::Failed(error.to_string()));
    let (mut interrupt, mut terminate) =
        (caught(SignalKind::interrupt())?, caught(SignalKind::terminate())?);
    let mut progress = Progress::new();
    let following = follow(endpoint, "?since=0", |news| match recording.take(news) {
        Ok(text) => {
            if let Some(text) = text {
                progress.show(|| format!("{text}  Ctrl-C stops"));
            }
            true
        }
        Err(error) => {
            recording.failed = Some(error);
            false
        }
    });
    let end = async {
        match time {
            Some(time) => sleep(time).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        followed = following => followed?,
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = end => {}
    }
    Ok(())
}

/// A recording in progress. Definitions and frames that the stream repeats are written once.
struct Recording {
    writer: Writer,
    meta: Option<Meta>,
    /// Whether the meta line is to be written with the next frame. An older file stays until then.
    is_meta_new: bool,
    known: HashSet<u32>,
    /// Definitions to be written with the next frame.
    new: BTreeMap<u32, Definition>,
    version: u64,
    frames: u64,
    first_ms: u64,
    last_ms: u64,
    restarts: u64,
    /// Whether the next frame is the first one after a restart.
    is_restarted: bool,
    /// Frames that the server skipped.
    lost: u64,
    /// Why the file does not take any more.
    failed: Option<io::Error>,
}

impl Recording {
    fn new(writer: Writer) -> Self {
        Self {
            writer,
            meta: None,
            is_meta_new: false,
            known: HashSet::new(),
            new: BTreeMap::new(),
            version: 0,
            frames: 0,
            first_ms: 0,
            last_ms: 0,
            restarts: 0,
            is_restarted: false,
            lost: 0,
            failed: None,
        }
    }

    /// Writes what arrived; returns the progress to show, if any.
    fn take(&mut self, news: News) -> io::Result<Option<String>> {
        let line = match news {
            News::Connected => return Ok(None),
            News::Missed(frames) => {
                self.lost += frames;
                return Ok(Some(format!("{frames} frames were lost")));
            }
            News::Lost { reason, pause } => {
                let pause = format(pause.as_secs_f64(), &Unit::Seconds);
                return Ok(Some(format!("{reason}; trying again in {pause}")));
            }
            News::Line(line) => *line,
        };
        match line {
            Line::Meta(meta) => {
                let started = self.meta.as_ref().map(|it| it.started_ms);
                // The same process again, after a lost connection: its recording continues.
                if started != Some(meta.started_ms) {
                    self.is_meta_new = true;
                    self.is_restarted = self.frames > 0;
                    self.restarts += u64::from(self.is_restarted);
                    self.known.clear();
                    self.new.clear();
                    self.version = 0;
                }
                self.meta = Some(meta);
            }
            Line::Series(definition) => {
                if !self.known.contains(&definition.number) {
                    self.new.insert(definition.number, definition);
                }
            }
            Line::Frame(mut frame) if frame.version > self.version || self.version == 0 => {
                if std::mem::take(&mut self.is_restarted) {
                    frame.mark(Mark::Restart);
                }
                if std::mem::take(&mut self.is_meta_new) {
                    self.meta.iter().try_for_each(|meta| self.writer.meta(meta))?;
                }
                let new = std::mem::take(&mut self.new);
                self.known.extend(new.keys());
                self.writer.frame(&frame, new.values())?;
                self.version = frame.version;
                self.frames += 1;
                if self.frames == 1 {
                    self.first_ms = frame.end_ms.saturating_sub(frame.span_ms);
                }
                self.last_ms = frame.end_ms.max(self.first_ms);
                return Ok(Some(self.progress()));
            }
            Line::Frame(_) => {}
        }
        Ok(None)
    }

    fn progress(&self) -> String {
        let seconds = (self.last_ms - self.first_ms) as f64 / 1e3;
        let span = format(seconds.round(), &Unit::Seconds);
        format!("{} frames, {span}, {} series.", self.frames, self.known.len())
    }
}
