//! Asks a thread for its stack: a signal whose handler follows the frame pointers.
//!
//! # Synchronization
//! One question at a time, in one static slot, so that a handler that comes late never touches
//! freed memory. `Slot::state` holds the phase and the asked thread in one word, so that a handler
//! that is overtaken by the next question cannot take one for another thread: asked (watcher,
//! Release) → walking (handler, Acquire) → done (handler, Release; watcher, Acquire); or asked →
//! free where the thread did not answer. The stack's bounds and the frames are relaxed words that
//! this orders.
//!
//! The handler allocates nothing, takes no lock, and makes one system call, `gettid`. It reads only
//! aligned words between the interrupted stack pointer and the stack's upper end, which are mapped,
//! in ascending order, and at most [`FRAMES_MAX`] frames: frame pointers that are none end the
//! walk.

#![allow(unsafe_code, reason = "signals, and reading a stack, are C's")]

use std::io;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use libc::{c_int, c_void, pid_t, siginfo_t, ucontext_t};

use crate::stall::backtrace::Backtrace;
use crate::stall::report::NoBacktrace;

/// Stacks are cut there.
const FRAMES_MAX: usize = 128;

/// How long a thread has to answer.
const PATIENCE: Duration = Duration::from_millis(100);

/// Between two looks for the answer, which takes some microseconds.
const LOOK: Duration = Duration::from_micros(50);

/// The default signal is that many above the first real-time signal: the first ones are taken by
/// debuggers and sanitizers.
const ABOVE_FIRST: c_int = 5;

/// The signals whose handler is ours. A handler stays for the process's life: a signal may be
/// pending in a thread that blocks it, and without a handler it would end the process.
static INSTALLED: Mutex<Vec<c_int>> = Mutex::new(Vec::new());

/// Held while a question is open.
static ASKING: Mutex<()> = Mutex::new(());

static SLOT: Slot = Slot {
    state: AtomicU64::new(FREE),
    low: AtomicUsize::new(0),
    high: AtomicUsize::new(0),
    frames: [const { AtomicUsize::new(0) }; FRAMES_MAX],
    length: AtomicUsize::new(0),
};

struct Slot {
    /// A phase, and the thread in the bits above.
    state: AtomicU64,
    /// The stack's bounds. Written by the watcher, read by the handler.
    low: AtomicUsize,
    high: AtomicUsize,
    /// Written by the handler, read by the watcher.
    frames: [AtomicUsize; FRAMES_MAX],
    length: AtomicUsize,
}

const FREE: u64 = 0;
const ASKED: u64 = 1;
const WALKING: u64 = 2;
const DONE: u64 = 3;

const fn phase(phase: u64, thread: pid_t) -> u64 {
    // A thread's id is positive.
    (thread as u64) << 2 | phase
}

/// The signal that asks a thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signal(c_int);

/// A thread that can be asked.
#[derive(Clone, Debug)]
pub(super) struct Thread {
    id: pid_t,
    stack: Range<usize>,
}

impl Signal {
    /// Installs the handler, once for each signal of the process.
    pub(super) fn install(signal: Option<c_int>) -> io::Result<Self> {
        let signal = signal.unwrap_or_else(|| libc::SIGRTMIN() + ABOVE_FIRST);
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        if !installed.contains(&signal) {
            if handler_of(signal)? != libc::SIG_DFL {
                return Err(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    format!(
                        "signal {signal} has a handler already: give the stall detector another \
                         signal, or switch its backtraces off"
                    ),
                ));
            }
            set_handler(signal)?;
            installed.push(signal);
        }
        Ok(Self(signal))
    }

    /// The stack of a thread of this process. Waits up to 0.2 s for the thread's answer.
    pub(super) fn ask(self, thread: &Thread) -> Result<Backtrace, NoBacktrace> {
        let _one = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
        // Relaxed: only whoever holds the lock asks; a handler that was given up is left alone.
        if SLOT.state.load(Ordering::Relaxed) & 3 == WALKING {
            return Err(NoBacktrace::Silent);
        }
        // Relaxed: published by the store of the state below.
        SLOT.low.store(thread.stack.start, Ordering::Relaxed);
        // Relaxed: as above.
        SLOT.high.store(thread.stack.end, Ordering::Relaxed);
        // Release: pairs with the handler's Acquire; it sees the bounds.
        SLOT.state.store(phase(ASKED, thread.id), Ordering::Release);
        self.send(thread.id);
        wait(thread.id, WALKING);
        // Relaxed: nothing is read where it succeeds; where it fails, `wait` reads again.
        let (asked, order) = (phase(ASKED, thread.id), Ordering::Relaxed);
        if SLOT.state.compare_exchange(asked, FREE, order, order).is_ok() {
            return Err(NoBacktrace::Silent);
        }
        if !wait(thread.id, DONE) {
            return Err(NoBacktrace::Silent);
        }
        // Relaxed: `wait` has acquired it.
        let length = SLOT.length.load(Ordering::Relaxed).min(FRAMES_MAX);
        // Relaxed: as above.
        let frames = SLOT.frames[..length].iter().map(|frame| frame.load(Ordering::Relaxed));
        Ok(Backtrace(frames.collect()))
    }

    /// A thread that has ended is no error: it does not answer.
    fn send(self, thread: pid_t) {
        // SAFETY: sends a signal that has our handler to a thread of this process, by its id, which
        // the kernel checks. If another thread has the id by now, its handler finds that it is not
        // asked.
        unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, self.0) };
    }
}

/// Waits until the handler has come as far as a phase; whether it has.
fn wait(thread: pid_t, until: u64) -> bool {
    let start = Instant::now();
    loop {
        // Acquire: pairs with the handler's Release when it is done; sees the frames.
        if SLOT.state.load(Ordering::Acquire) >= phase(until, thread) {
            return true;
        }
        if start.elapsed() >= PATIENCE {
            return false;
        }
        thread::sleep(LOOK);
    }
}

fn handler_of(signal: c_int) -> io::Result<usize> {
    let mut old = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: asks only; `old` has the right type, and is filled where 0 is returned.
    match unsafe { libc::sigaction(signal, std::ptr::null(), old.as_mut_ptr()) } {
        // SAFETY: see above.
        0 => Ok(unsafe { old.assume_init() }.sa_sigaction),
        _ => Err(refused(signal)),
    }
}

/// Why the system did not take a signal.
fn refused(signal: c_int) -> io::Error {
    let error = io::Error::last_os_error();
    let advice = "give the stall detector another one, or switch its backtraces off";
    io::Error::new(
        error.kind(),
        format!("signal {signal} cannot have a handler ({error}): {advice}"),
    )
}

fn set_handler(signal: c_int) -> io::Result<()> {
    // SAFETY: a `sigaction` of zeros is valid: no handler, no flags, no mask.
    let mut action = unsafe { std::mem::zeroed::<libc::sigaction>() };
    let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = on_signal;
    action.sa_sigaction = handler as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
    // SAFETY: the handler has the signature that `SA_SIGINFO` demands, and is async-signal-safe,
    // see the module.
    match unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(refused(signal)),
    }
}

extern "C" fn on_signal(_: c_int, _: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: takes no arguments and cannot fail.
    let thread = unsafe { libc::syscall(libc::SYS_gettid) } as pid_t;
    let (asked, walking) = (phase(ASKED, thread), phase(WALKING, thread));
    // Acquire: pairs with the watcher's Release; sees the bounds. Relaxed: not asked, nothing is
    // read.
    let (found, missed) = (Ordering::Acquire, Ordering::Relaxed);
    if SLOT.state.compare_exchange(asked, walking, found, missed).is_err() {
        return;
    }
    // SAFETY: the kernel passes a handler with `SA_SIGINFO` the interrupted context.
    let context = unsafe { &*context.cast::<ucontext_t>() };
    let length = walk(&Registers::of(context));
    // Relaxed: published by the store of the state below.
    SLOT.length.store(length, Ordering::Relaxed);
    // Release: pairs with the watcher's Acquire; it sees the frames.
    SLOT.state.store(phase(DONE, thread), Ordering::Release);
}

/// Where a thread was interrupted.
struct Registers {
    instruction: usize,
    frame: usize,
    stack: usize,
}

impl Registers {
    #[cfg(target_arch = "x86_64")]
    fn of(context: &ucontext_t) -> Self {
        let register = |which: c_int| context.uc_mcontext.gregs[which as usize] as usize;
        Self {
            instruction: register(libc::REG_RIP),
            frame: register(libc::REG_RBP),
            stack: register(libc::REG_RSP),
        }
    }

    #[cfg(target_arch = "aarch64")]
    fn of(context: &ucontext_t) -> Self {
        let machine = &context.uc_mcontext;
        Self {
            instruction: machine.pc as usize,
            frame: machine.regs[29] as usize,
            stack: machine.sp as usize,
        }
    }
}

/// The bits of an address; those above may sign a return address on aarch64.
const ADDRESS: usize = (1 << 48) - 1;

const WORD: usize = size_of::<usize>();

/// Writes the frames into the slot; returns how many.
fn walk(registers: &Registers) -> usize {
    // Relaxed: acquired with the state.
    let low = SLOT.low.load(Ordering::Relaxed);
    // Relaxed: as above.
    let high = SLOT.high.load(Ordering::Relaxed);
    let mut length = 0;
    let mut push = |address: usize| {
        // Relaxed: published with the state.
        SLOT.frames[length].store(address & ADDRESS, Ordering::Relaxed);
        length += 1;
        length < FRAMES_MAX
    };
    push(registers.instruction);
    // A thread on another stack, such as a signal's, has only its instruction.
    let mut above = registers.stack;
    let mut frame = registers.frame;
    let is_on_stack = (low..high).contains(&above);
    while is_on_stack
        && frame >= above
        && frame.is_multiple_of(WORD)
        && high.checked_sub(frame).is_some_and(|left| left >= 2 * WORD)
    {
        let record = std::ptr::with_exposed_provenance::<usize>(frame);
        // SAFETY: both words are aligned and between the interrupted stack pointer and the upper
        // end of this thread's stack, which is mapped and readable. Nobody else writes there while
        // this thread is in its handler; volatile, because to the compiler they are nobody's.
        let (caller, back) = unsafe { (record.read_volatile(), record.add(1).read_volatile()) };
        if back == 0 || !push(back) {
            break;
        }
        (above, frame) = (frame + 2 * WORD, caller);
    }
    length
}

impl Thread {
    /// The calling thread; `None` if the system does not tell its stack.
    pub(super) fn current() -> Option<Self> {
        // SAFETY: takes no arguments and cannot fail.
        let id = unsafe { libc::syscall(libc::SYS_gettid) } as pid_t;
        let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
        // SAFETY: the calling thread exists; the attributes are filled where 0 is returned.
        if unsafe { libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) } != 0 {
            return None;
        }
        let (mut low, mut size) = (std::ptr::null_mut(), 0);
        // SAFETY: the attributes were filled above, and are destroyed once, after their last use.
        let told = unsafe {
            let told =
                libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut low, &raw mut size);
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
            told
        };
        let low = low.addr();
        (told == 0).then(|| Self { id, stack: low..low.saturating_add(size) })
    }
}
