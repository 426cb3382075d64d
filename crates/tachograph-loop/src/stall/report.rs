//! What a callback is told about a stall.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::stall::backtrace::Backtrace;

/// A turn that has taken longer than the threshold, and still runs.
///
/// Prints as a line, and a line for each function of the backtrace.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stall {
    /// The name of the loop's monitor.
    pub name: Arc<str>,
    /// How long the turn has run at least; the watcher first saw it up to half a threshold late.
    pub lasted: Duration,
    /// 1 in the first report of a turn, 2 when it has run twice as long, and so on.
    pub report: u32,
    /// Reports of this detector that the limit has suppressed since the last one.
    pub suppressed: u64,
    /// Where the loop was, taken once a stall; later reports have that of the first that has one.
    pub backtrace: Result<Arc<Backtrace>, NoBacktrace>,
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, lasted, suppressed, .. } = self;
        write!(f, "loop `{name}` is stalled: its turn has taken {lasted:.1?} and goes on")?;
        if *suppressed > 0 {
            write!(f, " ({suppressed} reports suppressed before this one)")?;
        }
        match &self.backtrace {
            Ok(backtrace) => write!(f, "\n{backtrace}"),
            Err(reason) => write!(f, "; no backtrace: {reason}"),
        }
    }
}

/// Why a report has no backtrace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoBacktrace {
    /// Backtraces need Linux on x86-64 or aarch64.
    Unsupported,
    /// The detector was told to [do without](crate::StallBuilder::no_backtrace).
    SwitchedOff,
    /// The turn ended before its thread had answered.
    Over,
    /// The thread did not answer within 100 ms: it blocks the signal, or it is in a system call
    /// that no signal interrupts.
    Silent,
}

impl fmt::Display for NoBacktrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsupported => "this needs Linux on x86-64 or aarch64",
            Self::SwitchedOff => "it is switched off",
            Self::Over => "the turn ended just then",
            Self::Silent => "the thread did not answer its signal",
        })
    }
}
