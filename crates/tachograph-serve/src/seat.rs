//! The place of a connection among the others, and who gives theirs up when all are taken.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

/// What one connection is at.
#[derive(Debug)]
pub(crate) struct Seat {
    state: Mutex<State>,
    /// Told when the seat can be given to somebody else.
    can_leave: Arc<Notify>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    phase: Phase,
    since: Instant,
}

/// In the order in which connections are given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// It has yet to ask something, or to ask again.
    Silent,
    /// Its answer is under way: it does not read, or there is much to read.
    Answered,
    /// It has asked, and will get its answer.
    Served,
}

impl Seat {
    pub(crate) fn new(can_leave: Arc<Notify>) -> Arc<Self> {
        let state = State { phase: Phase::Silent, since: Instant::now() };
        Arc::new(Self { state: Mutex::new(state), can_leave })
    }

    /// A request has come: until [`Asked`] is dropped, the seat is not given up.
    pub(crate) fn ask(self: &Arc<Self>) -> Asked {
        self.turn(Phase::Served);
        Asked(Arc::clone(self))
    }

    /// Some of an answer is written, the rest has to wait.
    pub(crate) fn has_begun_answer(&self) {
        if self.state().phase != Phase::Answered {
            self.turn(Phase::Answered);
        }
    }

    /// All of it is written.
    pub(crate) fn has_ended_answer(&self) {
        if self.state().phase == Phase::Answered {
            self.turn(Phase::Silent);
        }
    }

    fn turn(&self, phase: Phase) {
        *self.state() = State { phase, since: Instant::now() };
        if phase != Phase::Served {
            self.can_leave.notify_one();
        }
    }

    /// Who goes first has the least; `None` for who stays.
    pub(crate) fn rank(&self) -> Option<impl Ord + use<>> {
        let State { phase, since } = *self.state();
        (phase != Phase::Served).then_some((phase, since))
    }

    /// Nothing can panic while it is locked.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Asked(Arc<Seat>);

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.turn(Phase::Silent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_silent_for_longest_goes_first_then_who_does_not_read_and_who_has_asked_never() {
        let can_leave = Arc::new(Notify::new());
        let [first, second, deaf, asked] =
            std::array::from_fn(|_| Seat::new(Arc::clone(&can_leave)));
        deaf.has_begun_answer();
        let request = asked.ask();
        assert!(asked.rank().is_none());
        assert!(first.rank() < second.rank() && second.rank() < deaf.rank());
        drop(first.ask());
        assert!(second.rank() < first.rank(), "it has asked something meanwhile");
        drop(request);
        assert!(first.rank() < asked.rank() && asked.rank() < deaf.rank());
        deaf.has_ended_answer();
        assert!(asked.rank() < deaf.rank());
    }
}
