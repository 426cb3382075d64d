//! Logs to standard error, from a separate thread with a queue that drops lines when it is full.
//! Nothing waits for the log's reader, and nothing fails because of it.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use super::Failure;
use super::settings::LogFormat;

/// The maximum number of lines waiting to be written.
const QUEUE_LINES: usize = 8_192;

/// The filter from a flag, or else from `RUST_LOG`, or else a default level.
pub(super) fn filter(flag: Option<&str>, default: &str) -> Result<Targets, Failure> {
    let (source, wanted) = match (flag, std::env::var("RUST_LOG")) {
        (Some(flag), _) => ("log-level", flag.to_owned()),
        (None, Ok(wanted)) if !wanted.is_empty() => ("RUST_LOG", wanted),
        _ => ("default", default.to_owned()),
    };
    let told = |reason: &dyn std::fmt::Display| {
        format!("cannot use {source}={wanted:?}: {reason}; try info, or info,ast_server=debug")
    };
    // A level with a typing error would be taken for the name of a module.
    let levels =
        wanted.split(',').map(str::trim).filter(|part| flag.is_some() && !part.contains('='));
    for level in levels {
        level
            .parse::<LevelFilter>()
            .map_err(|_| Failure::usage(told(&format!("{level:?} is no level"))))?;
    }
    wanted.parse().map_err(|reason: ParseError| Failure::usage(told(&reason)))
}

/// The log. When it is dropped, waiting lines are still written, for up to a second.
pub(super) struct Log {
    filter: reload::Handle<Targets, Registry>,
    unwritten: Arc<AtomicU64>,
    no_room: ErrorCounter,
    _writing: WorkerGuard,
}

impl Log {
    /// Starts logging, including panics; in colour only on a terminal that supports it.
    pub(super) fn start(filter: Targets, format: LogFormat) -> Result<Self, Failure> {
        // A separate handle: std's would be locked while its reader reads nothing.
        let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let unwritten = Arc::new(AtomicU64::new(0));
        let lines = Lines { stderr, unwritten: Arc::clone(&unwritten) };
        let queue = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(QUEUE_LINES);
        let (writer, writing) = queue.thread_name("ast-log").finish(lines);
        let no_room = writer.error_counter();
        let (filter, handle) = reload::Layer::new(filter);
        tracing_subscriber::registry().with(layer(writer, format).with_filter(filter)).init();
        std::panic::set_hook(Box::new(|panic| {
            let thread = thread::current();
            tracing::error!(thread = thread.name(), "{panic}");
        }));
        Ok(Self { filter: handle, unwritten, no_room, _writing: writing })
    }

    /// Uses another filter from now on.
    pub(super) fn set_filter(&self, filter: Targets) -> Result<(), Failure> {
        Ok(self.filter.reload(filter)?)
    }

    /// The number of lines that could not be written so far.
    pub(super) fn dropped(&self) -> u64 {
        // Relaxed: the count guards no other data.
        self.unwritten.load(Ordering::Relaxed) + self.no_room.dropped_lines() as u64
    }
}

fn layer<W>(writer: W, format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_writer(writer).log_internal_errors(false);
    // On a terminal the library decides: it respects `NO_COLOR`.
    let lines = if io::stderr().is_terminal() { lines } else { lines.with_ansi(false) };
    match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    }
}

/// Writes lines. A line that cannot be written is counted and dropped.
struct Lines {
    stderr: File,
    unwritten: Arc<AtomicU64>,
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.stderr.write_all(line).is_err() {
            // Relaxed: the count guards no other data.
            self.unwritten.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
