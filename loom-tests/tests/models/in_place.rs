//! Cells and spill rows: written by one thread, read in place by another, installed by a third.

use loom::thread;
use loom_tests::{account, check, collector, pass};
use tachograph::parts::ModelLane;

#[test]
fn a_cell_gains_what_was_counted_never_less_never_twice() {
    // What 0, 1, 2 and 3 of the calls have counted at the least.
    const LEAST: [u64; 4] = [0, 1, 4, 9];
    check("counter cell", 400, || {
        let lane = ModelLane::new(2, 2);
        lane.install_cell(1);
        let writer = lane.adopt().expect("the lane is closed");
        let recorder = thread::spawn(move || {
            for amount in [3, 1, 5] {
                assert!(writer.count(1, amount));
            }
        });
        let mut reader = lane.reader();
        let (mut value, mut calls) = (0u64, 0u64);
        let mut read = || {
            let (gained, called) = reader.counted(1);
            value = value.checked_add(gained).expect("a gain, not a loss");
            calls = calls.checked_add(called).expect("a gain, not a loss");
            assert!(value <= 9 && calls <= 3, "{value} by {calls} calls");
            assert!(value >= LEAST[calls as usize], "{value} by {calls} calls");
            (value, calls)
        };
        read();
        read();
        recorder.join().expect("no panic");
        assert_eq!(read(), (9, 3));
    });
}

#[test]
fn a_row_installed_meanwhile_takes_what_was_not_dropped() {
    check("spill row", 120, || {
        let lane = ModelLane::new(2, 2);
        let writer = lane.adopt().expect("the lane is closed");
        let recorder = thread::spawn(move || {
            [5u64, 9].into_iter().filter(|&value| writer.spill(0, value)).collect::<Vec<_>>()
        });
        let mut reader = lane.reader();
        lane.install_row(0);
        let (early_count, early_sum) = reader.spilled(0);
        let kept = recorder.join().expect("no panic");
        let (count, sum) = reader.spilled(0);
        assert_eq!(early_count + count, kept.len() as u64);
        assert_eq!(early_sum + sum, u128::from(kept.iter().sum::<u64>()));
    });
}

#[test]
fn a_gauges_row_gains_every_value_once_however_far_along_it_is_read() {
    check("gauge row", 95, || {
        let lane = ModelLane::new(2, 2);
        lane.install_gauge(0);
        let writer = lane.adopt().expect("the lane is closed");
        let recorder = thread::spawn(move || {
            assert!(writer.spill_gauge(0, 5.0));
            assert!(writer.spill_gauge(0, 9.0));
        });
        let mut reader = lane.reader();
        let early = reader.gauged(0);
        recorder.join().expect("no panic");
        let late = reader.gauged(0);
        assert_eq!(early.0 + late.0, 2);
        assert_eq!(early.1 + late.1, 2);
        assert_eq!(early.2 + late.2, 14.0);
    });
}

#[test]
fn what_signal_handlers_count_is_all_there() {
    check("signals", 50, || {
        let metrics = collector().build();
        let counter = metrics.register_counter("n");
        let counting = counter.clone();
        let thread = thread::spawn(move || counting.increment_from_signal());
        counter.increment_from_signal();
        pass(&metrics);
        thread.join().expect("no panic");
        // By a pass, which looks for them where it is told to; a read of one counter always does.
        assert_eq!(account(&metrics, 2), 0);
        assert_eq!(metrics.get_counter("n").expect("registered").value, 2);
    });
}
