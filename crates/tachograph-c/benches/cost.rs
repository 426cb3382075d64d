//! What does a record cost from C, and what from Rust, in the same run?
//!
//! `make cost` builds it: the C loops of `loops.c` are linked into this program, where
//! they call the code of the static library, and are loaded from a shared object, where they call
//! the shared library.
#![allow(unsafe_code, reason = "a C interface")]

use std::ffi::{CStr, CString, c_void};
use std::hint::black_box;
use std::time::{Instant, SystemTime};

use benches::{Options, Table, Turn, time_in_turns};
use tachograph::MetricsCollector;
// The C loops call its functions.
use tachograph_c as _;

const CALLS: [&str; 6] = [
    "counter, handle",
    "timing, handle",
    "gauge, handle",
    "counter, recorder",
    "timing, recorder",
    "gauge, recorder",
];

/// Records between two passes: a quarter of what a thread's lane has room for.
const BURST: u64 = 8_192;

unsafe extern "C" {
    safe fn c_start() -> bool;
    safe fn c_pass();
    safe fn c_loop(call: i32, times: u64);
    safe fn c_recorded() -> u64;
}

/// The functions of `loops.c`, in this program or in the shared object.
#[derive(Clone, Copy)]
struct Loops {
    start: extern "C" fn() -> bool,
    pass: extern "C" fn(),
    run: extern "C" fn(i32, u64),
    recorded: extern "C" fn() -> u64,
}

impl Loops {
    fn linked() -> Self {
        Self { start: c_start, pass: c_pass, run: c_loop, recorded: c_recorded }
    }

    fn loaded(path: &CStr) -> Self {
        // SAFETY: the path is a C string; loading the object only runs Rust's own start.
        let object = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        assert!(!object.is_null(), "{path:?} cannot be loaded");
        let find = |name: &CStr| -> *mut c_void {
            // SAFETY: the object is loaded, the name is a C string.
            let found = unsafe { libc::dlsym(object, name.as_ptr()) };
            assert!(!found.is_null(), "{name:?} is missing");
            found
        };
        // SAFETY: these are the signatures that `loops.c` has; the object stays loaded.
        unsafe {
            Self {
                start: std::mem::transmute::<*mut c_void, extern "C" fn() -> bool>(find(
                    c"c_start",
                )),
                pass: std::mem::transmute::<*mut c_void, extern "C" fn()>(find(c"c_pass")),
                run: std::mem::transmute::<*mut c_void, extern "C" fn(i32, u64)>(find(c"c_loop")),
                recorded: std::mem::transmute::<*mut c_void, extern "C" fn() -> u64>(find(
                    c"c_recorded",
                )),
            }
        }
    }

    fn turns(self) -> impl Iterator<Item = Turn<'static>> {
        assert!((self.start)(), "the C side starts");
        (0..CALLS.len() as i32).map(move |call| Turn {
            prepare: Box::new(move || (self.pass)()),
            act: Box::new(move || (self.run)(call, BURST)),
        })
    }
}

/// The same loops in Rust.
fn rust(metrics: &'static MetricsCollector) -> Vec<Turn<'static>> {
    let (counter, timing) =
        (metrics.register_counter("counter"), metrics.register_timing("timing"));
    let gauge = metrics.register_gauge("gauge");
    let acts: [Box<dyn FnMut()>; 6] = [
        repeated(counter.clone(), |counter, _| counter.increment()),
        repeated(timing.clone(), |timing, i| timing.record_ns(i)),
        repeated(gauge.clone(), |gauge, i| gauge.set(i as f64)),
        repeated((metrics.recorder(), counter), |(recorder, counter), _| {
            recorder.increment(counter);
        }),
        repeated((metrics.recorder(), timing), |(recorder, timing), i| {
            recorder.record_ns(timing, i);
        }),
        repeated((metrics.recorder(), gauge), |(recorder, gauge), i| recorder.set(gauge, i as f64)),
    ];
    let prepare = || {
        metrics.run_pass(Instant::now(), SystemTime::now());
    };
    acts.into_iter().map(|act| Turn { prepare: Box::new(prepare), act }).collect()
}

/// `black_box` hides the subject's address, as a call of C's does.
fn repeated<S: 'static>(subject: S, act: impl Fn(&S, u64) + 'static) -> Box<dyn FnMut()> {
    Box::new(move || (0..BURST).for_each(|i| act(black_box(&subject), i)))
}

fn main() {
    let path = std::env::args().nth(1).expect("the path of the shared object");
    let path = CString::new(path).expect("no zero byte");
    let (linked, loaded) = (Loops::linked(), Loops::loaded(&path));
    // Lives as long as the process, as the C side's do.
    let metrics = Box::leak(Box::new(MetricsCollector::builder().manual().build()));
    let mut turns = rust(metrics);
    turns.extend(linked.turns());
    turns.extend(loaded.turns());
    let rounds = Options::get().rounds(400);
    let figures = time_in_turns(rounds, &mut turns);

    let each = (rounds as u64 + 1) * BURST * CALLS.len() as u64;
    assert_eq!([(linked.recorded)(), (loaded.recorded)()], [each; 2], "every record arrived");

    let header = ["call", "Rust", "C, static", "more", "C, shared", "more"];
    let mut table = Table::new("c", "A record from C, in ns; medians", &header);
    for (call, name) in CALLS.into_iter().enumerate() {
        let of = |language: usize| figures[language * CALLS.len() + call].median / BURST as f64;
        let (rust, linked, loaded) = (of(0), of(1), of(2));
        let numbers = [rust, linked, linked - rust, loaded, loaded - rust];
        table.row(std::iter::once(name.into()).chain(numbers.map(Into::into)));
    }
    table.print();
}
