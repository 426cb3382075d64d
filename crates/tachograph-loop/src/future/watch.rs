//! What has a stall detector watch the polls of one kind of future.
//!
//! To the detector each thread that polls is a loop, and each poll a turn of it.

use std::cell::RefCell;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::stall::detector::Registrar;
use crate::stall::watched::Watched;

/// A kind of future whose polls are watched.
#[derive(Debug)]
pub(super) struct PollWatch {
    task: Box<str>,
    registrar: Registrar,
}

/// The loop that this thread is to the detector of a kind of future.
struct Here {
    of: Weak<PollWatch>,
    watched: Watched,
    is_polling: bool,
}

thread_local! {
    static HERE: RefCell<Vec<Here>> = const { RefCell::new(Vec::new()) };
}

impl PollWatch {
    pub(super) fn new(task: &str, registrar: Registrar) -> Arc<Self> {
        Arc::new(Self { task: task.into(), registrar })
    }

    /// Starts a poll; `None` inside another one of the same kind, which goes on after it, and in a
    /// thread that ends.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Entered<'_>> {
        let enter = |here: &mut Here| {
            if !here.is_polling {
                here.watched.turn_starts();
            }
            !std::mem::replace(&mut here.is_polling, true)
        };
        self.here(enter)?.then(|| Entered(self))
    }

    /// Records a poll that has ended, if it was a stall.
    pub(super) fn took(self: &Arc<Self>, took: Duration) {
        self.here(|here| {
            if let Some(stalls) = here.watched.stall(took) {
                stalls.record(took);
            }
        });
    }

    /// A thread's first poll makes its loop known.
    fn here<R>(self: &Arc<Self>, act: impl FnOnce(&mut Here) -> R) -> Option<R> {
        let act = |all: &RefCell<Vec<Here>>| {
            let all = &mut *all.borrow_mut();
            let is_own = |here: &Here| std::ptr::eq(here.of.as_ptr(), Arc::as_ptr(self));
            let place = all.iter().position(is_own).unwrap_or_else(|| {
                all.retain(|here| here.of.strong_count() > 0);
                let watched = self.registrar.watch(&self.task);
                all.push(Here { of: Arc::downgrade(self), watched, is_polling: false });
                all.len() - 1
            });
            act(&mut all[place])
        };
        // Err: the thread ends, and has no thread-locals any more.
        HERE.try_with(act).ok()
    }
}

/// A poll under way; ends where it is dropped, also by a panic.
#[derive(Debug)]
pub(super) struct Entered<'a>(&'a Arc<PollWatch>);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.here(|here| {
            here.is_polling = false;
            here.watched.turn_ends();
        });
    }
}
