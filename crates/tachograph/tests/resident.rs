//! What a thread's lane takes of the machine's memory, as the kernel counts it. A test of its own
//! process, so that nothing else grows meanwhile.
#![cfg(target_os = "linux")]

use tachograph::MetricsCollector;

/// What the design allows a thread.
const BYTES_A_THREAD: usize = 128 << 10;

/// Resident bytes of this process that no file backs.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("listed");
    let kib = line.trim().strip_suffix("kB").expect("in kB").trim();
    kib.parse::<usize>().expect("a number") << 10
}

#[test]
fn a_thread_that_records_little_touches_little_memory() {
    const LANES: usize = 200;
    let metrics = MetricsCollector::builder().manual().build();
    let timing = metrics.register_timing("t");
    let before = resident();
    let recorders: Vec<_> = (0..LANES).map(|_| metrics.recorder()).collect();
    // Many drains, so that every block would have its turn if the oldest free one were taken.
    for _ in 0..40 {
        for recorder in &recorders {
            (0..4_000).for_each(|i| recorder.record_ns(&timing, i));
        }
        metrics.get_timing("t");
    }
    let a_lane = (resident() - before) / LANES;
    assert!(a_lane < BYTES_A_THREAD, "{a_lane} bytes");
    let told = metrics.get_gauge("telemetry.memory").and_then(|gauge| gauge.current);
    let told = told.expect("always there") as usize / LANES;
    assert!(told.abs_diff(a_lane) < a_lane / 4, "{told} bytes are told, {a_lane} are taken");
    drop(recorders);
}
