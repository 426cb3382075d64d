//! One run: a sender's numbers since it started.

use std::collections::VecDeque;
use std::time::Instant;

use super::arrival::{Arrival, JUMP_MAX, MODULUS, Verdict, WINDOW, is_over};
use super::touch::Touch;
use crate::events::stale::Stale;

/// What is remembered of a received number.
#[derive(Clone, Copy, Debug)]
struct Seen {
    hash: u64,
    at: Instant,
    /// What its event changed; `None` if it was not processed.
    touch: Option<Touch>,
}

#[derive(Debug)]
pub(super) struct Run {
    newest: u32,
    last_heard: Instant,
    /// How many numbers lie between the baseline and the newest, both included. Stops growing at
    /// the window's width, because older ones are outside the window anyway.
    span: u32,
    /// The numbers up to the newest, which is last; `None` for one that was not received. Only as
    /// long as needed, at most [`WINDOW`].
    window: VecDeque<Option<Seen>>,
}

impl Run {
    pub(super) fn new(first: Arrival) -> Self {
        let window = VecDeque::from([Some(Seen::of(first))]);
        Self { newest: first.seq, last_heard: first.at, span: 1, window }
    }

    pub(super) const fn newest(&self) -> u32 {
        self.newest
    }

    pub(super) const fn last_heard(&self) -> Instant {
        self.last_heard
    }

    pub(super) fn observe(&mut self, arrival: Arrival) -> Verdict {
        let was_silent = is_over(self.last_heard, arrival.at);
        self.last_heard = arrival.at;
        let ahead = arrival.seq.wrapping_sub(self.newest) % MODULUS;
        let behind = self.behind(arrival.seq);
        // Before the baseline there may be late numbers for a moment; later, only a new run has them.
        let verdict = if behind < self.span || (behind < WINDOW && !was_silent) {
            self.observe_late(arrival, behind)
        } else if ahead <= JUMP_MAX {
            self.advance(arrival, ahead);
            match ahead - 1 {
                0 => Verdict::InOrder,
                missing => Verdict::Gap { missing },
            }
        } else {
            Verdict::Restart
        };
        if verdict == Verdict::Restart {
            *self = Self::new(arrival);
        }
        verdict
    }

    fn observe_late(&mut self, arrival: Arrival, behind: u32) -> Verdict {
        // None was received in the part that has not been looked at yet.
        while self.window.len() <= behind as usize {
            self.window.push_front(None);
        }
        match self.place(behind) {
            Some(Some(seen)) if seen.hash == arrival.hash && !is_over(seen.at, arrival.at) => {
                return Verdict::Duplicate;
            }
            Some(place @ None) => *place = Some(Seen::of(arrival)),
            _ => return Verdict::Restart,
        }
        if behind < self.span { Verdict::Recovered } else { Verdict::Early }
    }

    /// Moves the window up to a number; of the new part only the last was received.
    fn advance(&mut self, arrival: Arrival, by: u32) {
        if by >= WINDOW {
            self.window.clear();
        } else {
            self.window.extend((1..by).map(|_| None));
        }
        self.window.push_back(Some(Seen::of(arrival)));
        let too_many = self.window.len().saturating_sub(WINDOW as usize);
        self.window.drain(..too_many);
        self.newest = arrival.seq;
        self.span = self.span.saturating_add(by).min(WINDOW);
    }

    pub(super) fn applied(&mut self, seq: u32, touch: Touch) {
        if let Some(Some(seen)) = self.place(self.behind(seq)) {
            seen.touch = Some(touch);
        }
    }

    pub(super) fn stale(&self, seq: u32, touch: Touch) -> Stale {
        let newer = self.window.iter().rev().take(self.behind(seq) as usize);
        let newer = newer.flatten().filter_map(|seen| seen.touch);
        newer.fold(Stale::default(), |stale, newer| stale.and(newer.makes_stale(touch)))
    }

    /// How far a number is behind the newest.
    const fn behind(&self, seq: u32) -> u32 {
        self.newest.wrapping_sub(seq) % MODULUS
    }

    /// What is remembered of the number this far behind the newest.
    fn place(&mut self, behind: u32) -> Option<&mut Option<Seen>> {
        let index = self.window.len().checked_sub(behind as usize + 1)?;
        self.window.get_mut(index)
    }
}

impl Seen {
    const fn of(arrival: Arrival) -> Self {
        Self { hash: arrival.hash, at: arrival.at, touch: None }
    }
}
