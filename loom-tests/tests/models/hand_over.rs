//! Blocks between a recorder and the aggregator: published, read, returned, reused, added.

use loom::thread;
use loom_tests::check;
use tachograph::testing::models::{BLOCK_SAMPLES, ModelLane, ModelWriter};

/// Pushes values from `first` up and returns those that were accepted.
fn push_all(writer: &ModelWriter, first: u64, samples: u64) -> Vec<(u32, u64)> {
    let values = (first..first + samples).map(|value| (7, value));
    values.filter(|&(id, value)| writer.push(id, value)).collect()
}

/// A recorder pushes after some earlier samples, while the aggregator drains twice; then everything
/// is drained.
fn pushed_and_drained(lane: &ModelLane, before: u64, samples: u64, grow_to: Option<usize>) {
    let writer = lane.adopt().expect("the lane is closed");
    let mut accepted = push_all(&writer, 1, before);
    assert_eq!(accepted.len() as u64, before, "they have room");
    let recorder = thread::spawn(move || push_all(&writer, before + 1, samples));
    let mut reader = lane.reader();
    let mut drained = reader.drain();
    if let Some(blocks) = grow_to {
        reader.grow(blocks);
    }
    drained.extend(reader.drain());
    accepted.extend(recorder.join().expect("no panic"));
    drained.extend(reader.drain());
    assert_eq!(drained, accepted, "each accepted sample once, in order");
}

const BLOCK: u64 = BLOCK_SAMPLES as u64;

#[test]
fn a_half_full_block_is_read_without_its_recorder() {
    check("half-full block", 24, || pushed_and_drained(&ModelLane::new(2, 2), 0, 1, None));
}

#[test]
fn blocks_wrap_around() {
    // One sample more than two blocks hold: the recorder finds a returned block, or none.
    check("wrap", 250, || pushed_and_drained(&ModelLane::new(2, 2), 0, 2 * BLOCK + 1, None));
}

#[test]
fn a_returned_block_comes_back_empty() {
    check("return", 90, || pushed_and_drained(&ModelLane::new(2, 2), 2 * BLOCK, 2, None));
}

#[test]
fn added_blocks_are_found_and_keep_the_order() {
    check("added block", 590, || {
        pushed_and_drained(&ModelLane::new(2, 3), 0, 2 * BLOCK + 1, Some(3));
    });
}
