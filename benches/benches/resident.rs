//! How much of the machine's memory does a thread take that records little? As the kernel counts
//! it, with the system's own allocator: one that counts would touch what lanes only reserve.

use std::sync::mpsc;
use std::thread;
use std::time::{Instant, SystemTime};

use benches::{Budgets, Table};
use tachograph::MetricsCollector;

/// As often as it takes until no snapshot but the last is held.
fn passes(metrics: &MetricsCollector) {
    for _ in 0..4 {
        metrics.run_pass(Instant::now(), SystemTime::now());
    }
}

/// Bytes of the machine's memory that this process has and no file backs: what the kernel counts. A
/// lane reserves more than it touches, which an allocator would count.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("procfs");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("listed");
    let kib = line.trim().strip_suffix("kB").expect("in kB").trim();
    kib.parse::<f64>().expect("a number") * 1_024.0
}

/// What each of so many threads adds that have recorded and are still there, beyond what threads
/// add that do nothing.
fn each_thread() -> f64 {
    const THREADS: usize = 64;
    let metrics = MetricsCollector::builder().manual().build();
    let (counter, timing) = (metrics.register_counter("c"), metrics.register_timing("t"));
    let record = move || {
        counter.increment();
        timing.record_ns(1);
    };
    record();
    passes(&metrics);
    let (ready, told) = mpsc::channel();
    let added = |act: &dyn Fn() -> Box<dyn FnOnce()>| {
        let before = resident();
        let waiting = act();
        passes(&metrics);
        let with_them = resident();
        waiting();
        with_them - before
    };
    let of_bare = added(&|| Box::new(wait_in_threads(THREADS, &ready, &told, || ())));
    let of_recording = added(&|| Box::new(wait_in_threads(THREADS, &ready, &told, record.clone())));
    assert_eq!(metrics.get_counter("c").map(|stats| stats.value), Some(THREADS as i128 + 1));
    (of_recording - of_bare) / THREADS as f64
}

/// Starts threads that act and then stay until the function given back is called.
fn wait_in_threads(
    threads: usize,
    ready: &mpsc::Sender<()>,
    told: &mpsc::Receiver<()>,
    act: impl Fn() + Clone + Send + 'static,
) -> impl FnOnce() {
    let start = |_| {
        let (leave, left) = mpsc::channel::<()>();
        let (ready, act) = (ready.clone(), act.clone());
        let thread = thread::spawn(move || {
            act();
            ready.send(()).expect("they are waited for");
            let _ = left.recv();
        });
        (leave, thread)
    };
    let all: Vec<_> = (0..threads).map(start).collect();
    all.iter().for_each(|_| told.recv().expect("the threads run"));
    move || {
        for (leave, thread) in all {
            drop(leave);
            thread.join().expect("no panic");
        }
    }
}

fn main() {
    let mut table = Table::new("resident", "Resident memory", &["what", "bytes each"]);
    let mut budgets = Budgets::new("budget-resident");
    if cfg!(target_os = "linux") {
        // Once: memory of lanes that were freed is zeroed by hand when it is taken again, and so
        // it is touched.
        let bytes = each_thread();
        table.row(["a thread of the first collector".into(), bytes.into()]);
        budgets.at_most("a thread", bytes / 1_024.0, 128.0, "KiB");
    }
    table.print();
    budgets.print();
}
