//! That the sanitizer sees what it is here for: each of these must end its process.

use std::process::{Command, Output};
use std::sync::Mutex;

use crate::{manual, nonblocking};

/// Says to a test, run again as a process of its own, that it is to do what it must not.
const DO_IT: &str = "TACHOGRAPH_TEST_BLOCK";

/// Runs the named test as a process of its own, where it blocks; gives the report.
fn report_of(test: &str) -> String {
    let itself = std::env::current_exe().expect("a test knows its program");
    let mut command = Command::new(itself);
    command.args([&format!("bites::{test}"), "--exact", "--nocapture"]).env(DO_IT, "1");
    let Output { status, stderr, .. } = command.output().expect("the program starts again");
    let report = String::from_utf8_lossy(&stderr).into_owned();
    assert!(!status.success(), "{test} must not survive: {report}");
    assert!(report.contains("ERROR: RealtimeSanitizer"), "{test}: {report}");
    report
}

fn is_child() -> bool {
    std::env::var_os(DO_IT).is_some()
}

#[test]
fn an_allocation_ends_the_process() {
    if is_child() {
        return nonblocking(|| drop(std::hint::black_box(vec![0u8; 100])));
    }
    let report = report_of("an_allocation_ends_the_process");
    assert!(report.contains("`malloc`") || report.contains("`calloc`"), "{report}");
}

#[test]
fn freeing_ends_the_process() {
    let memory = vec![0u8; 100];
    if is_child() {
        return nonblocking(|| drop(std::hint::black_box(memory)));
    }
    assert!(report_of("freeing_ends_the_process").contains("`free`"));
}

#[test]
fn a_lock_of_the_core_ends_the_process_though_nobody_holds_it() {
    let metrics = manual();
    if is_child() {
        // Switching is for any thread but one that must not wait: it takes a lock.
        return nonblocking(|| metrics.set_enabled(true));
    }
    let report = report_of("a_lock_of_the_core_ends_the_process_though_nobody_holds_it");
    assert!(report.contains("blocking function `tachograph::sync::door::lock"), "{report}");
}

#[test]
fn waiting_for_a_lock_ends_the_process() {
    let mutex = Mutex::new(());
    if is_child() {
        let _held = mutex.lock();
        std::thread::scope(|scope| {
            scope.spawn(|| nonblocking(|| drop(mutex.lock())));
        });
    }
    assert!(is_child() || report_of("waiting_for_a_lock_ends_the_process").contains("`syscall`"));
}

#[test]
fn a_system_call_ends_the_process() {
    if is_child() {
        return nonblocking(std::thread::yield_now);
    }
    assert!(report_of("a_system_call_ends_the_process").contains("`sched_yield`"));
}

#[test]
fn a_first_use_by_name_ends_the_process() {
    let metrics = manual();
    metrics.increment("known");
    if is_child() {
        return nonblocking(|| metrics.increment("new"));
    }
    report_of("a_first_use_by_name_ends_the_process");
}

#[test]
fn a_threads_first_record_ends_the_process() {
    let metrics = manual();
    let counter = metrics.register_counter("c");
    if is_child() {
        return nonblocking(|| counter.increment());
    }
    report_of("a_threads_first_record_ends_the_process");
}
