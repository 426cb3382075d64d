//! Distributions and their windows through the public API, compared with sorted lists.
#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tachograph::{Clock, MetricsCollector, TimingStats, Value};

#[derive(Arbitrary, Debug)]
enum Op {
    Record(u64),
    /// Consecutive values, so that many buckets are used.
    Run {
        from: u64,
        step: u32,
        times: u8,
    },
    /// A pass, this many window steps later.
    Pass(u8),
    Reset,
}

#[derive(Arbitrary, Debug)]
struct Input {
    timing: bool,
    steps: u8,
    ops: Vec<Op>,
    quantiles: [u32; 3],
}

/// The step in which each value was aggregated, and the value.
type Recorded = Vec<(u64, u64)>;

fn check(values: &[u64], stats: &TimingStats, input: &Input) {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let buckets = stats.buckets();
    assert_eq!(stats.count, sorted.len() as u64);
    assert_eq!(buckets.iter().map(|bucket| bucket.count).sum::<u64>(), stats.count);
    assert_eq!(buckets.sum(), sorted.iter().map(|&value| u128::from(value)).sum::<u128>());
    assert_eq!((buckets.min(), buckets.max()), (sorted.first().copied(), sorted.last().copied()));
    let edges: Vec<u64> = buckets.iter().map(|bucket| bucket.high).collect();
    assert!(edges.is_sorted());
    for millionths in
        input.quantiles.map(|q| q % 1_000_001).into_iter().chain([0, 500_000, 1_000_000])
    {
        let told = stats.quantile(f64::from(millionths) / 1e6).map(|told| told / buckets.scale());
        let rank = (u128::from(millionths) * sorted.len() as u128).div_ceil(1_000_000).max(1);
        let Some(&exact) = sorted.get(rank as usize - 1) else {
            assert_eq!(told, None);
            continue;
        };
        let exact = exact as f64;
        let told = told.expect("there are values");
        assert!((told - exact).abs() <= exact / 1_000.0, "{millionths}: {told}, not {exact}");
    }
}

fuzz_target!(|input: Input| {
    let (clock, hand) = Clock::mock();
    let steps = 1 + u32::from(input.steps % 6);
    let width = Duration::from_secs(1);
    let metrics = MetricsCollector::builder()
        .manual()
        .clock(clock.clone())
        .window(width * steps, steps)
        .lane_blocks(4, 4)
        .max_series(1)
        .max_metrics(1)
        .build();
    let (timing, histogram) = match input.timing {
        true => (Some(metrics.register_timing("values")), None),
        false => (None, Some(metrics.register_histogram("values"))),
    };
    let recorder = metrics.recorder();
    let record = |value: u64| {
        timing.iter().for_each(|timing| recorder.record_ns(timing, value));
        histogram.iter().for_each(|histogram| recorder.record(histogram, value));
    };
    let (mut now, mut pending, mut recorded) = (0u64, Vec::new(), Recorded::new());
    let mut pass = |by: u8, pending: &mut Vec<u64>, recorded: &mut Recorded| {
        hand.advance(width * u32::from(by));
        now += u64::from(by);
        metrics.run_pass(clock.now(), clock.wall());
        recorded.extend(pending.drain(..).map(|value| (now, value)));
        let snapshot = metrics.snapshot();
        let series = snapshot.find("values", &[]).expect("registered");
        let (Value::Timing(views) | Value::Histogram(views)) = &series.value else {
            panic!("{series:?}");
        };
        let all: Vec<u64> = recorded.iter().map(|&(_, value)| value).collect();
        check(&all, &views.lifetime, &input);
        let recent = recorded.iter().filter(|(step, _)| step + u64::from(steps) > now);
        let recent: Vec<u64> = recent.map(|&(_, value)| value).collect();
        check(&recent, views.window.as_ref().expect("there are windows"), &input);
    };
    for op in &input.ops {
        match *op {
            Op::Record(value) => {
                record(value);
                pending.push(value);
            }
            Op::Run { from, step, times } => (0..u64::from(times % 16)).for_each(|i| {
                let value = from.wrapping_add(i * u64::from(step));
                record(value);
                pending.push(value);
            }),
            Op::Pass(by) => pass(by % 9, &mut pending, &mut recorded),
            Op::Reset => {
                metrics.reset();
                pending.clear();
                recorded.clear();
            }
        }
        // Before the lane is full: another target covers samples coalesced under overload.
        if pending.len() >= 15 {
            pass(0, &mut pending, &mut recorded);
        }
    }
    pass(1, &mut pending, &mut recorded);
});
