//! A plug-in is loaded, records, shuts its collector down and is unloaded. A process of its own,
//! with one test, since what is left of the library would end it.
#![cfg(all(target_os = "linux", target_env = "gnu", feature = "record"))]

use std::ffi::{CStr, CString, c_void};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

/// Builds the plug-in as this test was built, beside it; says where it is.
fn plugin() -> CString {
    let test = std::env::current_exe().expect("the path of a test");
    let built: PathBuf = test.ancestors().nth(2).expect("target/debug").into();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "tachograph", "--example", "plugin"]);
    cargo.args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    cargo.arg("--target-dir").arg(built.parent().expect("target"));
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    assert!(cargo.status().expect("cargo runs").success(), "the plug-in is built");
    let library = built.join("examples/libplugin.so");
    CString::new(library.into_os_string().into_encoded_bytes()).expect("no zero byte")
}

/// A library that was loaded by hand.
struct Library(*mut c_void);

impl Library {
    #[allow(unsafe_code, reason = "loading is a foreign call")]
    fn load(path: &CStr) -> Self {
        // SAFETY: the path is a C string; what the library does when it is loaded is Rust's start.
        let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        assert!(!library.is_null(), "{path:?} is loaded");
        Self(library)
    }

    #[allow(unsafe_code, reason = "as above")]
    fn find(&self, name: &CStr) -> *mut c_void {
        // SAFETY: the library is loaded, the name is a C string.
        let found = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        assert!(!found.is_null(), "{name:?} is found");
        found
    }

    /// Starts the plug-in and has it record so often, here and on a thread; what it says at the
    /// end.
    #[allow(unsafe_code, reason = "as above")]
    fn run(&self, times: u64) -> i64 {
        let [start, work, stop] = [c"plugin_start", c"plugin_work", c"plugin_stop"];
        // SAFETY: these are the signatures that `examples/plugin.rs` has.
        let start: extern "C" fn() = unsafe { std::mem::transmute(self.find(start)) };
        // SAFETY: as above.
        let work: extern "C" fn(u64) = unsafe { std::mem::transmute(self.find(work)) };
        // SAFETY: as above.
        let stop: extern "C" fn() -> i64 = unsafe { std::mem::transmute(self.find(stop)) };
        // Not on the test's own thread: glibc keeps a library while a thread that lives has a
        // destructor of it to run.
        thread::scope(|scope| scope.spawn(move || start()).join()).expect("no panic");
        thread::scope(|scope| {
            (0..2).for_each(|_| drop(scope.spawn(move || work(times))));
        });
        thread::scope(|scope| scope.spawn(move || stop()).join()).expect("no panic")
    }

    #[allow(unsafe_code, reason = "as above")]
    fn unload(self) {
        // SAFETY: nothing of it is used any more, which is what the test is about.
        assert_eq!(unsafe { libc::dlclose(self.0) }, 0);
    }
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").expect("procfs").count()
}

/// Looks until a thread that has ended is gone from the list, which the kernel does on its own
/// time.
fn until(what: impl Fn() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(10);
    while !what() && Instant::now() < end {
        thread::sleep(Duration::from_millis(1));
    }
    what()
}

#[test]
fn a_plug_in_that_has_shut_its_collector_down_can_be_unloaded() {
    let path = plugin();
    let before = threads();
    // The second time as the first one: nothing of it was left.
    for _ in 0..2 {
        let library = Library::load(&path);
        assert_eq!(library.run(10_000), 2 * 2 * 10_000, "every record is aggregated");
        assert!(until(|| threads() == before), "{} threads, {before} before", threads());
        library.unload();
        let maps = fs::read_to_string("/proc/self/maps").expect("procfs");
        assert!(!maps.contains("libplugin.so"), "it is still mapped");
        // Neither have threads that start and end, nor a fork, anything of it to run.
        thread::spawn(|| ()).join().expect("no panic");
        fork_and_wait();
    }
}

#[allow(unsafe_code, reason = "forking is a foreign call")]
fn fork_and_wait() {
    // SAFETY: the child only ends.
    match unsafe { fork() }.expect("a process more") {
        // SAFETY: ends the child at once.
        ForkResult::Child => unsafe { libc::_exit(0) },
        ForkResult::Parent { child } => {
            assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, 0)));
        }
    }
}
