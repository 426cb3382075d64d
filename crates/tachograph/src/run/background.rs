//! The core's own threads, started through the C library.
//!
//! They are not started by std, which briefly takes a lock of its own whenever one of its threads
//! starts or ends (to recognize stack overflows). In a child forked while another thread holds that
//! lock, every thread that std starts waits forever. The C library makes its locks usable in a
//! child.
//!
//! The threads get ordinary scheduling, whatever thread starts them: if that one is pinned to a
//! CPU, or has real-time priority there, a thread that inherits this might never run.

#![allow(unsafe_code, reason = "threads that survive forks, and how they are scheduled, are C's")]

use std::ffi::{CStr, c_int, c_void};
use std::io;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// The stack size of the core's threads, the same as std's.
const STACK_BYTES: usize = 2 << 20;

/// A thread's name and what it runs.
type Body = (&'static CStr, Box<dyn FnOnce() + Send>);

/// A started thread; detached on drop.
#[derive(Debug)]
pub(crate) struct Background(libc::pthread_t);

impl Background {
    /// Starts a thread. A panic of `body` ends the thread and does not propagate.
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
        // If such a thread is not permitted, starts one with the calling thread's scheduling.
        create(ptr::null(), body).map_err(|(error, _)| error)
    }

    /// Waits until the thread has ended completely.
    pub(crate) fn join(self) {
        let thread = ManuallyDrop::new(self);
        // SAFETY: it was started as one that is joined or detached once, which is here.
        unsafe { libc::pthread_join(thread.0, ptr::null_mut()) };
    }

    /// Forgets a thread that does not exist in the child of a fork.
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
        // SAFETY: they are initialised, and ours. If the call fails, the default remains.
        unsafe { libc::pthread_attr_setstacksize(&mut attributes.0, STACK_BYTES) };
        Ok(attributes)
    }

    /// Requests ordinary scheduling on the main thread's CPUs, except isolated ones.
    fn schedule_ordinarily(&mut self) {
        // SAFETY: the attributes are initialised, and ours; an all-zero parameter is valid for
        // ordinary scheduling. If the call fails, the default remains.
        unsafe {
            let parameter = MaybeUninit::<libc::sched_param>::zeroed().assume_init();
            libc::pthread_attr_setinheritsched(&mut self.0, libc::PTHREAD_EXPLICIT_SCHED);
            libc::pthread_attr_setschedpolicy(&mut self.0, libc::SCHED_OTHER);
            libc::pthread_attr_setschedparam(&mut self.0, &parameter);
        }
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        if let Some(cpus) = linux::cpus() {
            // SAFETY: the attributes are initialised, and ours; `cpus` has the given size.
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

/// Starts a thread; returns the body if that fails. The attributes must be initialised, or null.
fn create(
    attributes: *const libc::pthread_attr_t,
    body: Box<Body>,
) -> Result<Background, (io::Error, Box<Body>)> {
    let mut thread = MaybeUninit::uninit();
    let body = Box::into_raw(body);
    // SAFETY: `attributes` are initialised, as both callers in this file ensure, or null; `thread`
    // is ours to write; `begin` takes what `body` points to, which only the new thread owns.
    let started = checked(unsafe {
        libc::pthread_create(thread.as_mut_ptr(), attributes, begin, body.cast())
    });
    match started {
        // SAFETY: the started thread has been written there.
        Ok(()) => Ok(Background(unsafe { thread.assume_init() })),
        // SAFETY: created by `into_raw` above, and no thread has received it.
        Err(error) => Err((error, unsafe { Box::from_raw(body) })),
    }
}

extern "C" fn begin(body: *mut c_void) -> *mut c_void {
    // SAFETY: `create` made it with `into_raw` and gave it only to this thread.
    let (name, body) = *unsafe { Box::from_raw(body.cast::<Body>()) };
    #[cfg(target_os = "linux")]
    // SAFETY: the calling thread is alive; the name ends in a zero byte. The kernel refuses a name
    // that is too long, without other effects.
    unsafe {
        libc::pthread_setname_np(libc::pthread_self(), name.as_ptr());
    }
    #[cfg(not(target_os = "linux"))]
    let _ = name;
    let _ = catch_unwind(AssertUnwindSafe(body));
    ptr::null_mut()
}

/// The result of a C library thread function.
fn checked(error: c_int) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod linux {
    use std::fs;
    use std::mem::MaybeUninit;

    const ISOLATED: &str = "/sys/devices/system/cpu/isolated";

    /// The main thread's CPUs without isolated ones, or all of them if only those are left.
    pub(super) fn cpus() -> Option<libc::cpu_set_t> {
        // SAFETY: a set of zeros is the empty one.
        let mut cpus = unsafe { MaybeUninit::<libc::cpu_set_t>::zeroed().assume_init() };
        let bytes = size_of_val(&cpus);
        // SAFETY: the kernel writes at most `bytes` bytes. The main thread's id is the process's.
        let got = unsafe { libc::sched_getaffinity(libc::getpid(), bytes, &mut cpus) };
        if got != 0 {
            return None;
        }
        let all = cpus;
        for cpu in list(&fs::read_to_string(ISOLATED).unwrap_or_default()) {
            // SAFETY: a CPU outside the set changes nothing.
            unsafe { libc::CPU_CLR(cpu, &mut cpus) };
        }
        // SAFETY: only reads the set.
        let left = unsafe { libc::CPU_COUNT(&cpus) };
        Some(if left > 0 { cpus } else { all })
    }

    /// The CPUs of a list such as `2-3,7`, limited to the size of a set.
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
