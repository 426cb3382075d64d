//! A test's plan for the points of [`crate::sync::fault`].

use std::cell::RefCell;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Every fault point in a pass, in the order in which a pass reaches them.
pub(crate) const POINTS: [&str; 25] = [
    "pass: refreshed",
    "refresh: a series",
    "refresh: before sorting",
    "pass: gauges loaded",
    "reader: before announcing",
    "reader: before reading",
    "drain: a block is read",
    "fold: a sample",
    "drain: a block is folded",
    "drain: between lanes",
    "fold: a cell",
    "fold: a spill row",
    "fold: a gauge row",
    "fold: between lanes",
    "pass: folded",
    "settle: a gauge",
    "pass: settled",
    "trim: a lane is retired",
    "trim: its samples are folded",
    "trim: the lane is removed",
    "build: a counter is reported",
    "window: a step closes",
    "build: a series",
    "publish: built",
    "publish: published",
];

type Hook = Box<dyn FnOnce() + Send>;

/// The actions planned for each point, and the points that were passed. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Plan(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Each fires at the passage that brings its count to 0.
    armed: Vec<(&'static str, u64, Option<Hook>)>,
    panics: u64,
}

thread_local! {
    static PLAN: RefCell<Option<Plan>> = const { RefCell::new(None) };
}

/// Keeps a plan installed on its thread.
pub(crate) struct Installed;

impl Drop for Installed {
    fn drop(&mut self) {
        PLAN.with_borrow_mut(|plan| *plan = None);
    }
}

impl Plan {
    /// Applies the plan to this thread, and to what it starts, while the result lives.
    pub(crate) fn install(&self) -> Installed {
        PLAN.with_borrow_mut(|plan| *plan = Some(self.clone()));
        Installed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Panics at the `nth` passage from now on; 1 is the next.
    pub(crate) fn panic_at(&self, name: &'static str, nth: u64) {
        self.state().armed.push((name, nth, None));
    }

    /// Runs `hook` at the next passage.
    pub(crate) fn run_at(&self, name: &'static str, hook: impl FnOnce() + Send + 'static) {
        self.state().armed.push((name, 1, Some(Box::new(hook))));
    }

    /// Removes everything that has not fired.
    pub(crate) fn disarm(&self) {
        self.state().armed.clear();
    }

    /// The number of panics fired so far.
    pub(crate) fn panics(&self) -> u64 {
        self.state().panics
    }

    fn pass(&self, name: &'static str) -> Option<Option<Hook>> {
        let mut state = self.state();
        for armed in state.armed.iter_mut().filter(|armed| armed.0 == name) {
            armed.1 -= 1;
        }
        let due = state.armed.iter().position(|armed| armed.0 == name && armed.1 == 0)?;
        let (_, _, hook) = state.armed.swap_remove(due);
        state.panics += u64::from(hook.is_none());
        Some(hook)
    }
}

fn passing(name: &'static str) -> Option<Option<Hook>> {
    let plan = PLAN.with_borrow(Clone::clone);
    plan.and_then(|plan| plan.pass(name))
}

pub(crate) fn point(name: &'static str) {
    debug_assert!(POINTS.contains(&name), "{name} is listed");
    match passing(name) {
        None => {}
        Some(Some(hook)) => hook(),
        // Bypasses the panic hook: thousands of messages would hide the important one.
        Some(None) => resume_unwind(Box::new(name)),
    }
}

pub(crate) fn io(name: &'static str) -> std::io::Result<()> {
    match passing(name) {
        None => Ok(()),
        Some(_) => Err(std::io::Error::other("no thread for a test")),
    }
}

pub(crate) struct Carried(Option<Plan>);

pub(crate) fn carry() -> Carried {
    Carried(PLAN.with_borrow(Clone::clone))
}

impl Carried {
    pub(crate) fn take_over(self) {
        PLAN.with_borrow_mut(|plan| *plan = self.0);
    }
}
