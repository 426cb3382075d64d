//! The tracker of sequence numbers against the rules, said naively.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ast_server::sequence::{
    Arrival, JUMP_MAX, RUNS, SILENCE, SequenceTracker, Stale, Touch, Verdict, WINDOW,
};
use ast_server::{Arg, EventType};
use proptest::prelude::*;

const MODULUS: i64 = 1 << 31;

fn source(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// The rules over numbers that do not wrap: every number of a run is kept. Runs in the order in
/// which they were heard.
#[derive(Default)]
struct Naive(Vec<(u16, NaiveRun)>);

struct NaiveRun {
    baseline: i64,
    newest: i64,
    heard: Duration,
    /// What came, and when.
    received: HashMap<i64, (u64, Duration)>,
}

impl NaiveRun {
    fn new(baseline: i64, hash: u64, at: Duration) -> Self {
        let received = HashMap::from([(baseline, (hash, at))]);
        Self { baseline, newest: baseline, heard: at, received }
    }

    fn observe(&mut self, seq: i64, hash: u64, at: Duration) -> Verdict {
        let is_silent = at - self.heard > Duration::from_secs(2);
        self.heard = at;
        // The number that is nearest to the newest, of all that look the same on the wire.
        let turn = (self.newest - seq).div_euclid(MODULUS);
        let same = (turn..=turn + 1).map(|turn| seq + turn * MODULUS);
        let number = same.min_by_key(|number| (number - self.newest).abs()).expect("two numbers");
        let ahead = number - self.newest;
        if ahead > i64::from(JUMP_MAX) || ahead <= -i64::from(WINDOW) {
            return Verdict::Restart;
        }
        self.newest = self.newest.max(number);
        if let Some(&(known, then)) = self.received.get(&number) {
            let is_same = known == hash && at - then <= Duration::from_secs(2);
            return if is_same { Verdict::Duplicate } else { Verdict::Restart };
        }
        self.received.insert(number, (hash, at));
        match ahead {
            1 => Verdict::InOrder,
            2.. => Verdict::Gap { missing: u32::try_from(ahead - 1).expect("a small gap") },
            _ if number > self.baseline => Verdict::Recovered,
            _ if is_silent => Verdict::Restart,
            _ => Verdict::Early,
        }
    }
}

impl Naive {
    fn observe(&mut self, port: u16, seq: u32, hash: u64, at: Duration) -> Verdict {
        let seq = i64::from(seq);
        let known = self.0.iter().position(|(of, _)| *of == port);
        let (run, verdict) = match known.map(|place| self.0.remove(place).1) {
            Some(mut run) => match run.observe(seq, hash, at) {
                Verdict::Restart => (NaiveRun::new(seq, hash, at), Verdict::Restart),
                verdict => (run, verdict),
            },
            None => {
                let last = self.0.last().map(|(_, run)| run.heard);
                let is_silent = last.is_some_and(|last| at - last > Duration::from_secs(2));
                let is_restart = is_silent && seq < 1_024;
                let verdict = if is_restart { Verdict::Restart } else { Verdict::First };
                (NaiveRun::new(seq, hash, at), verdict)
            }
        };
        self.0.push((port, run));
        if self.0.len() > 32 {
            self.0.remove(0);
        }
        verdict
    }
}

/// A step of a sender: its port, the number relative to the one before, which bytes come with it,
/// and how many milliseconds later.
fn step() -> impl Strategy<Value = (u16, i64, u64, u64)> {
    let offset = prop_oneof![
        6 => Just(1),
        3 => -3..6_i64,
        2 => -1_030..1_100_i64,
        1 => 999_990..1_000_010_i64,
        1 => -2_000_000..2_000_000_i64,
        1 => -MODULUS..MODULUS,
    ];
    let port = prop_oneof![60 => Just(1_u16), 4 => Just(2), 1 => 3..60_u16];
    let hash = prop_oneof![30 => Just(0_u64), 1 => Just(1)];
    let later = prop_oneof![30 => 0..5_u64, 1 => 1_990..2_010_u64];
    (port, offset, hash, later)
}

proptest! {
    #[test]
    fn the_tracker_says_what_the_rules_say(
        first in prop_oneof![0..10_u32, (1_u32 << 31) - 2_000..1 << 31, 0..1_u32 << 31],
        steps in prop::collection::vec(step(), 1..400),
    ) {
        let (mut tracker, mut naive) = (SequenceTracker::default(), Naive::default());
        let (start, mut since) = (Instant::now(), Duration::ZERO);
        let mut numbers = HashMap::new();
        for (port, offset, hash, later) in [(1, 0, 0, 0)].into_iter().chain(steps) {
            let seq = numbers.entry(port).or_insert(i64::from(first));
            *seq = (*seq + offset).rem_euclid(MODULUS);
            since += Duration::from_millis(later);
            let number = u32::try_from(*seq).expect("below 2^31");
            let at = start + since;
            prop_assert_eq!(
                tracker.observe(Arrival { source: source(port), seq: number, hash, at }),
                naive.observe(port, number, hash, since),
                "number {} from port {} after {:?}", number, port, since
            );
            let newest = naive.0.last().map(|(_, run)| run.newest.rem_euclid(MODULUS));
            prop_assert_eq!(tracker.newest().map(i64::from), newest);
        }
    }
}

/// A tracker and the time, for senders that send at will.
struct Scene {
    tracker: SequenceTracker,
    now: Instant,
}

impl Scene {
    fn new() -> Self {
        Self { tracker: SequenceTracker::default(), now: Instant::now() }
    }

    /// A number that comes in bytes of its own, unless `run` and `seq` were the same before.
    fn hear(&mut self, port: u16, run: u64, seq: u32) -> Verdict {
        let hash = run << 32 | u64::from(seq);
        self.tracker.observe(Arrival { source: source(port), seq, hash, at: self.now })
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
    }
}

fn verdicts(numbers: &[u32]) -> Vec<Verdict> {
    let mut scene = Scene::new();
    numbers.iter().map(|&number| scene.hear(1, 0, number)).collect()
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
fn a_sender_that_was_heard_late_in_its_run_starts_again_below_the_baseline() {
    let mut scene = Scene::new();
    (300..500).for_each(|seq| _ = scene.hear(1, 0, seq));
    scene.wait(SILENCE);
    assert_eq!(scene.hear(1, 0, 299), Verdict::Early, "late, of the same run");
    scene.wait(SILENCE + Duration::from_millis(1));
    let again: Vec<_> = (0..600).map(|seq| scene.hear(1, 1, seq)).collect();
    assert_eq!(again[0], Verdict::Restart);
    assert!(again[1..].iter().all(|it| *it == Verdict::InOrder), "none is late or a duplicate");
}

#[test]
fn a_sender_that_starts_again_inside_the_window_loses_nothing() {
    let mut scene = Scene::new();
    let run = |scene: &mut Scene, run| -> Vec<_> {
        (0..300).map(|seq| scene.hear(1, run, seq)).collect()
    };
    run(&mut scene, 0);
    // Other bytes under the same numbers, at once.
    let second = run(&mut scene, 1);
    assert_eq!(second[0], Verdict::Restart);
    assert!(second[1..].iter().all(|it| *it == Verdict::InOrder), "{second:?}");
    // The same bytes, once the first may have come twice no more.
    scene.wait(SILENCE + Duration::from_millis(1));
    let third = run(&mut scene, 1);
    assert_eq!(third[0], Verdict::Restart);
    assert!(third[1..].iter().all(|it| *it == Verdict::InOrder), "{third:?}");
    // The network has doubled them.
    assert!(run(&mut scene, 1).iter().all(|it| *it == Verdict::Duplicate));
}

#[test]
fn a_stranger_hides_no_loss_and_two_senders_are_no_restarts() {
    let mut scene = Scene::new();
    let mut verdicts = Vec::new();
    for seq in 0..100 {
        verdicts.push(scene.hear(1, 0, 2 * seq));
        verdicts.push(scene.hear(2, 0, seq));
    }
    let missing = verdicts.iter().filter(|it| **it == Verdict::Gap { missing: 1 }).count();
    assert_eq!(missing, 99, "every second number of the first");
    assert!(!verdicts.contains(&Verdict::Restart));
}

#[test]
fn a_new_port_is_a_restart_only_from_the_start_and_after_a_silence() {
    let mut scene = Scene::new();
    scene.hear(1, 0, 5_000);
    assert_eq!(scene.hear(2, 0, 0), Verdict::First, "the last run was heard just now");
    scene.wait(SILENCE);
    assert_eq!(scene.hear(3, 0, 0), Verdict::First, "not long enough");
    scene.wait(SILENCE + Duration::from_millis(1));
    assert_eq!(scene.hear(4, 0, 1_024), Verdict::First, "in the middle of its run");
    scene.wait(SILENCE + Duration::from_millis(1));
    assert_eq!(scene.hear(5, 0, 1_023), Verdict::Restart);
    assert_eq!(scene.hear(5, 0, 1_024), Verdict::InOrder);
}

#[test]
fn the_run_that_was_heard_least_recently_goes_first() {
    let mut scene = Scene::new();
    let runs = u16::try_from(RUNS.get()).expect("a few");
    for port in 0..runs {
        scene.hear(port, 0, 10);
    }
    assert_eq!(scene.hear(0, 0, 11), Verdict::InOrder, "it is used again");
    assert_eq!(scene.hear(runs, 0, 10), Verdict::First, "one too many");
    assert_eq!(scene.hear(0, 0, 12), Verdict::InOrder);
    assert_eq!(scene.hear(1, 0, 12), Verdict::First, "it is the one that went");
}

/// What a newer event, once applied, leaves of an older one.
fn stale(older: (EventType, &[Arg<'_>]), newer: (EventType, &[Arg<'_>])) -> Stale {
    let touch = |(event_type, args)| Touch::of(event_type, args).expect("something to change");
    let mut scene = Scene::new();
    scene.hear(1, 0, 0);
    scene.hear(1, 0, 2);
    scene.tracker.applied(source(1), 2, touch(newer));
    assert_eq!(scene.hear(1, 0, 1), Verdict::Recovered);
    let alone = scene.hear(2, 0, 1);
    assert_eq!(alone, Verdict::First);
    assert!(scene.tracker.stale(source(2), 1, touch(older)).is_empty(), "of another run");
    scene.tracker.stale(source(1), 1, touch(older))
}

#[test]
fn everything_of_an_older_event_has_moved_with_the_structure_or_its_track_s_devices() {
    use EventType as E;
    let [zero, one] = [Arg::from(0), Arg::from(1)];
    let at = &[zero, one, zero, one, zero][..];
    let elsewhere = &[one, one, zero, one, zero][..];
    for &event_type in EventType::ALL {
        let is_structural =
            |it| [E::TrackAdded, E::TrackDeleted, E::SceneAdded, E::SceneRemoved].contains(&it);
        let is_of_devices = |it| [E::DeviceAdded, E::DeviceDeleted].contains(&it);
        for &newer in EventType::ALL {
            let of_devices =
                is_of_devices(newer) && (is_of_devices(event_type) || event_type == E::DeviceParam);
            let moved = |newer_at| stale((event_type, at), (newer, newer_at)).has_moved();
            assert_eq!(moved(at), is_structural(newer) || of_devices, "{event_type:?} {newer:?}");
            assert_eq!(moved(elsewhere), is_structural(newer), "{event_type:?} {newer:?}");
        }
    }
}
