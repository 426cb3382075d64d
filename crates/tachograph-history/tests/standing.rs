//! Gauges that keep their value: whatever begins in the middle has them, against a plain list of
//! what was set.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use common::Recorded;
use proptest::prelude::*;
use tachograph_history::{Condensed, Frame, GaugeStep, Mark, Settings};

const GAUGES: [&str; 3] = ["depth", "viewers", "temperature"];

/// The value of each gauge that a frame tells.
fn told(world: &Recorded, frame: &Frame) -> BTreeMap<&'static str, f64> {
    let value = |name: &&'static str| {
        let gauge = frame.gauge(world.history.number(name)?)?;
        Some((*name, gauge.current?))
    };
    GAUGES.iter().filter_map(value).collect()
}

#[test]
fn a_recording_begins_with_the_gauges_that_were_set_before_it() {
    let mut world = Recorded::new(Settings::default());
    world.metrics.gauge("viewers", 3.0);
    world.metrics.gauge("depth", 1.0);
    world.second();
    world.metrics.gauge("depth", 5.0);
    world.second();
    let from = world.now();
    world.metrics.gauge("depth", 9.0);
    world.second();
    world.second();

    let end = world.now();
    let frames = world.history.recorded(from, end, Duration::ZERO);
    assert_eq!(frames.len(), 2, "no frame more than in the range");
    let [viewers, depth] = ["viewers", "depth"].map(|key| world.number(key));
    let gauge = frames[0].gauge(viewers).expect("it stands");
    assert_eq!((gauge.current, gauge.count, gauge.mean), (Some(3.0), 0, None));
    let gauge = frames[0].gauge(depth).expect("it was set");
    assert_eq!((gauge.current, gauge.count, gauge.mean), (Some(9.0), 1, Some(9.0)));
    assert!(told(&world, &frames[1]).is_empty(), "only the first has them");
    let merged = world.history.merged(from, end).expect("frames");
    assert_eq!(told(&world, &merged), BTreeMap::from([("viewers", 3.0), ("depth", 9.0)]));
}

#[test]
fn what_is_left_out_of_a_report_leaves_its_gauges() {
    let mut condensed = Condensed::new(Duration::from_secs(1), 4_096);
    let step = GaugeStep { current: Some(4.0), count: 1, ..GaugeStep::default() };
    for second in 0..1_000 {
        // Marks leave nothing to merge.
        let mut frame = Frame { version: second, span_ms: 1_000, ..Frame::default() };
        (frame.end_ms, frame.marks) = (second * 1_000, vec![Mark::Gap]);
        frame.gauges.extend((second == 0).then_some((9, step)));
        condensed.push(&Arc::new(frame));
    }
    let first = &condensed.frames()[0];
    assert!(first.version > 900, "the oldest are left out");
    let gauge = first.gauge(9).expect("it was set before");
    assert_eq!((gauge.current, gauge.count), (Some(4.0), 0));
}

#[test]
fn after_a_reset_only_what_was_set_since_then_stands() {
    let mut world = Recorded::new(Settings::default());
    world.metrics.gauge("viewers", 3.0);
    world.metrics.gauge("depth", 1.0);
    world.second();
    world.metrics.reset();
    world.metrics.gauge("depth", 2.0);
    world.second();
    let standing = world.history.standing(world.now());
    let frame = standing.frame().expect("one stands");
    assert!(frame.is_standing());
    assert_eq!(told(&world, frame), BTreeMap::from([("depth", 2.0)]));
}

/// One thing that happens in a second.
#[derive(Clone, Debug)]
enum Act {
    Set(usize, u8),
    Reset,
    Nothing,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..GAUGES.len(), any::<u8>()).prop_map(|(gauge, value)| Act::Set(gauge, value)),
        1 => Just(Act::Reset),
        6 => Just(Act::Nothing),
    ]
}

proptest! {
    /// However much of the past is forgotten: single frames after 5 s, all of it after 20.
    #[test]
    fn at_every_moment_that_is_kept_the_gauges_are_those_set_last(
        acts in proptest::collection::vec(act(), 1..80),
    ) {
        let (fine, coarse) = (Duration::from_secs(5), Duration::from_secs(20));
        let mut world =
            Recorded::new(Settings { fine, coarse, merge: 4, ..Settings::default() });
        world.second();
        let (mut stood, mut stands) = (vec![(world.now(), BTreeMap::new())], BTreeMap::new());
        for act in acts {
            match act {
                Act::Set(gauge, value) => {
                    world.metrics.gauge(GAUGES[gauge], f64::from(value));
                    stands.insert(GAUGES[gauge], f64::from(value));
                }
                Act::Reset => {
                    world.metrics.reset();
                    stands.clear();
                }
                Act::Nothing => {}
            }
            world.second();
            stood.push((world.now(), stands.clone()));
            let frames = world.history.range(SystemTime::UNIX_EPOCH, world.now(), Duration::ZERO);
            // A merged frame is not taken apart: what is known is how gauges stand at its end.
            for frame in frames {
                let (_, right) = stood.iter().find(|it| it.0 == frame.end()).expect("a second");
                let standing = world.history.standing(frame.end());
                let got = standing.frame().map(|frame| told(&world, frame)).unwrap_or_default();
                prop_assert_eq!(&got, right, "at {:?}", frame.end());
            }
        }
    }
}
