//! Cells and spill rows: written by one thread, read in place by another.

use loom::thread;
use loom_tests::{account, check, collector, pass};
use tachograph::testing::models::{ModelLane, ModelReader};

#[test]
fn a_cell_gains_what_was_counted_never_less_never_twice() {
    // The least total after 0, 1, 2 and 3 of the calls.
    const LEAST: [u64; 4] = [0, 1, 4, 9];
    check("counter cell", 440, || {
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

/// Sums up the gains of a row's folds.
#[derive(Default)]
struct Folded {
    count: u64,
    sum: u128,
    ends: Option<(u64, u64)>,
}

impl Folded {
    fn take(&mut self, reader: &mut ModelReader) {
        let (count, sum, ends) = reader.spilled(0);
        self.count += count;
        self.sum += sum;
        if let Some((min, max)) = ends {
            assert!(min <= max, "extremes of samples that are there: {min} and {max}");
            let (low, high) = self.ends.unwrap_or((min, max));
            self.ends = Some((low.min(min), high.max(max)));
        }
        assert_eq!(self.count > 0, self.ends.is_some(), "no sample without extremes");
    }
}

#[test]
fn a_row_gains_every_sample_once_and_the_extremes_of_all() {
    check("spill row", 8_800, || {
        let lane = ModelLane::new(2, 2);
        let writer = lane.adopt().expect("the lane is closed");
        // Folded while the next samples arrive: they may still belong to its epoch.
        assert!(writer.spill(0, 4));
        let recorder = thread::spawn(move || {
            [2, 6, 3].into_iter().for_each(|value| assert!(writer.spill(0, value)));
        });
        let (mut reader, mut folded) = (lane.reader(), Folded::default());
        (0..2).for_each(|_| folded.take(&mut reader));
        recorder.join().expect("no panic");
        folded.take(&mut reader);
        assert_eq!((folded.count, folded.sum, folded.ends), (4, 15, Some((2, 6))));
    });
}

#[test]
fn no_epoch_is_left_out_however_late_its_begin_is_seen() {
    check("two epochs", 37_000, || {
        let lane = ModelLane::new(2, 2);
        let writer = lane.adopt().expect("the lane is closed");
        assert!(writer.spill(0, 2));
        let recorder = thread::spawn(move || {
            [2, 1, 3, 3].into_iter().for_each(|value| assert!(writer.spill(0, value)));
        });
        let (mut reader, mut folded) = (lane.reader(), Folded::default());
        (0..2).for_each(|_| folded.take(&mut reader));
        recorder.join().expect("no panic");
        folded.take(&mut reader);
        assert_eq!((folded.count, folded.sum, folded.ends), (5, 11, Some((1, 3))));
    });
}

#[test]
fn extremes_that_were_folded_do_not_come_back() {
    check("epoch", 105, || {
        let lane = ModelLane::new(2, 2);
        let writer = lane.adopt().expect("the lane is closed");
        let (mut reader, mut folded) = (lane.reader(), Folded::default());
        for value in [1, 7] {
            assert!(writer.spill(0, value));
            reader.spilled(0);
        }
        let recorder = thread::spawn(move || {
            [4, 3].into_iter().for_each(|value| assert!(writer.spill(0, value)));
        });
        (0..2).for_each(|_| folded.take(&mut reader));
        recorder.join().expect("no panic");
        folded.take(&mut reader);
        assert_eq!((folded.count, folded.sum, folded.ends), (2, 7, Some((3, 4))));
    });
}

#[test]
fn a_gauges_row_gains_every_value_once_however_far_along_it_is_read() {
    check("gauge row", 7_200, || {
        let lane = ModelLane::new(2, 2);
        let writer = lane.adopt().expect("the lane is closed");
        let recorder = thread::spawn(move || {
            [5.0, -9.0, 7.0].into_iter().for_each(|value| assert!(writer.spill_gauge(0, value)));
        });
        let mut reader = lane.reader();
        let (mut count, mut finite, mut sum) = (0, 0, 0.0);
        let mut ends = (f64::INFINITY, f64::NEG_INFINITY);
        let mut fold = || {
            let (gained, gained_finite, gained_sum, extremes) = reader.gauged(0);
            (count, finite, sum) = (count + gained, finite + gained_finite, sum + gained_sum);
            assert_eq!(gained > 0, extremes.is_some());
            if let Some((min, max)) = extremes {
                ends = (ends.0.min(min), ends.1.max(max));
            }
            (count, finite, sum, ends)
        };
        fold();
        fold();
        recorder.join().expect("no panic");
        assert_eq!(fold(), (3, 3, 3.0, (-9.0, 7.0)));
    });
}

#[test]
fn totals_of_two_threads_count_as_the_highest_in_any_order() {
    check("totals", 54, || {
        let metrics = collector().build();
        let counter = metrics.register_counter("n");
        let other = counter.clone();
        let thread = thread::spawn(move || other.advance_to(3));
        counter.advance_to(5);
        thread.join().expect("no panic");
        assert_eq!(metrics.get_counter("n").expect("registered").value, 5);
    });
}

#[test]
fn what_signal_handlers_count_is_all_there() {
    check("signals", 110, || {
        let metrics = collector().build();
        let counter = metrics.register_counter("n");
        let counting = counter.clone();
        let thread = thread::spawn(move || counting.increment_from_signal());
        counter.increment_from_signal();
        pass(&metrics);
        thread.join().expect("no panic");
        // A pass looks for them only when told to; a read of one counter always does.
        assert_eq!(account(&metrics, 2), 0);
        assert_eq!(metrics.get_counter("n").expect("registered").value, 2);
    });
}
