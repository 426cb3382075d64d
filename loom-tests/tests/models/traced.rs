//! Samples that carry a trace: in a block with it, in the next one, or without it; and the exemplar
//! that a series keeps.

use loom::thread;
use loom_tests::{account, check, collector, pass};
use tachograph::testing::models::{ModelDrained, ModelLane, ModelReader, ModelWriter};
use tachograph::{MetricsCollector, Trace};

/// A trace whose two words both encode a number, so that a mix of two traces shows.
fn trace(number: u64) -> Trace {
    Trace::new(u128::from(number).to_be_bytes(), number.to_be_bytes()).expect("not zero")
}

const SERIES: u32 = 3;

/// Values that were or should be drained, and the traced ones among them.
type Values = (Vec<u64>, Vec<u64>);

/// Drains, and checks that each trace belongs to its sample.
fn drain(reader: &mut ModelReader, into: &mut Values) {
    let ModelDrained { samples, traced } = reader.drain_traced();
    assert!(samples.iter().all(|&(series, _)| series == SERIES), "{samples:?}");
    into.0.extend(samples.iter().map(|&(_, value)| value));
    for (value, of) in traced {
        assert_eq!(of, trace(value));
        into.1.push(value);
    }
}

/// Pushes a sample with a trace; `None` if there was no room for it at all.
fn push(writer: &ModelWriter, value: u64, accepted: &mut Values) -> Option<bool> {
    let outcome = writer.push_traced(SERIES, value, trace(value));
    if let Some(traced) = outcome {
        accepted.0.push(value);
        accepted.1.extend(traced.then_some(value));
    }
    outcome
}

/// Two drains during `record` and one after it: together they find every accepted sample once, in
/// order, with its trace.
fn drained_meanwhile(
    lane: &ModelLane,
    record: impl FnOnce(&ModelWriter, &mut Values) + Send + 'static,
    mut accepted: Values,
    writer: ModelWriter,
) {
    let recorder = thread::spawn(move || {
        record(&writer, &mut accepted);
        accepted
    });
    let (mut reader, mut drained) = (lane.reader(), Values::default());
    drain(&mut reader, &mut drained);
    drain(&mut reader, &mut drained);
    let accepted = recorder.join().expect("no panic");
    drain(&mut reader, &mut drained);
    assert_eq!(drained, accepted);
}

// A block of the model holds one traced sample, or two without.

#[test]
fn a_sample_is_never_seen_without_its_trace_nor_with_another_s() {
    check("traced sample", 250, || {
        let lane = ModelLane::new(2, 2);
        let writer = lane.adopt().expect("the lane is closed");
        let record = |writer: &ModelWriter, accepted: &mut Values| {
            assert_eq!(push(writer, 1, accepted), Some(true));
            assert_eq!(push(writer, 2, accepted), Some(true));
            // Either in a returned block that held another trace, or not at all.
            push(writer, 3, accepted);
        };
        drained_meanwhile(&lane, record, Values::default(), writer);
    });
}

#[test]
fn a_block_without_room_for_a_trace_is_left_for_the_next_one() {
    check("traced sample in the next block", 195, || {
        let lane = ModelLane::new(2, 2);
        let writer = lane.adopt().expect("the lane is closed");
        let record = |writer: &ModelWriter, accepted: &mut Values| {
            assert!(writer.push(SERIES, 1));
            accepted.0.push(1);
            assert_eq!(push(writer, 2, accepted), Some(true), "the other block is free");
            if writer.push(SERIES, 3) {
                accepted.0.push(3);
            }
        };
        drained_meanwhile(&lane, record, Values::default(), writer);
    });
}

#[test]
fn without_a_free_block_the_sample_goes_alone_where_there_is_room() {
    check("traced sample without room", 80, || {
        let lane = ModelLane::new(2, 2);
        let writer = lane.adopt().expect("the lane is closed");
        let mut before = Values::default();
        push(&writer, 1, &mut before);
        assert!(writer.push(SERIES, 2));
        before.0.push(2);
        let record = |writer: &ModelWriter, accepted: &mut Values| {
            let outcome = push(writer, 3, accepted);
            assert!(outcome.is_some(), "there is room for the sample in any case");
        };
        drained_meanwhile(&lane, record, before, writer);
    });
}

/// The count of a timing, and the trace of its exemplar.
fn seen(metrics: &MetricsCollector) -> (u64, Option<Trace>) {
    let snapshot = metrics.snapshot();
    let series = snapshot.find("t", &[]).expect("registered");
    let count = series.value.as_timing().map_or(0, |views| views.lifetime.count);
    (count, series.exemplar.as_ref().map(|exemplar| exemplar.trace))
}

#[test]
fn an_exemplar_is_there_with_its_sample_and_is_the_worst() {
    check("exemplar", 490, || {
        let metrics = collector().build();
        let timing = metrics.register_timing("t");
        let recorder = metrics.recorder();
        let thread = thread::spawn(move || {
            recorder.record_ns_traced(&timing, 9, trace(9));
            recorder.record_ns_traced(&timing, 5, trace(5));
        });
        pass(&metrics);
        let early = seen(&metrics);
        assert!(
            [(0, None), (1, Some(trace(9))), (2, Some(trace(9)))].contains(&early),
            "{early:?}"
        );
        thread.join().expect("no panic");
        pass(&metrics);
        assert_eq!(seen(&metrics), (2, Some(trace(9))));
        assert_eq!(account(&metrics, 2), 0);
    });
}

#[test]
fn a_reset_forgets_a_trace_with_its_sample() {
    check("exemplar and reset", 480, || {
        let metrics = collector().build();
        let timing = metrics.register_timing("t");
        let recorder = metrics.recorder();
        recorder.record_ns_traced(&timing, 9, trace(9));
        let thread = thread::spawn(move || recorder.record_ns_traced(&timing, 5, trace(5)));
        metrics.reset();
        thread.join().expect("no panic");
        pass(&metrics);
        let late = seen(&metrics);
        assert!([(0, None), (1, Some(trace(5)))].contains(&late), "{late:?}");
        assert_eq!(account(&metrics, 2), 0);
    });
}
