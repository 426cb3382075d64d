//! The tracker of sequence numbers against the rules, said naively.

use std::collections::HashSet;
use std::net::SocketAddr;

use ast_server::sequence::{JUMP_MAX, SequenceTracker, Verdict, WINDOW};
use proptest::prelude::*;

const MODULUS: i64 = 1 << 31;

fn source(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// The rules over numbers that do not wrap: every number of a run is kept.
#[derive(Default)]
struct Naive {
    run: Option<NaiveRun>,
}

struct NaiveRun {
    port: u16,
    baseline: i64,
    newest: i64,
    received: HashSet<i64>,
}

impl Naive {
    fn observe(&mut self, port: u16, seq: u32) -> Verdict {
        let seq = i64::from(seq);
        let Some(run) = self.run.as_mut() else {
            self.start(port, seq);
            return Verdict::First;
        };
        // The number that is nearest to the newest, of all that look the same on the wire.
        let turn = (run.newest - seq).div_euclid(MODULUS);
        let same = (turn..=turn + 1).map(|turn| seq + turn * MODULUS);
        let number = same.min_by_key(|number| (number - run.newest).abs()).expect("two numbers");
        let ahead = number - run.newest;
        if port != run.port || ahead > i64::from(JUMP_MAX) || ahead <= -i64::from(WINDOW) {
            self.start(port, seq);
            return Verdict::Restart;
        }
        run.newest = run.newest.max(number);
        if !run.received.insert(number) {
            return Verdict::Duplicate;
        }
        match ahead {
            1 => Verdict::InOrder,
            2.. => Verdict::Gap { missing: u32::try_from(ahead - 1).expect("a small gap") },
            _ if number > run.baseline => Verdict::Recovered,
            _ => Verdict::Early,
        }
    }

    fn start(&mut self, port: u16, baseline: i64) {
        let received = HashSet::from([baseline]);
        self.run = Some(NaiveRun { port, baseline, newest: baseline, received });
    }
}

/// A step of a sender, relative to the number before.
fn step() -> impl Strategy<Value = (u16, i64)> {
    let offset = prop_oneof![
        6 => Just(1),
        3 => -3..6_i64,
        2 => -1_030..1_100_i64,
        1 => 999_990..1_000_010_i64,
        1 => -2_000_000..2_000_000_i64,
        1 => -MODULUS..MODULUS,
    ];
    let port = prop_oneof![30 => Just(1_u16), 1 => Just(2)];
    (port, offset)
}

proptest! {
    #[test]
    fn the_tracker_says_what_the_rules_say(
        first in prop_oneof![0..10_u32, (1_u32 << 31) - 2_000..1 << 31, 0..1_u32 << 31],
        steps in prop::collection::vec(step(), 1..400),
    ) {
        let (mut tracker, mut naive) = (SequenceTracker::default(), Naive::default());
        let mut seq = i64::from(first);
        for (port, offset) in [(1, 0)].into_iter().chain(steps) {
            seq = (seq + offset).rem_euclid(MODULUS);
            let number = u32::try_from(seq).expect("below 2^31");
            prop_assert_eq!(
                tracker.observe(source(port), number),
                naive.observe(port, number),
                "number {} from port {}", number, port
            );
            let newest = naive.run.as_ref().map(|run| run.newest.rem_euclid(MODULUS));
            prop_assert_eq!(tracker.newest().map(i64::from), newest);
        }
    }
}

fn verdicts(numbers: &[u32]) -> Vec<Verdict> {
    let mut tracker = SequenceTracker::default();
    numbers.iter().map(|&number| tracker.observe(source(1), number)).collect()
}

#[test]
fn the_first_number_is_the_baseline_whatever_it_is() {
    assert_eq!(verdicts(&[1_000_000_000]), [Verdict::First]);
}

#[test]
fn a_gap_is_filled_by_late_numbers_once_each() {
    use Verdict as V;
    let expected =
        [V::First, V::Gap { missing: 2 }, V::Recovered, V::Recovered, V::Duplicate, V::InOrder];
    assert_eq!(verdicts(&[0, 3, 2, 1, 2, 4]), expected);
}

#[test]
fn what_is_older_than_the_baseline_was_never_missed() {
    assert_eq!(
        verdicts(&[10, 9, 9, 11]),
        [Verdict::First, Verdict::Early, Verdict::Duplicate, Verdict::InOrder]
    );
}

#[test]
fn numbers_wrap_at_2_to_the_31() {
    let last = (1 << 31) - 1;
    let expected =
        [Verdict::First, Verdict::InOrder, Verdict::Gap { missing: 1 }, Verdict::Duplicate];
    assert_eq!(verdicts(&[last, 0, 2, last]), expected);
}

#[test]
fn starting_from_0_again_is_a_restart_and_so_is_a_jump() {
    assert_eq!(verdicts(&[5_000, 0, 1]), [Verdict::First, Verdict::Restart, Verdict::InOrder]);
    assert_eq!(verdicts(&[0, 1_000_000]), [Verdict::First, Verdict::Gap { missing: 999_999 }]);
    assert_eq!(verdicts(&[0, 1_000_001]), [Verdict::First, Verdict::Restart]);
}

#[test]
fn a_new_port_is_a_restart_even_inside_the_window() {
    let mut tracker = SequenceTracker::default();
    for number in 0..10 {
        tracker.observe(source(1), number);
    }
    assert_eq!(tracker.observe(source(2), 3), Verdict::Restart);
    assert_eq!(tracker.observe(source(2), 4), Verdict::InOrder);
}
