//! `process.*` against what `/proc` and `ps` say, and against Prometheus' names.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tachograph::MetricsCollector;
use tachograph_export::prometheus;
use tachograph_loop::ProcessMetrics;

/// Lines without tags of the text format: names and values, and the types of families.
fn exported(metrics: &MetricsCollector) -> (BTreeMap<String, f64>, BTreeMap<String, String>) {
    let mut text = String::new();
    prometheus::encode(&metrics.get_all_metrics(), &mut text);
    let of_process = || text.lines().filter(|line| line.contains("process_"));
    let value = |line: &str| {
        let (name, value) = line.split_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    let kind = |line: &str| {
        let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
        Some((name.to_owned(), kind.to_owned()))
    };
    (of_process().filter_map(value).collect(), of_process().filter_map(kind).collect())
}

/// Tests of one process share what they measure.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `ps` says of this process.
fn ps(column: &str) -> f64 {
    let own = std::process::id().to_string();
    let output = Command::new("ps").args(["-o", &format!("{column}="), "-p", &own]).output();
    let output = output.expect("ps is installed").stdout;
    String::from_utf8_lossy(&output).trim().parse().expect("a number")
}

/// A limit that processes inherit, as the shell tells it; infinite if it is not set.
fn ulimit(which: &str) -> f64 {
    let output = Command::new("sh").args(["-c", &format!("ulimit {which}")]).output();
    let output = output.expect("a shell").stdout;
    let limit = String::from_utf8_lossy(&output);
    if limit.trim() == "unlimited" {
        f64::INFINITY
    } else {
        limit.trim().parse().expect("a number")
    }
}

/// From "Writing client libraries" of Prometheus' documentation; `process_heap_bytes` is for
/// languages that have one heap.
const NAMES: [(&str, &str); 8] = [
    ("process_cpu_seconds_total", "counter"),
    ("process_max_fds", "gauge"),
    ("process_open_fds", "gauge"),
    ("process_resident_memory_bytes", "gauge"),
    ("process_start_time_seconds", "gauge"),
    ("process_threads", "gauge"),
    ("process_virtual_memory_bytes", "gauge"),
    ("process_virtual_memory_max_bytes", "gauge"),
];

#[test]
fn names_and_types_are_prometheus_own() {
    let _alone = alone();
    let metrics = MetricsCollector::new();
    let _process = ProcessMetrics::new(&metrics);
    let (_, kinds) = exported(&metrics);
    let expected = NAMES.map(|(name, kind)| (name.to_owned(), kind.to_owned()));
    assert_eq!(kinds, expected.into());
}

#[test]
fn a_program_may_have_any_name() {
    let _alone = alone();
    let name = fs::read("/proc/self/comm").expect("Linux");
    // Latin-1.
    fs::write("/proc/self/comm", b"caf\xe9) S").expect("its own name");
    let metrics = MetricsCollector::new();
    let process = ProcessMetrics::new(&metrics);
    process.update();
    let (values, _) = exported(&metrics);
    fs::write("/proc/self/comm", name.trim_ascii_end()).expect("its own name");
    assert!(NAMES.iter().all(|(name, _)| values.contains_key(*name)), "{values:?}");
    assert!(values["process_threads"] >= 1.0);
}

#[test]
fn values_are_what_the_system_says() {
    let _alone = alone();
    let metrics = MetricsCollector::new();
    let process = ProcessMetrics::new(&metrics);
    let before = exported(&metrics).0;

    // Something to see: files, memory that is touched, CPU time.
    let files: Vec<_> = (0..50).map(|_| File::open("/proc/self/stat").expect("Linux")).collect();
    let memory = vec![1u8; 64 << 20];
    let start = ticks();
    while ticks() < start + 20.0 {
        std::hint::black_box((0..100_000u64).sum::<u64>());
    }
    let ticks_before = ticks();
    process.update();
    let after = exported(&metrics).0;
    let ticks_after = ticks();

    let gained = |name: &str| after[name] - before[name];
    // Threads of collectors may open and close a few.
    assert!((30.0..=70.0).contains(&gained("process_open_fds")), "{before:?} {after:?}");
    assert!(gained("process_resident_memory_bytes") >= 60.0 * 1_048_576.0);
    assert!(gained("process_virtual_memory_bytes") >= 60.0 * 1_048_576.0);
    let cpu = after["process_cpu_seconds_total"];
    let bounds = ticks_before / 100.0 - 0.001..=ticks_after / 100.0 + 0.001;
    assert!(bounds.contains(&cpu), "{cpu} is not in {bounds:?}");
    drop((files, memory));
}

#[test]
fn start_memory_and_limits_are_those_of_ps_and_the_shell() {
    let _alone = alone();
    let metrics = MetricsCollector::new();
    let process = ProcessMetrics::new(&metrics);
    let (values, _) = exported(&metrics);
    let since_start = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        now.as_secs_f64() - values["process_start_time_seconds"]
    };
    // ps counts whole seconds; so does the kernel for when it was booted.
    let (least, since, most) = (since_start() - 2.0, ps("etimes"), since_start() + 2.0);
    assert!((least..=most).contains(&since), "ps says {since} s, not {least} to {most}");
    assert_eq!(values["process_max_fds"], ulimit("-n"));
    // The shell counts kibibytes.
    let address_space = match ulimit("-v") {
        kib if kib.is_finite() => 1_024.0 * kib,
        _ => 18_446_744_073_709_551_615.0,
    };
    assert_eq!(values["process_virtual_memory_max_bytes"], address_space);
    let (virtual_kib, threads) = (ps("vsz"), ps("nlwp"));
    process.update();
    let (values, _) = exported(&metrics);
    // Threads of collectors come and go, and with them their stacks.
    let ratio = values["process_virtual_memory_bytes"] / (1_024.0 * virtual_kib);
    assert!((0.5..2.0).contains(&ratio), "{ratio}");
    assert!((values["process_threads"] - threads).abs() <= 4.0);
}

#[test]
fn a_second_reader_does_not_count_the_cpu_time_twice() {
    let _alone = alone();
    let metrics = MetricsCollector::new();
    let all: Vec<_> = (0..5).map(|_| ProcessMetrics::new(&metrics)).collect();
    all.iter().for_each(ProcessMetrics::update);
    let cpu = exported(&metrics).0["process_cpu_seconds_total"];
    assert!(cpu < ticks() / 100.0 + 0.001, "{cpu}");
}

#[test]
fn installed_they_follow_without_being_asked() {
    let _alone = alone();
    let metrics = MetricsCollector::new();
    ProcessMetrics::install(&metrics);
    let resident = || {
        let name = "process.resident_memory";
        metrics.get_gauge(name).and_then(|gauge| gauge.current).expect("it is set")
    };
    let before = resident();
    let memory = vec![1u8; 256 << 20];
    let start = Instant::now();
    while resident() < before + 200.0 * 1_048_576.0 {
        assert!(start.elapsed() < Duration::from_secs(60), "nobody has read it again");
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(memory);
}

/// User and system time by `/proc`, in hundredths of a second.
fn ticks() -> f64 {
    let times = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = times.rsplit(')').next().expect("a name").split_whitespace();
    after_name.skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("a number")).sum()
}
