//! A lane's operations in any order, compared with a queue and plain sums.
#![no_main]

use std::collections::VecDeque;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tachograph::testing::models::{BLOCK_SAMPLES, ModelLane, ModelReader, ModelWriter};

/// The slots in use: a cell in the lane itself and one in a chunk, and rows in two pages.
const SLOTS: [u32; 2] = [0, 6];

#[derive(Arbitrary, Debug)]
enum Op {
    Push {
        series: u32,
        value: u64,
        times: u8,
    },
    Drain,
    Grow(u8),
    /// The owner's thread ends and another one takes over the lane.
    Adopt,
    /// Creates a counter's cell.
    Install(bool),
    Count {
        slot: bool,
        amount: u64,
    },
    Spill {
        slot: bool,
        value: u64,
    },
    SpillGauge {
        slot: bool,
        value: i32,
    },
    Read,
}

#[derive(Arbitrary, Debug)]
struct Input {
    blocks: u8,
    more: u8,
    ops: Vec<Op>,
}

/// What was recorded and not yet read.
#[derive(Default)]
struct Expected {
    queue: VecDeque<(u32, u64)>,
    /// Samples accepted since the last complete drain.
    since_drain: usize,
    counted: [(u64, u64); 2],
    spilled: [(u64, u128, Option<(u64, u64)>); 2],
    gauged: [(u64, u64, f64, Option<(f64, f64)>); 2],
    /// Which cells exist: a lane has some from the start.
    cells: [bool; 2],
}

impl Expected {
    fn push(&mut self, writer: &ModelWriter, sample: (u32, u64), blocks: usize) {
        if writer.push(sample.0, sample.1) {
            self.queue.push_back(sample);
            self.since_drain += 1;
        } else {
            // Only the block being filled can be unavailable after a drain.
            let room = (blocks - 1) * BLOCK_SAMPLES;
            assert!(self.since_drain >= room, "{} of {room} samples", self.since_drain);
        }
    }

    fn drain(&mut self, reader: &mut ModelReader) {
        assert_eq!(reader.drain(), Vec::from(std::mem::take(&mut self.queue)));
        self.since_drain = 0;
    }

    fn read(&mut self, reader: &mut ModelReader) {
        for (index, slot) in SLOTS.into_iter().enumerate() {
            assert_eq!(reader.counted(slot), std::mem::take(&mut self.counted[index]));
            assert_eq!(reader.spilled(slot), std::mem::take(&mut self.spilled[index]));
            assert_eq!(reader.gauged(slot), std::mem::take(&mut self.gauged[index]));
        }
    }

    fn install(&mut self, lane: &ModelLane, slot: bool) {
        let slot = usize::from(slot);
        lane.install_cell(SLOTS[slot]);
        self.cells[slot] = true;
    }

    fn count(&mut self, writer: &ModelWriter, slot: bool, amount: u64) {
        let slot = usize::from(slot);
        let exists = writer.count(SLOTS[slot], amount);
        assert!(exists || !self.cells[slot], "it was installed");
        if exists {
            let (value, calls) = self.counted[slot];
            self.counted[slot] = (value.wrapping_add(amount), calls + 1);
        }
    }

    fn spill(&mut self, writer: &ModelWriter, slot: bool, value: u64) {
        let slot = usize::from(slot);
        assert!(writer.spill(SLOTS[slot], value), "rows are reserved");
        let (count, sum, ends) = self.spilled[slot];
        let (min, max) = ends.unwrap_or((value, value));
        let ends = Some((min.min(value), max.max(value)));
        self.spilled[slot] = (count + 1, sum + u128::from(value), ends);
    }

    fn spill_gauge(&mut self, writer: &ModelWriter, slot: bool, value: i32) {
        let slot = usize::from(slot);
        // Whole numbers have exact sums.
        let value = f64::from(value);
        assert!(writer.spill_gauge(SLOTS[slot], value), "rows are reserved");
        let (count, finite, sum, ends) = self.gauged[slot];
        let (min, max) = ends.unwrap_or((value, value));
        let ends = Some((min.min(value), max.max(value)));
        self.gauged[slot] = (count + 1, finite + 1, sum + value, ends);
    }
}

fuzz_target!(|input: Input| {
    let mut blocks = 2 + usize::from(input.blocks % 3);
    let blocks_max = blocks + usize::from(input.more % 4);
    let lane = ModelLane::new(blocks, blocks_max);
    let mut writer = lane.adopt().expect("a new lane is closed");
    let mut reader = lane.reader();
    let mut expected = Expected::default();
    for op in &input.ops {
        match *op {
            Op::Push { series, value, times } => (0..u64::from(times)).for_each(|i| {
                expected.push(&writer, (series, value.wrapping_add(i)), blocks);
            }),
            Op::Drain => expected.drain(&mut reader),
            Op::Grow(by) => {
                reader.grow(blocks + usize::from(by % 4));
                blocks = (blocks + usize::from(by % 4)).min(blocks_max);
            }
            Op::Adopt => {
                assert!(lane.adopt().is_none(), "it has an owner");
                drop(writer);
                writer = lane.adopt().expect("it is closed");
            }
            Op::Install(slot) => expected.install(&lane, slot),
            Op::Count { slot, amount } => expected.count(&writer, slot, amount),
            Op::Spill { slot, value } => expected.spill(&writer, slot, value),
            Op::SpillGauge { slot, value } => expected.spill_gauge(&writer, slot, value),
            Op::Read => expected.read(&mut reader),
        }
    }
    drop(writer);
    assert!(lane.retire(), "it is closed");
    expected.drain(&mut reader);
    expected.read(&mut reader);
});
