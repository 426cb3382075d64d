//! Places for series, made in a lane while its owner records and the aggregator reads.

use loom::thread;
use loom_tests::{account, check, collector, pass};
use tachograph::parts::{self, ModelLane};

#[test]
fn a_counter_is_exact_while_its_cell_is_made() {
    check("cell installation", 105, || {
        let metrics = collector().build();
        // Beyond the cells that every lane holds from its start.
        ["first", "second"].iter().for_each(|name| drop(metrics.register_counter(name)));
        let counter = parts::unplaced_counter(&metrics, "n");
        let recorder = metrics.recorder();
        let thread = thread::spawn(move || {
            recorder.increment_by(&counter, 3);
            recorder.increment(&counter);
            recorder.increment_by(&counter, 2);
        });
        pass(&metrics);
        thread.join().expect("no panic");
        assert_eq!(metrics.get_counter("n").expect("recorded").value, 6);
        assert_eq!(account(&metrics, 3), 0);
    });
}

#[test]
fn a_timing_is_exact_while_its_row_is_made() {
    check("row installation", 18_000, || {
        let metrics = collector().build();
        let timing = parts::unplaced_timing(&metrics, "t");
        let recorder = metrics.recorder();
        // Powers of two: their sum tells which of them are in it. Four fill the lane.
        (0..3).for_each(|bit| recorder.record_ns(&timing, 1 << bit));
        let thread = thread::spawn(move || {
            (3..7).for_each(|bit| recorder.record_ns(&timing, 1 << bit));
        });
        pass(&metrics);
        thread.join().expect("no panic");
        let stats = metrics.get_timing("t").expect("recorded");
        assert_eq!(u64::from(stats.buckets().sum().count_ones()), stats.count);
        assert_eq!(account(&metrics, 7), 7 - i128::from(stats.count));
    });
}

#[test]
fn a_gauge_is_exact_while_its_row_is_made() {
    check("gauge row installation", 26_500, || {
        let metrics = collector().build();
        let gauge = parts::unplaced_gauge(&metrics, "g");
        let recorder = metrics.recorder();
        (0..3).for_each(|bit| recorder.set(&gauge, f64::from(1 << bit)));
        let thread = thread::spawn(move || {
            (3..7).for_each(|bit| recorder.set(&gauge, f64::from(1 << bit)));
        });
        pass(&metrics);
        thread.join().expect("no panic");
        let stats = metrics.get_gauge("g").expect("recorded");
        let sum = stats.mean.expect("recorded") * stats.count as f64;
        assert_eq!(u64::from((sum as u64).count_ones()), stats.count, "{stats:?}");
        assert_eq!(account(&metrics, 7), 7 - i128::from(stats.count));
    });
}

#[test]
fn whoever_makes_a_place_first_both_use_it() {
    check("installed twice", 580, || {
        let lane = ModelLane::new(2, 2);
        let writer = lane.adopt().expect("the lane is closed");
        let owners = lane.clone();
        let thread = thread::spawn(move || {
            owners.install_row(0);
            assert!(writer.spill(0, 5), "the row is there, whoever has made it");
            owners.install_cell(2);
            assert!(writer.count(2, 5), "and the cell");
            writer
        });
        let mut reader = lane.reader();
        // On the same page and in the same chunk as what the owner makes.
        lane.install_row(1);
        lane.install_row(0);
        // Beyond the cells that the lane holds from its start.
        lane.install_cell(3);
        let mut spilled = reader.spilled(0).0;
        let writer = thread.join().expect("no panic");
        assert!(writer.spill(1, 7) && writer.count(3, 7), "the neighbours are there as well");
        spilled += reader.spilled(0).0;
        assert_eq!((spilled, reader.spilled(1).0), (1, 1));
        assert_eq!((reader.counted(2).0, reader.counted(3).0), (5, 7));
    });
}
