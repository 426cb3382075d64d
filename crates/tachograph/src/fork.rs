//! Fork without exec: the child's collectors start over, and nothing in it ever hangs.
//!
//! Before a fork, the forking thread takes every lock of every live collector, in the order in
//! which passes take them; so no lock is held by a thread that the child does not have, and all
//! that is behind them is whole. The parent releases them and goes on.
//!
//! The child releases them and starts over: lanes whose owners it does not have are abandoned,
//! what its own thread's lane and closed lanes hold is the parent's and is folded away, all
//! values and counts become 0. The background thread comes back at the first use that is a cold
//! path; the gate of the surviving thread's lane is closed, so that its next record is one.
//! Recording itself never looks at any of this.
//!
//! One lock is out of reach: std takes its own for a moment whenever a thread that it has started
//! begins or ends (to know a stack overflow when it sees one). In a child that is forked while
//! another thread holds it, every thread that std starts waits for good. So the core's own threads
//! are started by the C library, which makes its locks usable in a child.

#![allow(unsafe_code, reason = "C has forks and threads, and locks are kept between two handlers")]

use std::cell::RefCell;
use std::ffi::{CStr, c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Once, Weak};

use crate::core::{Core, Locks};
use crate::intake::Intake;
use crate::local::ColdPath;
use crate::sync::{Arc, Mutex, MutexGuard, lock};

static CORES: Mutex<Vec<Weak<Core>>> = Mutex::new(Vec::new());
static HANDLERS: Once = Once::new();

thread_local! {
    /// What the forking thread holds from before the fork to after it.
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// Every lock, released in the order of the fields.
struct Held {
    cores: Vec<HeldCore>,
    _list: MutexGuard<'static, Vec<Weak<Core>>>,
    /// What allocates meanwhile and records must not need a lock.
    _cold: ColdPath,
}

/// One collector's locks, and what keeps them alive.
struct HeldCore {
    locks: Option<Locks<'static>>,
    core: Arc<Core>,
}

impl HeldCore {
    fn new(core: Arc<Core>) -> Self {
        let locks = core.lock_all();
        // SAFETY: only the lifetime changes. The locks are inside of what `core` points to, which
        // does not move and lives for as long as this value; `locks` is never handed out, and is
        // dropped first, as the first field.
        let locks = unsafe { std::mem::transmute::<Locks<'_>, Locks<'static>>(locks) };
        Self { locks: Some(locks), core }
    }
}

/// Makes a collector survive forks. The first one installs the handlers, for good.
pub(crate) fn watch(core: &Arc<Core>) {
    HANDLERS.call_once(|| {
        // SAFETY: the three functions live for ever, take and give nothing, and do not unwind.
        // Where there is no memory for them, forks are as they would be without.
        unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
    });
    let _cold = ColdPath::enter_again();
    let mut cores = lock(&CORES);
    cores.retain(|core| core.strong_count() > 0);
    cores.push(Arc::downgrade(core));
}

/// Brings a collector's background thread back, and opens its lanes, in a child that has not
/// used it yet. On cold paths only.
pub(crate) fn resume(intake: &Intake) {
    if intake.is_forked() {
        open(intake);
    }
}

/// As `resume`, for who has found a lane shut: finds it open afterwards.
pub(crate) fn open(intake: &Intake) {
    if !intake.reopen() {
        return;
    }
    let _cold = ColdPath::enter_again();
    let live: Vec<_> = lock(&CORES).iter().filter_map(Weak::upgrade).collect();
    if let Some(core) = live.iter().find(|core| std::ptr::eq(&*core.intake, intake)) {
        core.driver.start(core);
    }
}

extern "C" fn prepare() {
    let _ = catch_unwind(|| {
        let cold = ColdPath::enter_again();
        let list = lock(&CORES);
        let cores = list.iter().filter_map(Weak::upgrade).map(HeldCore::new).collect();
        let held = Held { cores, _list: list, _cold: cold };
        // Err: the thread is ending. Its locks are released at once, and a child of it is on its
        // own.
        let _ = HELD.try_with(|place| place.replace(Some(held)));
    });
}

extern "C" fn parent() {
    let _ = catch_unwind(|| drop(take_held()));
}

extern "C" fn child() {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let Some(mut held) = take_held() else { return };
        // There is no other thread: all of them first, then each as if nobody else were there.
        held.cores.iter_mut().for_each(|core| core.locks = None);
        held.cores.iter().for_each(|held| held.core.start_over(!held.core.manual));
    }));
}

fn take_held() -> Option<Held> {
    HELD.try_with(RefCell::take).ok().flatten()
}

/// The stack of a thread of the core, as large as std's.
const STACK_BYTES: usize = 2 << 20;

/// What a thread runs, and what it is called.
type Body = (&'static CStr, Box<dyn FnOnce() + Send>);

/// Starts a thread that nobody joins; also where std cannot, see the top of the file. A panic of
/// `body` ends the thread and goes no further.
pub(crate) fn spawn(name: &'static CStr, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let body: Box<Body> = Box::new((name, Box::new(body)));
    let mut attributes = MaybeUninit::uninit();
    // SAFETY: `attributes` is ours to write.
    checked(unsafe { libc::pthread_attr_init(attributes.as_mut_ptr()) })?;
    let attributes = attributes.as_mut_ptr();
    // SAFETY: they were initialised above, and nobody else has them; with these, or with the
    // default of what was refused, `create` may start a thread.
    let started = unsafe {
        libc::pthread_attr_setstacksize(attributes, STACK_BYTES);
        libc::pthread_attr_setdetachstate(attributes, libc::PTHREAD_CREATE_DETACHED);
        create(attributes, body)
    };
    // SAFETY: initialised above, and not used again.
    unsafe { libc::pthread_attr_destroy(attributes) };
    started
}

/// # Safety
/// `attributes` are initialised.
unsafe fn create(attributes: *const libc::pthread_attr_t, body: Box<Body>) -> io::Result<()> {
    let mut thread = MaybeUninit::uninit();
    let body = Box::into_raw(body);
    // SAFETY: the caller has initialised `attributes`; `thread` is ours to write; `begin` takes
    // what `body` points to, which is the new thread's alone.
    let started = checked(unsafe {
        libc::pthread_create(thread.as_mut_ptr(), attributes, begin, body.cast())
    });
    if started.is_err() {
        // SAFETY: made by `into_raw` above, and no thread has been given it.
        drop(unsafe { Box::from_raw(body) });
    }
    started
}

extern "C" fn begin(body: *mut c_void) -> *mut c_void {
    // SAFETY: `create` has made it by `into_raw` and given it to this thread alone.
    let (name, body) = *unsafe { Box::from_raw(body.cast::<Body>()) };
    #[cfg(target_os = "linux")]
    // SAFETY: the calling thread is alive; the name ends in a zero byte. A longer one than the
    // kernel keeps is refused, which is all.
    unsafe {
        libc::pthread_setname_np(libc::pthread_self(), name.as_ptr());
    }
    #[cfg(not(target_os = "linux"))]
    let _ = name;
    let _ = catch_unwind(AssertUnwindSafe(body));
    ptr::null_mut()
}

/// What a function of the C library's threads has returned.
fn checked(error: c_int) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}
