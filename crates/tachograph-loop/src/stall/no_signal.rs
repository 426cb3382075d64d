//! Where no thread can be asked for its stack.

use std::io;

use crate::stall::backtrace::Backtrace;
use crate::stall::report::NoBacktrace;

/// The signal that asks a thread; there is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signal;

impl Signal {
    pub(super) fn install(_: Option<i32>) -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) fn ask(self, _: &Thread) -> Result<Backtrace, NoBacktrace> {
        Err(NoBacktrace::Unsupported)
    }
}

/// A thread that can be asked; none can.
#[derive(Clone, Debug)]
pub(super) struct Thread;

impl Thread {
    pub(super) fn current() -> Option<Self> {
        Some(Self)
    }
}
