//! Threads that end, and threads that continue in the lane they left.

use loom::thread;
use loom_tests::check;
use tachograph::testing::models::ModelLane;

/// Records three samples and one count, if the lane is free, and leaves.
fn record_and_leave(lane: &ModelLane, first: u64) -> Vec<(u32, u64)> {
    let Some(writer) = lane.adopt() else { return Vec::new() };
    assert!(writer.count(0, 5), "the cell was installed");
    (first..first + 3).map(|value| (1, value)).filter(|s| writer.push(s.0, s.1)).collect()
}

fn spawn(lane: &ModelLane, first: u64) -> thread::JoinHandle<Vec<(u32, u64)>> {
    let lane = lane.clone();
    thread::spawn(move || record_and_leave(&lane, first))
}

#[test]
fn an_adopted_lane_goes_on_where_the_last_thread_stood() {
    check("exit and adoption", 950, || {
        let lane = ModelLane::new(3, 3);
        lane.install_cell(0);
        let (one, two) = (spawn(&lane, 10), spawn(&lane, 20));
        let mut reader = lane.reader();
        let mut drained = reader.drain();
        let (mut counted, _) = reader.counted(0);
        let recorded = [one.join().expect("no panic"), two.join().expect("no panic")];
        drained.extend(reader.drain());
        let calls = recorded.iter().filter(|samples| !samples.is_empty()).count() as u64;
        counted += reader.counted(0).0;
        assert_eq!(counted, 5 * calls, "every count once");
        let mut all: Vec<_> = recorded.concat();
        all.sort_unstable();
        drained.sort_unstable();
        assert_eq!(drained, all, "every sample once");
        assert!(calls >= 1 && all.len() as u64 == 3 * calls, "six samples have room");
    });
}

#[test]
fn a_lane_is_retired_or_adopted_and_its_last_samples_are_read() {
    check("retirement", 40, || {
        let lane = ModelLane::new(2, 2);
        lane.install_cell(0);
        let recorder = spawn(&lane, 10);
        let mut reader = lane.reader();
        let mut drained = reader.drain();
        let retired = lane.retire();
        if retired {
            // Nothing is recorded any more, so this drains the rest.
            drained.extend(reader.drain());
        }
        let recorded = recorder.join().expect("no panic");
        if !retired {
            drained.extend(reader.drain());
        }
        assert_eq!(drained, recorded);
        assert_eq!(reader.counted(0).0, if recorded.is_empty() { 0 } else { 5 });
    });
}
