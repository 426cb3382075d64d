//! Every setting at its least, at one and at its greatest: what is kept is counted right.

mod common;

use std::time::Duration;

use common::Recorded;
use tachograph_history::{Condensed, Depth, History, Settings, steps};

const TIMES: [Duration; 3] = [Duration::ZERO, Duration::from_nanos(1), Duration::MAX];
const FRAMES: u64 = 30;

fn all() -> Vec<Settings> {
    // Names every setting: a new one does not compile until it is tried.
    let Settings { step, fine, coarse, merge, bytes } = Settings::default();
    let usual = Settings { step, fine, coarse, merge, bytes };
    let of_time = |time| {
        [
            Settings { step: time, ..usual },
            Settings { fine: time, ..usual },
            Settings { coarse: time, ..usual },
        ]
    };
    let mut all: Vec<_> = TIMES.into_iter().flat_map(of_time).collect();
    all.extend([0, 1, u32::MAX].map(|merge| Settings { merge, ..usual }));
    all.extend([0, 1, usize::MAX].map(|bytes| Settings { bytes, ..usual }));
    all
}

/// A history of seconds with one event each.
fn recorded(settings: Settings) -> Recorded {
    let mut world = Recorded::new(settings);
    for _ in 0..FRAMES {
        world.metrics.increment("events");
        world.second();
    }
    world
}

fn counted(history: &History, depth: Depth) -> i128 {
    let number = history.number("events").unwrap_or(u32::MAX);
    history.frames(depth).filter_map(|frame| frame.counter(number)).sum()
}

#[test]
fn a_history_keeps_what_a_setting_leaves_it() {
    for settings in all() {
        let world = recorded(settings);
        let fine = world.history.frames(Depth::Fine).count() as u64;
        let told = format!("{settings:?}: {fine} frames");
        // Frames end a second apart; one is kept in any case.
        let kept = settings.fine.as_secs().saturating_add(1).min(FRAMES);
        let kept = if settings.bytes < 1_000 { 1 } else { kept };
        assert_eq!(fine, kept, "{told}");
        if settings.bytes >= 1_000 {
            assert_eq!(counted(&world.history, Depth::Fine), i128::from(kept), "{told}");
            assert!(counted(&world.history, Depth::Coarse) <= i128::from(FRAMES), "{told}");
        }
    }
}

#[test]
fn frames_are_merged_to_any_step_and_into_any_size_without_loss() {
    let world = recorded(Settings::default());
    let number = world.number("events");
    let frames: Vec<_> = world.history.frames(Depth::Fine).cloned().collect();
    for step in TIMES {
        let merged = steps(frames.iter().cloned(), step);
        let sum: i128 = merged.filter_map(|frame| frame.counter(number)).sum();
        assert_eq!(sum, i128::from(FRAMES), "{step:?}");
        for bytes_max in [0, 1, usize::MAX] {
            let mut condensed = Condensed::new(step, bytes_max);
            world.history.definitions().for_each(|definition| condensed.define(definition));
            frames.iter().for_each(|frame| condensed.push(frame));
            let condensed = condensed.finish();
            let sum: i128 =
                condensed.frames().iter().filter_map(|frame| frame.counter(number)).sum();
            let left_out = condensed.left_out().as_secs();
            assert_eq!(sum, i128::from(FRAMES - left_out), "{step:?}, {bytes_max}");
        }
    }
}
