//! What is logged, to standard error: by a thread of its own, from a queue that drops what it has
//! no room for. Nobody waits for who reads the log, and nothing fails with it.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use super::Failure;
use super::settings::LogFormat;

/// Lines that may wait to be written.
const QUEUE_LINES: usize = 8_192;

/// What a flag says, or else `RUST_LOG`, or else a level.
pub(super) fn filter(flag: Option<&str>, default: &str) -> Result<Targets, Failure> {
    let (source, wanted) = match (flag, std::env::var("RUST_LOG")) {
        (Some(flag), _) => ("log-level", flag.to_owned()),
        (None, Ok(wanted)) if !wanted.is_empty() => ("RUST_LOG", wanted),
        _ => ("default", default.to_owned()),
    };
    wanted.parse().map_err(|reason: ParseError| {
        format!("cannot use {source}={wanted:?}: {reason}; try info").into()
    })
}

/// The log. What waits when it is dropped is written, unless that takes more than a second.
pub(super) struct Log {
    filter: reload::Handle<Targets, Registry>,
    unwritten: Arc<AtomicU64>,
    no_room: ErrorCounter,
    _writing: WorkerGuard,
}

impl Log {
    /// Logs from now on, panics too; in colour only where a terminal shows it.
    pub(super) fn start(filter: Targets, format: LogFormat) -> Result<Self, Failure> {
        // A handle of its own: std's would be locked as long as its reader reads nothing.
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

    /// Logs by another filter from now on.
    pub(super) fn set_filter(&self, filter: Targets) -> Result<(), Failure> {
        Ok(self.filter.reload(filter)?)
    }

    /// How many lines could not be written so far.
    pub(super) fn dropped(&self) -> u64 {
        // Relaxed: a number that stands for itself.
        self.unwritten.load(Ordering::Relaxed) + self.no_room.dropped_lines() as u64
    }
}

fn layer<W>(writer: W, format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_writer(writer).log_internal_errors(false);
    // On a terminal as ever: the library heeds `NO_COLOR`.
    let lines = if io::stderr().is_terminal() { lines } else { lines.with_ansi(false) };
    match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    }
}

/// Writes lines. One that cannot be written is counted and left out.
struct Lines {
    stderr: File,
    unwritten: Arc<AtomicU64>,
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.stderr.write_all(line).is_err() {
            // Relaxed: a number that stands for itself.
            self.unwritten.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
