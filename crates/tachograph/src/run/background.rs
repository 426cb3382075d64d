//! A thread of the core's own, started by the C library.
//!
//! Not by std, which takes a lock of its own for a moment whenever a thread that it has started
//! begins or ends (to know a stack overflow when it sees one). In a child that is forked while
//! another thread holds it, every thread that std starts waits for good. The C library makes its
//! locks usable in a child.
//!
//! The thread is scheduled as ordinary ones are, whatever the thread that starts it is: one that
//! is pinned to a CPU, or runs before all others there, would keep it from ever running.

#![allow(unsafe_code, reason = "threads that survive forks, and how they are scheduled, are C's")]

use std::ffi::{CStr, c_int, c_void};
use std::io;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// The stack of a thread of the core, as large as std's.
const STACK_BYTES: usize = 2 << 20;

/// What a thread runs, and what it is called.
type Body = (&'static CStr, Box<dyn FnOnce() + Send>);

/// A thread that was started; left to itself on drop.
#[derive(Debug)]
pub(crate) struct Background(libc::pthread_t);

impl Background {
    /// Starts a thread. A panic of `body` ends it and goes no further.
    pub(crate) fn start(
        name: &'static CStr,
        body: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let mut body: Box<Body> = Box::new((name, Box::new(body)));
        if let Ok(mut attributes) = Attributes::new() {
            attributes.schedule_ordinarily();
            match create(&attributes.0, body) {
                Ok(thread) => return Ok(thread),
                Err(back) => body = back.1,
            }
        }
        // Where such a thread is not permitted, one that is scheduled as the calling one is.
        create(ptr::null(), body).map_err(|(error, _)| error)
    }

    /// Waits until it has ended and nothing of it runs any more.
    pub(crate) fn join(self) {
        let thread = ManuallyDrop::new(self);
        // SAFETY: it was started as one that is joined or detached once, which is here.
        unsafe { libc::pthread_join(thread.0, ptr::null_mut()) };
    }

    /// Forgets a thread that the child of a fork does not have.
    pub(crate) fn forget(self) {
        let _ = ManuallyDrop::new(self);
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // SAFETY: as in `join`.
        unsafe { libc::pthread_detach(self.0) };
    }
}

struct Attributes(libc::pthread_attr_t);

impl Attributes {
    fn new() -> io::Result<Self> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: `attributes` is ours to write.
        checked(unsafe { libc::pthread_attr_init(attributes.as_mut_ptr()) })?;
        // SAFETY: it was initialised above.
        let mut attributes = Self(unsafe { attributes.assume_init() });
        // SAFETY: they are initialised, and ours. Refused, the default stands.
        unsafe { libc::pthread_attr_setstacksize(&mut attributes.0, STACK_BYTES) };
        Ok(attributes)
    }

    /// Asks for ordinary scheduling on the main thread's CPUs, isolated ones left out.
    fn schedule_ordinarily(&mut self) {
        // SAFETY: the attributes are initialised, and ours; a parameter of zeros is one for
        // ordinary scheduling. Refused, the default stands.
        unsafe {
            let parameter = MaybeUninit::<libc::sched_param>::zeroed().assume_init();
            libc::pthread_attr_setinheritsched(&mut self.0, libc::PTHREAD_EXPLICIT_SCHED);
            libc::pthread_attr_setschedpolicy(&mut self.0, libc::SCHED_OTHER);
            libc::pthread_attr_setschedparam(&mut self.0, &parameter);
        }
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        if let Some(cpus) = linux::cpus() {
            // SAFETY: the attributes are initialised, and ours; `cpus` is as large as it is said
            // to be.
            unsafe { libc::pthread_attr_setaffinity_np(&mut self.0, size_of_val(&cpus), &cpus) };
        }
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: they are initialised, and not used again.
        unsafe { libc::pthread_attr_destroy(&mut self.0) };
    }
}

/// Starts a thread; gives the body back where it could not. The attributes are initialised, or
/// null.
fn create(
    attributes: *const libc::pthread_attr_t,
    body: Box<Body>,
) -> Result<Background, (io::Error, Box<Body>)> {
    let mut thread = MaybeUninit::uninit();
    let body = Box::into_raw(body);
    // SAFETY: `attributes` are initialised, as this file's two callers see to, or null; `thread`
    // is ours to write; `begin` takes what `body` points to, which is the new thread's alone.
    let started = checked(unsafe {
        libc::pthread_create(thread.as_mut_ptr(), attributes, begin, body.cast())
    });
    match started {
        // SAFETY: a thread that was started has been written there.
        Ok(()) => Ok(Background(unsafe { thread.assume_init() })),
        // SAFETY: made by `into_raw` above, and no thread has been given it.
        Err(error) => Err((error, unsafe { Box::from_raw(body) })),
    }
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

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod linux {
    use std::fs;
    use std::mem::MaybeUninit;

    const ISOLATED: &str = "/sys/devices/system/cpu/isolated";

    /// The main thread's CPUs without isolated ones; all of them where only those are left.
    pub(super) fn cpus() -> Option<libc::cpu_set_t> {
        // SAFETY: a set of zeros is the empty one.
        let mut cpus = unsafe { MaybeUninit::<libc::cpu_set_t>::zeroed().assume_init() };
        let bytes = size_of_val(&cpus);
        // SAFETY: the kernel writes at most so many bytes. The main thread has the process's
        // number.
        let got = unsafe { libc::sched_getaffinity(libc::getpid(), bytes, &mut cpus) };
        if got != 0 {
            return None;
        }
        let all = cpus;
        for cpu in list(&fs::read_to_string(ISOLATED).unwrap_or_default()) {
            // SAFETY: a CPU beyond the set changes nothing.
            unsafe { libc::CPU_CLR(cpu, &mut cpus) };
        }
        // SAFETY: reads the set.
        let left = unsafe { libc::CPU_COUNT(&cpus) };
        Some(if left > 0 { cpus } else { all })
    }

    /// The CPUs of a list such as `2-3,7`, as far as a set goes.
    fn list(text: &str) -> impl Iterator<Item = usize> {
        let most = libc::CPU_SETSIZE as usize - 1;
        text.trim().split(',').flat_map(move |range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let ends = first.parse().ok().zip(last.parse().ok());
            let (first, last): (usize, usize) = ends.unwrap_or((1, 0));
            first..=last.min(most)
        })
    }

    #[cfg(test)]
    mod tests {
        use super::list;

        #[test]
        fn the_kernels_lists_of_cpus_are_read() {
            let cpus = |text| list(text).collect::<Vec<_>>();
            assert_eq!(cpus("\n"), [0usize; 0]);
            assert_eq!(cpus("3\n"), [3]);
            assert_eq!(cpus("0-2,5,8-9\n"), [0, 1, 2, 5, 8, 9]);
            assert_eq!(cpus("1022-4095"), [1_022, 1_023]);
            assert_eq!(cpus("a-3,,2-x"), [0usize; 0]);
        }
    }
}
