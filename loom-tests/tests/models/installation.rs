//! Cells and rows for series, created in a lane while its owner records and the aggregator reads.

use loom::thread;
use loom_tests::{account, check, collector, pass};
use tachograph::testing::models::{self, ModelLane};

#[test]
fn a_counter_is_exact_while_its_cell_is_made() {
    check("cell installation", 320, || {
        let metrics = collector().build();
        // More than the cells that every lane starts with.
        ["first", "second"].iter().for_each(|name| drop(metrics.register_counter(name)));
        let counter = models::unplaced_counter(&metrics, "n");
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
fn rows_are_taken_one_by_one_and_more_are_made_meanwhile() {
    check("row reserve", 570, || {
        let lane = ModelLane::new(2, 2);
        let writer = lane.adopt().expect("the lane is closed");
        // Two rows are reserved: the reader creates the third, or the sample is refused.
        let recorder = thread::spawn(move || [0, 1, 2].map(|slot| writer.spill(slot, 5)));
        let mut reader = lane.reader();
        let mut gained = [0, 1, 2].map(|slot| reader.spilled(slot).0);
        let kept = recorder.join().expect("no panic");
        for (slot, gained) in (0..).zip(&mut gained) {
            *gained += reader.spilled(slot).0;
        }
        assert!(kept[0] && kept[1], "they are reserved");
        assert_eq!(gained, kept.map(u64::from));
    });
}

#[test]
fn whoever_makes_a_place_first_both_use_it() {
    check("installed twice", 21, || {
        let lane = ModelLane::new(2, 2);
        let writer = lane.adopt().expect("the lane is closed");
        let owners = lane.clone();
        let thread = thread::spawn(move || {
            // Beyond the cells that the lane starts with.
            owners.install_cell(2);
            assert!(writer.count(2, 5), "the cell is there, whoever has made it");
            writer
        });
        let mut reader = lane.reader();
        // In the same chunk as the cell that the owner creates.
        lane.install_cell(3);
        let writer = thread.join().expect("no panic");
        assert!(writer.count(3, 7), "the neighbour is there as well");
        assert_eq!((reader.counted(2).0, reader.counted(3).0), (5, 7));
    });
}
