//! Fork without exec: the child's collectors start over, and nothing in the child hangs.
//!
//! Before a fork, the forking thread takes every lock of every live collector, in the order in
//! which passes take them. So no lock is held by a thread that the child does not have, and all
//! data behind the locks is consistent. Parent and child release them. The only other thing done in
//! the child is to shut every gate: a child that goes on to exec has allocated nothing. The first
//! thread that reaches a collector there through a cold path makes it start over
//! ([`Core::start_over`]).

#![allow(unsafe_code, reason = "C has forks, and locks are kept between two handlers")]

use std::cell::RefCell;
use std::panic::catch_unwind;
use std::sync::Weak;

use crate::lane::lane::Lane;
use crate::run::engine::{Core, Locks};
use crate::sync::{Arc, AtomicBool, ColdPath, Mutex, MutexGuard, Ordering, lock};

static CORES: Mutex<Vec<Weak<Core>>> = Mutex::new(Vec::new());

/// Whether the handlers are installed. Set and read by threads that create a collector.
static INSTALLED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The locks that the forking thread holds from before the fork until after it.
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// Every lock, released in the order of the fields.
struct Held {
    cores: Vec<HeldCore>,
    _list: MutexGuard<'static, Vec<Weak<Core>>>,
    /// An allocator that records meanwhile must not need a lock.
    _cold: ColdPath,
}

/// One collector's locks, and the collector that they belong to.
struct HeldCore {
    locks: Option<Locks<'static>>,
    /// Loaded before the fork, so that the child need not load it.
    lanes: Arc<Vec<Arc<Lane>>>,
    core: Arc<Core>,
}

impl HeldCore {
    fn new(core: Arc<Core>) -> Self {
        let locks = core.lock_all();
        // SAFETY: only the lifetime changes. The locks are inside what `core` points to, which does
        // not move and lives as long as this value; `locks` is never handed out, and is dropped
        // first, as the first field.
        let locks = unsafe { std::mem::transmute::<Locks<'_>, Locks<'static>>(locks) };
        Self { locks: Some(locks), lanes: core.shared.lanes(), core }
    }
}

/// Installs the handlers, permanently, before the first lock of a collector is taken. Threads that
/// create the process's first collectors at the same time may install them twice, which is
/// harmless; no thread waits for one that the child of a fork does not have.
pub(crate) fn install() {
    // Acquire: pairs with the Release below; forks from now on run the handlers.
    if INSTALLED.load(Ordering::Acquire) {
        return;
    }
    // SAFETY: the three functions live forever, take and return nothing, and do not unwind. If
    // there is no memory for them, forks work as if they were not installed.
    unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
    // Release: pairs with the Acquire above.
    INSTALLED.store(true, Ordering::Release);
}

/// Makes a collector survive forks.
pub(crate) fn watch(core: &Arc<Core>) {
    let _cold = ColdPath::enter_again();
    let mut cores = lock(&CORES);
    cores.retain(|core| core.strong_count() > 0);
    cores.push(Arc::downgrade(core));
}

extern "C" fn prepare() {
    let _ = catch_unwind(|| {
        // Err: the thread is ending, so a child forked from it is not handled.
        if HELD.try_with(|held| held.borrow().is_some()) != Ok(false) {
            return;
        }
        let cold = ColdPath::enter_again();
        let list = lock(&CORES);
        let cores = list.iter().filter_map(Weak::upgrade).map(HeldCore::new).collect();
        let held = Held { cores, _list: list, _cold: cold };
        let _ = HELD.try_with(|place| place.replace(Some(held)));
    });
}

extern "C" fn parent() {
    let _ = catch_unwind(|| drop(take_held()));
}

extern "C" fn child() {
    let _ = catch_unwind(|| {
        let Some(mut held) = take_held() else { return };
        for core in &mut held.cores {
            core.core.shared.shut_by_fork(&core.lanes);
            core.locks = None;
        }
    });
}

fn take_held() -> Option<Held> {
    HELD.try_with(RefCell::take).ok().flatten()
}
