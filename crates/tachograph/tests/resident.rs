//! What a thread's lane takes of the machine's memory, as the kernel counts it. A test of its own
//! process, so that nothing else grows meanwhile.
#![cfg(target_os = "linux")]

mod common;

use tachograph::MetricsCollector;

/// What the design allows a thread.
const BYTES_A_THREAD: usize = 128 << 10;

fn resident() -> usize {
    common::resident().expect("Linux tells")
}

const LANES: usize = 200;

/// What a lane takes of RAM, and what it is said to take.
fn of_a_lane() -> (usize, usize) {
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
    let taken = resident().saturating_sub(before) / LANES;
    let told = metrics.get_gauge("telemetry.memory").and_then(|gauge| gauge.current);
    (taken, told.expect("always there") as usize / LANES)
}

#[test]
fn a_thread_that_records_little_touches_little_memory() {
    let before = resident();
    let (taken, told) = of_a_lane();
    assert!(taken < BYTES_A_THREAD, "{taken} bytes");
    assert!(told.abs_diff(taken) < taken / 4, "{told} bytes are told, {taken} are taken");
    let left = resident().saturating_sub(before);
    assert!(left < LANES * taken / 2, "{left} bytes are left of a collector that was dropped");
    // Nor where an earlier collector's lanes have lived and gone.
    let (again, _) = of_a_lane();
    assert!(again < BYTES_A_THREAD, "{again} bytes for the lanes of a second collector");
}
