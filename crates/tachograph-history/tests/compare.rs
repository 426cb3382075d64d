//! Comparisons of two runs, against sorted samples, exact binomial sums and simulations.

mod runs;

use std::sync::Arc;

use runs::{define, of, second};
use tachograph::Unit;
use tachograph_history::compare::{Change, Measure, Run, compare};
use tachograph_history::{
    Buckets, Condensed, Definition, Frame, GaugeStep, Line, Mark, TimingStep, format,
};

fn timing(samples: &[f64]) -> TimingStep {
    let mut buckets = Buckets::default();
    for sample in samples {
        // One by one through the format, so that the test makes no buckets of its own.
        let one = serde_json::from_str(&format!("[[{},1]]", Buckets::index(*sample)));
        buckets.add(&one.expect("buckets"));
    }
    TimingStep {
        count: samples.len() as u64,
        sum: samples.iter().sum(),
        min: samples.iter().copied().fold(f64::INFINITY, f64::min),
        max: samples.iter().copied().fold(0.0, f64::max),
        buckets,
        ..TimingStep::default()
    }
}

/// A run of one series `x` with its number 0: counts per second.
fn counted(kind: &str, counts: &[i128]) -> Run {
    let frames = (1..).zip(counts).map(|(at, count)| {
        let counters = if *count == 0 { Vec::new() } else { vec![(0, *count)] };
        Arc::new(Frame { counters, ..second(at) })
    });
    Run::new(&[define(0, "x", kind)], &frames.collect::<Vec<_>>())
}

/// A run of one timing, from the samples of each second.
fn timed(seconds: &[Vec<f64>]) -> Run {
    let frames: Vec<_> = (1..)
        .zip(seconds)
        .map(|(at, samples)| {
            let timings = if samples.is_empty() { Vec::new() } else { vec![(0, timing(samples))] };
            Arc::new(Frame { timings, ..second(at) })
        })
        .collect();
    Run::new(&[define(0, "x", "timing")], &frames)
}

/// `ln(n!)` by addition.
fn ln_factorials(n: usize) -> Vec<f64> {
    let mut sums = vec![0.0];
    for i in 1..=n {
        sums.push(sums[i - 1] + (i as f64).ln());
    }
    sums
}

/// The probabilities of a binomial count, one by one.
fn binomial(n: usize, p: f64) -> Vec<f64> {
    let ln = ln_factorials(n);
    let of = |k: usize| {
        let ways = ln[n] - ln[k] - ln[n - k];
        (ways + k as f64 * p.ln() + (n - k) as f64 * (1.0 - p).ln()).exp()
    };
    (0..=n).map(of).collect()
}

/// A sample from a distribution with a long tail, with its median at `middle`.
fn sample(random: &mut fastrand::Rng, middle: f64) -> f64 {
    let normal: f64 = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
    middle * (0.7 * normal).exp()
}

/// A count of events at a mean rate, each as likely in any part of the second.
fn poisson(random: &mut fastrand::Rng, mean: f64) -> i128 {
    let (mut product, mut count) = (random.f64(), 0);
    while product > (-mean).exp() {
        product *= random.f64();
        count += 1;
    }
    count
}

#[test]
fn a_quantile_lies_between_the_sorted_samples_that_exact_binomial_sums_give() {
    let mut random = fastrand::Rng::with_seed(5);
    for (count, measure, q) in
        [(500, Measure::P50, 0.5), (2_000, Measure::P95, 0.95), (6_000, Measure::P99, 0.99)]
    {
        let samples: Vec<f64> = (0..count).map(|_| sample(&mut random, 1e-3)).collect();
        let run = timed(&samples.chunks(count / 20).map(<[f64]>::to_vec).collect::<Vec<_>>());
        let changes = compare(&run, &run);
        let side = of(&changes, measure).before;
        let mut sorted = samples;
        sorted.sort_by(f64::total_cmp);
        // The exact interval at 97.5 %: ranks beyond which less than 1.25 % lies.
        let chances = binomial(count, q);
        let mut below = 0.0;
        let low = chances
            .iter()
            .position(|it| {
                below += it;
                below > 0.0125
            })
            .expect("a rank");
        let mut above = 0.0;
        let high = count
            - chances
                .iter()
                .rev()
                .position(|it| {
                    above += it;
                    above > 0.0125
                })
                .expect("a rank");
        let (low, high) = (sorted[low.max(1) - 1], sorted[high.min(count - 1)]);
        let (told_low, told_high) = (side.low.expect("bounded"), side.high.expect("bounded"));
        assert!(
            told_low <= low && told_high >= high,
            "{measure:?}: {told_low} to {told_high}, not {low} to {high}"
        );
        // A bucket on each side, the dispersion of few stretches, and the bound that is not exact.
        assert!(
            (told_high / told_low).ln() < 2.0 * (high / low).ln() + 0.18,
            "{measure:?} says too little"
        );
        let right = sorted[(q * count as f64).ceil() as usize - 1];
        let value = side.value.expect("samples");
        assert!((value / right - 1.0).abs() < 0.046 && side.count == count as u64);
        assert!(!of(&changes, measure).is_sure, "the same run is no change");
    }
}

#[test]
fn a_rate_holds_the_exact_interval_of_two_poisson_counts() {
    // One run of 20 s with 60 events, one of 10 s with 75: evenly spread.
    let (before, after) =
        (counted("counter", &[3; 20]), counted("counter", &[7, 8, 7, 8, 7, 8, 7, 8, 7, 8]));
    let changes = compare(&before, &after);
    let change = of(&changes, Measure::Rate);
    assert_eq!(
        (change.before.value, change.after.value, change.factor),
        (Some(3.0), Some(7.5), Some(2.5))
    );
    // Clopper and Pearson's interval for 75 of 135, by trying every share.
    let tail = |p: f64, up: bool| -> f64 {
        let chances = binomial(135, p);
        if up { chances[75..].iter().sum() } else { chances[..=75].iter().sum() }
    };
    let shares: Vec<f64> = (1..1_000).map(|it| f64::from(it) / 1_000.0).collect();
    let low = shares.iter().find(|&&p| tail(p, true) > 0.025).expect("a share");
    let high = shares.iter().rfind(|&&p| tail(p, false) > 0.025).expect("a share");
    let factor = |share: f64| share / (1.0 - share) * 2.0;
    let (told_low, told_high) = (change.low.expect("bounded"), change.high.expect("bounded"));
    assert!(told_low <= factor(*low) && told_high >= factor(*high));
    let width = (factor(*high) / factor(*low)).ln();
    assert!((told_high / told_low).ln() < 1.45 * width, "{told_low} to {told_high}");
    assert!(change.is_sure && change.at_least == change.low);
}

#[test]
fn intervals_hold_the_true_factor_as_often_as_they_say_and_see_what_is_there() {
    let mut random = fastrand::Rng::with_seed(11);
    let (mut held, mut seen, mut wrong, mut all) = (0, 0, 0, 0);
    for round in 0..150 {
        // Alternately no change, and one by a factor of 1.5.
        let factor = if round % 2 == 0 { 1.0 } else { 1.5 };
        let mut run = |middle: f64| {
            let seconds: Vec<Vec<f64>> =
                (0..60).map(|_| (0..20).map(|_| sample(&mut random, middle)).collect()).collect();
            timed(&seconds)
        };
        let changes = compare(&run(1e-3), &run(1e-3 * factor));
        for measure in [Measure::P50, Measure::P95, Measure::P99] {
            let change = of(&changes, measure);
            let holds = change.low.is_none_or(|it| it <= factor)
                && change.high.is_none_or(|it| it >= factor);
            all += 1;
            held += i32::from(holds);
            wrong += i32::from(factor == 1.0 && change.is_sure);
            seen += i32::from(measure == Measure::P50 && factor > 1.0 && change.is_sure);
        }
    }
    assert!(f64::from(held) >= 0.95 * f64::from(all), "{held} of {all}");
    assert!(f64::from(wrong) <= 0.05 * f64::from(all) / 2.0, "{wrong} false alarms");
    assert!(seen >= 70, "only {seen} of 75 medians that grew by half are seen");
}

#[test]
fn bursts_do_not_pass_for_a_change() {
    let mut random = fastrand::Rng::with_seed(23);
    let (mut alarms, mut naive) = (0, 0);
    for _ in 0..200 {
        // Bursts of a hundred events at random times: few independent things happen.
        let mut run = || (0..60).map(|_| 100 * poisson(&mut random, 0.5)).collect::<Vec<i128>>();
        let (before, after) = (run(), run());
        let changes = compare(&counted("counter", &before), &counted("counter", &after));
        alarms += i32::from(of(&changes, Measure::Rate).is_sure);
        let (a, b): (i128, i128) = (before.iter().sum(), after.iter().sum());
        naive += i32::from((a - b).abs() as f64 > 2.0 * ((a + b) as f64).sqrt());
    }
    assert!(alarms <= 10, "{alarms} of 200");
    assert!(naive > 100, "counting events alone would be wrong: {naive} of 200");
}

#[test]
fn what_is_new_gone_or_too_rare_is_told_as_such() {
    let sure = |before: &[i128], after: &[i128]| {
        let changes = compare(&counted("counter", before), &counted("counter", after));
        let change = of(&changes, Measure::Rate).clone();
        (change.is_sure, change.factor, change.low.is_some(), change.high.is_some())
    };
    // Five events against none happen by chance in one of sixteen cases, both ways; six do not.
    assert_eq!(sure(&[0; 10], &[1, 1, 1, 1, 1, 0, 0, 0, 0, 0]), (false, None, true, false));
    assert_eq!(sure(&[0; 10], &[1, 1, 1, 1, 1, 1, 0, 0, 0, 0]), (true, None, true, false));
    assert_eq!(sure(&[1, 1, 1, 1, 1, 1, 0, 0, 0, 0], &[0; 10]), (true, None, false, true));
    assert_eq!(sure(&[0; 10], &[0; 10]), (false, None, false, false));
    assert_eq!(sure(&[], &[5]), (false, None, false, false));
    let empty = Run::new(&[], &[]);
    let samples = vec![vec![1e-3; 100]; 10];
    let changes = compare(&empty, &timed(&samples));
    let p99 = of(&changes, Measure::P99);
    assert_eq!((p99.before.value, p99.after.count, p99.is_sure), (None, 1_000, false));
    assert_eq!(changes.len(), 4);
    // Too few samples to bound the tail from above.
    let few = vec![vec![1e-3; 4]; 10];
    let changes = compare(&timed(&few), &timed(&samples));
    assert_eq!(of(&changes, Measure::P99).before.high, None);
    assert!(of(&changes, Measure::P50).before.high.is_some());
}

#[test]
fn what_changed_most_for_sure_comes_first_and_back_is_the_inverse() {
    let definitions = [
        define(0, "twice", "counter"),
        define(1, "thrice", "counter"),
        define(2, "noise", "counter"),
    ];
    let run = |counts: [i128; 3]| {
        let frames = (1..=30).map(|at| {
            let counters = (0..).zip(counts).filter(|it| it.1 > 0).collect();
            Arc::new(Frame { counters, ..second(at) })
        });
        Run::new(&definitions, &frames.collect::<Vec<_>>())
    };
    let (before, after) = (run([1_000, 30_000, 0]), run([2_000, 10_000, 0]));
    let (there, back) = (compare(&before, &after), compare(&after, &before));
    let keys = |changes: &[Change]| changes.iter().map(|it| it.key.to_string()).collect::<Vec<_>>();
    assert_eq!(keys(&there), ["thrice", "twice", "noise"]);
    assert_eq!(keys(&back), keys(&there));
    for (there, back) in there.iter().zip(&back).take(2) {
        let product = there.low.expect("bounded") * back.high.expect("bounded");
        assert!((product - 1.0).abs() < 1e-6, "{there:?} {back:?}");
        let (there, back) = (there.at_least.expect("finite"), back.at_least.expect("finite"));
        assert!((there / back - 1.0).abs() < 1e-6 && there > 1.9);
    }
}

#[test]
fn no_rate_is_taken_across_a_mark() {
    let definition = define(0, "x", "counter");
    let frame = |at: u64, count: i128, marks: Vec<Mark>| {
        Arc::new(Frame { counters: vec![(0, count)], marks, ..second(at) })
    };
    let frames = [
        frame(1, 1_000_000, vec![Mark::Start]),
        frame(2, 10, vec![]),
        frame(3, 500_000, vec![Mark::Gap]),
        frame(4, 30, vec![]),
    ];
    let run = Run::new(&[definition], &frames);
    let changes = compare(&run, &run);
    assert_eq!(of(&changes, Measure::Rate).after.value, Some(20.0));
}

#[test]
fn no_count_leaves_out_a_mark() {
    let definitions =
        [define(0, "a", "counter"), define(1, "b", "timing"), define(2, "c", "gauge")];
    let frame = |at: u64, n: usize, marks: &[Mark]| {
        let set = GaugeStep { current: Some(1.0), count: n as u64, ..GaugeStep::default() };
        let (gauges, timings) = (vec![(2, set)], vec![(1, timing(&vec![0.001; n]))]);
        let counters = vec![(0, n as i128)];
        Arc::new(Frame { counters, gauges, timings, marks: marks.to_vec(), ..second(at) })
    };
    let first = |span_ms| Arc::new(Frame { span_ms, ..Frame::clone(&frame(1, 7, &[Mark::Start])) });
    let rest = [
        frame(2, 10, &[]),
        frame(3, 500, &[Mark::Gap]),
        frame(4, 30, &[]),
        frame(5, 60, &[Mark::Start, Mark::Restart]),
        frame(6, 100, &[Mark::Reset]),
    ];
    let plain = rest.iter().filter(|it| it.marks.is_empty()).count() as f64;
    // A first frame that holds an hour is not of the recording; one of a step is.
    for (span_ms, held) in [(3_600_000, 0), (1_000, 7)] {
        let frames = [vec![first(span_ms)], rest.to_vec()].concat();
        let run = Run::new(&definitions, &frames);
        let sum: u64 = rest.iter().map(|it| it.counter(0).expect("counted") as u64).sum();
        for change in compare(&Run::default(), &run) {
            assert_eq!(change.after.count, held + sum, "{} {}", change.key, change.measure.name());
            if change.measure == Measure::Rate {
                assert_eq!(change.after.value, Some((10.0 + 30.0) / plain));
            }
        }
    }
}

#[test]
fn a_recording_is_condensed_to_its_limit_and_loses_nothing_but_detail() {
    let mut random = fastrand::Rng::with_seed(2);
    let all: Vec<Arc<Frame>> = (1..=5_000)
        .map(|at| {
            let samples: Vec<f64> = (0..10).map(|_| sample(&mut random, 1e-3)).collect();
            let marks = if at == 1_234 { vec![Mark::Reset] } else { Vec::new() };
            Arc::new(Frame {
                timings: vec![(0, timing(&samples))],
                counters: vec![(1, i128::from(at))],
                marks,
                ..second(at)
            })
        })
        .collect();
    let definitions = [define(0, "x", "timing"), define(1, "y", "counter")];
    let text: usize = all.iter().map(|it| it.to_line().len()).sum();
    let meta: tachograph_history::Meta = serde_json::from_str(
        r#"{"format":1,"program":"p","version":"1","started_ms":0,"step_ms":1000}"#,
    )
    .expect("meta");
    for share in [1, 3, 12] {
        let mut condensed = Condensed::new(std::time::Duration::from_secs(1), text / share + 500);
        definitions.iter().for_each(|it| condensed.define(it));
        all.iter().for_each(|it| condensed.push(it));
        let condensed = condensed.finish();
        let step = condensed.step().as_secs();
        assert!(if share == 1 { step == 1 } else { step > 1 && step.is_power_of_two() }, "{step}");
        assert_eq!((condensed.left_out().as_secs(), condensed.taken()), (0, 5_000));
        let lines = condensed.to_lines(&meta);
        let limit = text / share + 500;
        assert!((limit / 5..limit + 100).contains(&lines.len()), "{} of {limit}", lines.len());
        let mut reader = tachograph_history::file::Reader::new(lines.as_bytes());
        let read: Vec<_> = Iterator::by_ref(&mut reader).map(|it| it.expect("a line")).collect();
        let frames = || {
            read.iter().filter_map(|it| match it {
                Line::Frame(frame) => Some(frame),
                _ => None,
            })
        };
        let merged = |number| frames().map(|it| it.counter(number).unwrap_or(0)).sum::<i128>();
        assert_eq!(merged(1), 5_000 * 5_001 / 2);
        assert_eq!(frames().map(|it| it.timing(0).map_or(0, |it| it.count)).sum::<u64>(), 50_000);
        let max = |frames: &mut dyn Iterator<Item = &Frame>| {
            frames.filter_map(|it| it.timing(0)).map(|it| it.max).fold(0.0, f64::max)
        };
        assert_eq!(max(&mut frames()), max(&mut all.iter().map(|it| &**it)));
        assert_eq!(
            frames().filter(|it| !it.marks.is_empty()).map(|it| it.span_ms).collect::<Vec<_>>(),
            [1_000]
        );
        assert!(matches!(&read[0], Line::Meta(meta) if meta.step_ms == step * 1_000));
    }
    // Marks on every frame leave nothing to merge: the oldest are left out, and counted.
    let mut condensed = Condensed::new(std::time::Duration::from_secs(1), text / 100);
    for frame in &all {
        condensed.push(&Arc::new(Frame { marks: vec![Mark::Gap], ..Frame::clone(frame) }));
    }
    let condensed = condensed.finish();
    let left_out = condensed.left_out().as_secs();
    assert!(left_out > 4_900 && condensed.frames().len() as u64 + left_out == 5_000);
    let facts = condensed.facts("long", &meta).expect("frames");
    let told = format!("its first {} are left out", format(left_out as f64, &Unit::Seconds));
    assert_eq!(facts.notes.last(), Some(&told));
    assert_eq!((facts.begin_ms, facts.end_ms), (left_out * 1_000, 5_000_000));
    assert_eq!(facts.frames, 5_000);
}

#[test]
fn frames_that_claim_all_of_time_are_compared_and_condensed() {
    let long = |at| Frame { span_ms: u64::MAX, counters: vec![(0, 5)], ..second(at) };
    let frames: Vec<_> = (1..=40).map(|at| Arc::new(long(at))).collect();
    let run = Run::new(&[define(0, "x", "counter")], &frames);
    assert_eq!(of(&compare(&run, &run), Measure::Rate).after.count, 200);
    let mut condensed = Condensed::new(std::time::Duration::from_secs(1), 500);
    frames.iter().for_each(|frame| condensed.push(frame));
    assert_eq!(condensed.finish().taken(), 40);
}

#[test]
fn runs_of_fewer_than_ten_stretches_leave_everything_open() {
    for (seconds, is_sure) in [(9, false), (10, true)] {
        let run = |count: i128| counted("counter", &vec![count; seconds]);
        let long = counted("counter", &[1_000; 60]);
        for (before, after) in [(&run(10), &long), (&long, &run(10))] {
            let changes = compare(before, after);
            let change = of(&changes, Measure::Rate);
            assert_eq!((change.is_sure, change.low.is_some()), (is_sure, is_sure), "{change:?}");
            assert!(change.factor.is_some());
        }
    }
}

#[test]
fn series_with_nothing_in_common_but_the_key_are_not_compared() {
    let run = |kind: &str, unit: Unit, frames: &[Arc<Frame>]| {
        Run::new(
            &[Arc::new(Definition { unit, ..Definition::clone(&define(0, "x", kind)) })],
            frames,
        )
    };
    let level = |level: f64| {
        let value = Some(level);
        let step = GaugeStep { current: value, mean: value, count: 1, min: value, max: value };
        let frames = (1..=30).map(|at| Frame { gauges: vec![(0, step)], ..second(at) });
        frames.map(Arc::new).collect::<Vec<_>>()
    };
    let counts: Vec<_> =
        (1..=30).map(|at| Arc::new(Frame { counters: vec![(0, 4)], ..second(at) })).collect();
    let bytes = run("gauge", Unit::Bytes, &level(1_000.0));
    let seconds = run("gauge", Unit::Seconds, &level(1.0));
    let counter = run("counter", Unit::Bytes, &counts);
    let cases = [
        (&bytes, &seconds, Measure::Level, Measure::Level, [1_000.0, 1.0]),
        (&bytes, &counter, Measure::Level, Measure::Rate, [1_000.0, 4.0]),
        (&counter, &bytes, Measure::Rate, Measure::Level, [4.0, 1_000.0]),
    ];
    for (before, after, gone, new, values) in cases {
        let changes = compare(before, after);
        let [a, b] = &changes[..] else { panic!("{changes:?}") };
        assert_eq!((a.measure, a.before.value, a.after.value), (gone, Some(values[0]), None));
        assert_eq!((b.measure, b.before.value, b.after.value), (new, None, Some(values[1])));
        assert!(changes.iter().all(|it| !it.is_sure && it.factor.is_none()), "{changes:?}");
    }
    assert!(compare(&bytes, &bytes)[0].factor.is_some());
}
