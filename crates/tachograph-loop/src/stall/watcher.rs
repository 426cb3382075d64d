//! The thread that watches.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tachograph::Counter;

use crate::stall::backtrace::Backtrace;
use crate::stall::limit::Limit;
use crate::stall::progress::{Due, Progress};
use crate::stall::report::{NoBacktrace, Stall};
use crate::stall::signal::Signal;
use crate::stall::watched::Shared;

/// Reports that `assert_no_stalls` can print.
const KEPT: usize = 4;

/// What a detector shares with its thread.
pub(super) struct Watch {
    pub(super) threshold: Duration,
    pub(super) signal: Option<Signal>,
    pub(super) on_stall: Box<dyn Fn(&Stall) + Send + Sync>,
    pub(super) suppressed: Counter,
    list: Mutex<List>,
    changed: Condvar,
    /// Turns that were seen to be stalls while they ran. Written by the watcher.
    stalls: AtomicU64,
    /// Turns that ended above the threshold. Written by loops.
    pub(super) over: Arc<AtomicU64>,
}

#[derive(Default)]
struct List {
    /// All loops; those that are gone leave when the next one comes.
    loops: Vec<Weak<Shared>>,
    kept: Vec<Stall>,
    stops: bool,
}

impl Watch {
    pub(super) fn new(
        threshold: Duration,
        signal: Option<Signal>,
        on_stall: Box<dyn Fn(&Stall) + Send + Sync>,
        suppressed: Counter,
    ) -> Self {
        let (list, changed) = (Mutex::default(), Condvar::new());
        let (stalls, over) = (AtomicU64::new(0), Arc::default());
        Self { threshold, signal, on_stall, suppressed, list, changed, stalls, over }
    }

    pub(super) fn add(&self, shared: &Arc<Shared>) {
        let mut list = self.lock();
        list.loops.retain(|known| known.strong_count() > 0);
        list.loops.push(Arc::downgrade(shared));
        self.changed.notify_one();
    }

    pub(super) fn stop(&self) {
        self.lock().stops = true;
        self.changed.notify_one();
    }

    pub(super) fn stalls(&self) -> u64 {
        // Relaxed: a count.
        self.stalls.load(Ordering::Relaxed)
    }

    pub(super) fn over(&self) -> u64 {
        // Relaxed: a count.
        self.over.load(Ordering::Relaxed)
    }

    pub(super) fn kept(&self) -> Vec<Stall> {
        self.lock().kept.clone()
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits half a threshold, or while there is no loop; whether to go on.
    fn wait(&self) -> bool {
        let mut list = self.lock();
        while !list.stops && list.loops.iter().all(|it| it.strong_count() == 0) {
            list = self.changed.wait(list).unwrap_or_else(PoisonError::into_inner);
        }
        let wait = self.changed.wait_timeout_while(list, self.threshold / 2, |list| !list.stops);
        !wait.unwrap_or_else(PoisonError::into_inner).0.stops
    }
}

/// The watcher's own state.
pub(super) struct Watcher {
    watch: Arc<Watch>,
    limit: Limit,
    posts: Vec<Post>,
}

/// One loop.
struct Post {
    shared: Weak<Shared>,
    progress: Progress,
    /// Of the present stall, once its thread has answered.
    backtrace: Option<Arc<Backtrace>>,
}

impl Watcher {
    pub(super) fn new(watch: Arc<Watch>, per_minute: u32) -> Self {
        Self { watch, limit: Limit::new(per_minute), posts: Vec::new() }
    }

    /// Watches until the detector is dropped.
    pub(super) fn run(&mut self) {
        while self.watch.wait() {
            self.meet();
            for i in 0..self.posts.len() {
                self.look(i);
            }
        }
    }

    /// Takes up new loops, and lets go of those that are gone.
    fn meet(&mut self) {
        self.posts.retain(|post| post.shared.strong_count() > 0);
        for shared in &self.watch.lock().loops {
            if !self.posts.iter().any(|post| post.shared.ptr_eq(shared)) {
                let progress = Progress::new(self.watch.threshold, Instant::now());
                self.posts.push(Post { shared: shared.clone(), progress, backtrace: None });
            }
        }
    }

    fn look(&mut self, place: usize) {
        let Self { watch, limit, posts } = self;
        let post = &mut posts[place];
        let Some(shared) = post.shared.upgrade() else { return };
        let (turn, now) = (shared.turn(), Instant::now());
        let Some(Due { lasted, report }) = post.progress.see(turn, watch.threshold, now) else {
            return;
        };
        if report == 1 {
            post.backtrace = None;
            // Relaxed: a count.
            watch.stalls.fetch_add(1, Ordering::Relaxed);
        }
        let Some(suppressed) = limit.admit(now) else { return watch.suppressed.increment() };
        let backtrace = match post.backtrace.take() {
            Some(backtrace) => Ok(backtrace),
            None => ask(watch.signal, &shared, turn),
        };
        post.backtrace = backtrace.as_ref().ok().map(Arc::clone);
        let name = Arc::clone(&shared.name);
        let stall = Stall { name, lasted, report, suppressed, backtrace };
        {
            let mut list = watch.lock();
            if list.kept.len() < KEPT {
                list.kept.push(stall.clone());
            }
        }
        // Err: the callback panicked, and the panic hook has told. Watching goes on.
        let _ = catch_unwind(AssertUnwindSafe(|| (watch.on_stall)(&stall)));
    }
}

fn ask(signal: Option<Signal>, shared: &Shared, turn: u64) -> Result<Arc<Backtrace>, NoBacktrace> {
    let signal = signal.ok_or(NoBacktrace::SwitchedOff)?;
    let thread = shared.thread().ok_or(NoBacktrace::Unsupported)?;
    let backtrace = signal.ask(&thread)?;
    if shared.turn() == turn { Ok(Arc::new(backtrace)) } else { Err(NoBacktrace::Over) }
}
