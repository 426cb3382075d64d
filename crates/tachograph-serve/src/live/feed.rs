//! Passes frames to a thread that processes each of them.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use tachograph_history::{Definition, Frame};

/// The number of frames that may wait. Further ones are merged into the last, so that none is lost
/// and memory is bounded.
const WAITING_MAX: usize = 32;

/// How long dropping a feed waits for its thread.
const END: Duration = Duration::from_secs(1);

/// A frame with the definitions that first appear in it.
#[derive(Clone, Debug)]
pub(crate) struct Fed {
    pub(crate) frame: Arc<Frame>,
    pub(crate) new: Vec<Arc<Definition>>,
}

/// A thread that is fed frames. The feeding thread never waits for it.
#[derive(Debug)]
pub(crate) struct Feed {
    shared: Arc<Shared>,
    /// Never receives anything: the thread drops the other end when it ends.
    ended: Mutex<Receiver<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<Fed>,
    is_closed: bool,
}

impl Feed {
    /// Starts the thread. It calls `eat` with each frame, and with `None` if none came for
    /// `patience`, until `eat` says to end.
    pub(crate) fn start(
        name: &str,
        patience: Duration,
        mut eat: impl FnMut(Option<Fed>) -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (running, ended) = mpsc::channel();
        let fed = Arc::clone(&shared);
        Builder::new().name(name.to_owned()).spawn(move || {
            while let Some(next) = fed.next(patience) {
                if !eat(next) {
                    break;
                }
            }
            // No more frames are kept: nothing would read them.
            fed.close();
            drop((eat, running));
        })?;
        Ok(Self { shared, ended: Mutex::new(ended) })
    }

    pub(crate) fn send(&self, fed: Fed) {
        let mut waiting = self.shared.waiting();
        if waiting.is_closed {
            return;
        }
        let is_full = waiting.frames.len() >= WAITING_MAX;
        match waiting.frames.back_mut().filter(|_| is_full) {
            Some(last) => {
                Arc::make_mut(&mut last.frame).append(&fed.frame);
                last.new.extend(fed.new);
            }
            None => waiting.frames.push_back(fed),
        }
        drop(waiting);
        self.shared.changed.notify_one();
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.shared.close();
        // Always Err: the thread has ended, or takes too long.
        let _ = self.ended.get_mut().map(|ended| ended.recv_timeout(END));
    }
}

impl Shared {
    /// The next frame; `None` once it is closed and empty; `Some(None)` if nothing arrived in time.
    fn next(&self, patience: Duration) -> Option<Option<Fed>> {
        let is_idle = |waiting: &mut Waiting| waiting.frames.is_empty() && !waiting.is_closed;
        let waited = self.changed.wait_timeout_while(self.waiting(), patience, is_idle);
        let (mut waiting, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        match waiting.frames.pop_front() {
            None if timeout.timed_out() && !waiting.is_closed => Some(None),
            fed => fed.map(Some),
        }
    }

    fn close(&self) {
        self.waiting().is_closed = true;
        self.changed.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(version: u64) -> Fed {
        let frame = Frame { version, counters: vec![(7, 1)], ..Frame::default() };
        Fed { frame: Arc::new(frame), new: Vec::new() }
    }

    #[test]
    fn a_thread_that_hangs_is_waited_for_by_nobody_and_gets_everything_later() {
        let (go, gone) = mpsc::channel::<()>();
        let (eaten, eats) = mpsc::channel();
        let feed = Feed::start("test", Duration::from_secs(3_600), move |fed| {
            // Err: it is no longer blocked.
            let _ = gone.recv();
            eaten.send(fed.expect("a frame").frame).is_ok()
        });
        let feed = feed.expect("starts");
        (1..=10_000).for_each(|version| feed.send(fed(version)));
        assert!(feed.shared.waiting().frames.len() <= WAITING_MAX);
        drop(go);
        drop(feed);
        let got: Vec<_> = eats.into_iter().collect();
        assert!(got.len() <= WAITING_MAX + 1, "{} frames", got.len());
        assert_eq!(got.iter().filter_map(|frame| frame.counter(7)).sum::<i128>(), 10_000);
        assert_eq!(got.last().expect("the last").version, 10_000);
    }

    #[test]
    fn where_nothing_comes_the_thread_is_told() {
        let (eaten, eats) = mpsc::channel();
        let feed = Feed::start("test", Duration::from_millis(1), move |fed| {
            eaten.send(fed.is_none()).is_ok()
        });
        assert_eq!(eats.recv(), Ok(true));
        drop(feed);
    }
}
