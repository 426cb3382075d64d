//! Comparisons of gauges in two runs.

mod runs;

use std::sync::Arc;

use runs::{define, of, second};
use tachograph_history::compare::{Measure, Run, compare};
use tachograph_history::{Frame, GaugeStep, Mark};

#[test]
fn levels_of_gauges_are_compared_by_stretches_whatever_their_sign() {
    let run = |level: &dyn Fn(u64) -> f64| {
        let frames = (1..=60).map(|at| {
            let value = Some(level(at));
            let step = GaugeStep { current: value, mean: value, count: 1, min: value, max: value };
            Arc::new(Frame { gauges: vec![(0, step)], ..second(at) })
        });
        Run::new(&[define(0, "x", "gauge")], &frames.collect::<Vec<_>>())
    };
    let change = |before: &Run, after: &Run| of(&compare(before, after), Measure::Level).clone();
    let flat = change(&run(&|_| 10.0), &run(&|_| 20.0));
    assert_eq!((flat.factor, flat.at_least, flat.is_sure), (Some(2.0), Some(2.0), true));
    let noisy = change(&run(&|at| 10.0 + (at % 7) as f64), &run(&|at| 10.0 + (at % 5) as f64));
    assert!(!noisy.is_sure, "{noisy:?}");
    let from_zero = change(&run(&|_| 0.0), &run(&|_| 3.0));
    assert_eq!((from_zero.factor, from_zero.at_least, from_zero.is_sure), (None, None, true));
    assert!(change(&run(&|_| -5.0), &run(&|_| -2.0)).is_sure);
    assert!(!change(&run(&|_| -5.0), &run(&|_| -5.0)).is_sure);
}

#[test]
fn a_gauge_that_was_set_only_once_has_its_value() {
    let step = |value: f64| {
        let value = Some(value);
        GaugeStep { current: value, mean: value, count: 1, min: value, max: value }
    };
    let run = |value: f64, set_at: u64, marks: &[Mark]| {
        let frames = (1..=20).map(|at| {
            let gauges = if at == set_at { vec![(0, step(value))] } else { Vec::new() };
            let marks = if at == 1 { marks.to_vec() } else { Vec::new() };
            Arc::new(Frame { marks, gauges, ..second(at) })
        });
        Run::new(&[define(0, "x", "gauge")], &frames.collect::<Vec<_>>())
    };
    // Before the recording, at a reset, within it.
    for (at, marks) in [(1, &[Mark::Start][..]), (1, &[Mark::Reset]), (7, &[])] {
        let changes = compare(&run(4.0, at, marks), &run(6.0, at, marks));
        let level = of(&changes, Measure::Level);
        assert_eq!((level.before.value, level.after.value), (Some(4.0), Some(6.0)), "{at}");
        assert_eq!((level.factor, level.is_sure), (Some(1.5), false), "{at}");
        assert_eq!(level.after.count, 1, "{at}");
    }
}
