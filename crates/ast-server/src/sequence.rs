//! Sequence numbers of one sender: what came, what is missing, what came late.
//!
//! A pure state machine over numbers that wrap at 2^31.

use std::net::SocketAddr;

/// Numbers are below this.
const MODULUS: u32 = 1 << 31;
/// How many of the newest numbers are remembered one by one.
pub const WINDOW: u32 = 1_024;
/// A jump up by more than this is a sender that has started again.
pub const JUMP_MAX: u32 = 1_000_000;

const WORDS: usize = (WINDOW / 64) as usize;

/// What a number is, in the light of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The first of all: the baseline.
    First,
    /// The next one.
    InOrder,
    /// Numbers before it are missing.
    Gap {
        /// How many.
        missing: u32,
    },
    /// It is one of those that were missing.
    Recovered,
    /// It is from before the baseline: late, but never missed.
    Early,
    /// It was received before.
    Duplicate,
    /// The sender has started again: the new baseline.
    Restart,
}

/// Tracks the numbers of one run after another.
#[derive(Clone, Debug, Default)]
pub struct SequenceTracker {
    run: Option<Run>,
}

impl SequenceTracker {
    /// Says what a number is and remembers it. `seq` is taken modulo 2^31.
    pub fn observe(&mut self, source: SocketAddr, seq: u32) -> Verdict {
        let seq = seq % MODULUS;
        let Some(run) = &mut self.run else {
            self.run = Some(Run::new(source, seq));
            return Verdict::First;
        };
        let verdict = if run.source == source { run.observe(seq) } else { Verdict::Restart };
        if verdict == Verdict::Restart {
            *run = Run::new(source, seq);
        }
        verdict
    }

    /// The newest number of the current run.
    #[must_use]
    pub fn newest(&self) -> Option<u32> {
        self.run.as_ref().map(|run| run.newest)
    }
}

/// The numbers since the sender started.
#[derive(Clone, Debug)]
struct Run {
    source: SocketAddr,
    newest: u32,
    /// How many numbers from the baseline to the newest, both included; stays at the window's
    /// width once it is reached, for what is older is out of it anyway.
    span: u32,
    /// Bit `n % WINDOW`: the number `n` of the window was received.
    received: [u64; WORDS],
}

impl Run {
    fn new(source: SocketAddr, baseline: u32) -> Self {
        let mut run = Self { source, newest: baseline, span: 1, received: [0; WORDS] };
        run.set(baseline, true);
        run
    }

    fn observe(&mut self, seq: u32) -> Verdict {
        let ahead = seq.wrapping_sub(self.newest) % MODULUS;
        let behind = self.newest.wrapping_sub(seq) % MODULUS;
        if behind < WINDOW {
            self.observe_late(seq, behind)
        } else if ahead <= JUMP_MAX {
            self.advance(seq, ahead);
            match ahead - 1 {
                0 => Verdict::InOrder,
                missing => Verdict::Gap { missing },
            }
        } else {
            Verdict::Restart
        }
    }

    fn observe_late(&mut self, seq: u32, behind: u32) -> Verdict {
        if self.has(seq) {
            return Verdict::Duplicate;
        }
        self.set(seq, true);
        if behind < self.span { Verdict::Recovered } else { Verdict::Early }
    }

    /// Moves the window up to `seq`, of which none but the last was received.
    fn advance(&mut self, seq: u32, by: u32) {
        if by >= WINDOW {
            self.received = [0; WORDS];
        } else {
            for step in 1..by {
                self.set(self.newest.wrapping_add(step), false);
            }
        }
        self.set(seq, true);
        self.newest = seq;
        self.span = self.span.saturating_add(by).min(WINDOW);
    }

    // The modulus is a multiple of the window's width, so that a number's bit is its own across
    // the wrap.
    fn has(&self, seq: u32) -> bool {
        let bit = seq % WINDOW;
        self.received[(bit / 64) as usize] & (1 << (bit % 64)) != 0
    }

    fn set(&mut self, seq: u32, received: bool) {
        let bit = seq % WINDOW;
        let word = &mut self.received[(bit / 64) as usize];
        let mask = 1 << (bit % 64);
        *word = if received { *word | mask } else { *word & !mask };
    }
}
