//! Threads and recorders that find no free lane, and that one is free later.
#![cfg(feature = "record")]

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tachograph::{Clock, Counter, MetricsCollector, MockClock, Recorder};

struct Bed {
    metrics: MetricsCollector,
    counter: Counter,
    clock: Clock,
    hand: MockClock,
}

impl Bed {
    fn new(lanes: usize) -> Self {
        let (clock, hand) = Clock::mock();
        let builder = MetricsCollector::builder().manual().clock(clock.clone());
        let metrics = builder.max_lanes(lanes).build();
        Self { counter: metrics.register_counter("counter"), metrics, clock, hand }
    }

    fn pass_after(&self, millis: u64) {
        self.hand.advance(Duration::from_millis(millis));
        self.metrics.run_pass(self.clock.now(), self.clock.wall());
    }

    /// The counter's value, and what was dropped of it.
    fn counts(&self) -> (i128, u64) {
        let snapshot = self.metrics.get_all_metrics();
        let series = snapshot.find("counter", &[]).expect("registered");
        let value = series.value.as_counter().expect("a counter").lifetime.value;
        (value, series.dropped)
    }

    fn recorded(&self, recorder: &Recorder) -> bool {
        let before = self.counts();
        recorder.increment(&self.counter);
        let after = self.counts();
        assert_eq!(after.0 + i128::from(after.1), before.0 + i128::from(before.1) + 1);
        after.0 > before.0
    }
}

#[test]
fn a_recorder_without_a_lane_takes_one_that_is_free_later() {
    let bed = Bed::new(1);
    let first = bed.metrics.recorder();
    let second = bed.metrics.recorder();
    assert!(bed.recorded(&first) && !bed.recorded(&second));
    bed.pass_after(100);
    assert!(!bed.recorded(&second), "none is free");
    drop(first);
    second.increment(&bed.counter);
    assert_eq!(bed.counts(), (1, 3), "no pass had told of it");
    assert!(bed.recorded(&second) && bed.recorded(&second));
    let report = bed.metrics.shutdown(Duration::from_secs(1));
    assert_eq!((report.recorded, report.aggregated, report.dropped), (6, 3, 3));
}

#[test]
fn recorders_without_a_lane_look_again_at_most_each_hundred_milliseconds() {
    let bed = Bed::new(1);
    let first = bed.metrics.recorder();
    let (second, third) = (bed.metrics.recorder(), bed.metrics.recorder());
    drop(first);
    bed.pass_after(100);
    assert!(bed.recorded(&second) && !bed.recorded(&third));
    drop(second);
    for _ in 0..9 {
        bed.pass_after(11);
        assert!(!bed.recorded(&third), "it was told less than 100 ms ago");
    }
    bed.pass_after(1);
    assert!(bed.recorded(&third));
}

#[test]
fn a_thread_without_a_lane_takes_one_that_is_free_later() {
    let bed = Bed::new(1);
    let (turn, turns) = mpsc::sync_channel(0);
    let (done, wait) = mpsc::sync_channel(0);
    let first = bed.metrics.recorder();
    thread::scope(|scope| {
        let bed = &bed;
        scope.spawn(move || {
            for () in turns {
                bed.counter.increment();
                bed.metrics.increment("by.name");
                drop(bed.metrics.timer("timer"));
                done.send(()).expect("it is waited for");
            }
        });
        let next = || {
            turn.send(()).expect("the thread lives");
            wait.recv().expect("the thread lives");
            bed.counts()
        };
        assert_eq!(next(), (0, 1));
        drop(first);
        bed.pass_after(100);
        assert_eq!(next(), (1, 1));
        assert_eq!(next(), (2, 1));
        drop(turn);
    });
    let by_name = bed.metrics.get_counter("by.name").map(|stats| stats.value);
    let timer = bed.metrics.get_timing("timer").map(|stats| stats.count);
    assert_eq!((by_name, timer), (Some(2), Some(2)));
    let report = bed.metrics.shutdown(Duration::from_secs(1));
    assert_eq!((report.recorded, report.aggregated, report.dropped), (9, 6, 3));
}
