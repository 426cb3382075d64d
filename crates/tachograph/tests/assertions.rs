//! The test kit's assertions hold and fail where they should, and say what was recorded.
#![cfg(feature = "record")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tachograph::{MetricsCollector, assert_counter, assert_gauge, assert_timing};

/// The message of a failure.
fn failure(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("it should fail");
    *panic.downcast::<String>().expect("a message")
}

fn recorded() -> MetricsCollector {
    let metrics = MetricsCollector::builder().manual().build();
    metrics.with_tags(&[("to", "b"), ("from", "a")]).increment_by("sent", 2);
    metrics.decrement_by("level", 3);
    metrics.gauge("depth", 2.5);
    metrics.gauge("depth", -1.0);
    metrics.register_gauge("unset");
    // Small enough for buckets of their own.
    for nanos in [1, 2, 4] {
        metrics.timing("turn", Duration::from_nanos(nanos));
    }
    metrics.histogram("size", 512);
    metrics
}

const RECORDED: &str = "
recorded were:
  depth (gauge): count 2, current -1.0, min -1.0, max 2.5, mean 0.75
  level (up-down counter): -3
  sent[from=a,to=b] (counter): 2
  size (histogram): count 1, sum 512.0, min 512.0, p50 512.0, p90 512.0, p95 512.0, p99 512.0, \
p999 512.0, max 512.0
  turn (timing): count 3, sum 7e-9, min 1e-9, p50 2e-9, p90 4e-9, p95 4e-9, p99 4e-9, \
p999 4e-9, max 4e-9
  unset (gauge): count 0";

#[test]
fn what_was_recorded_holds() {
    let metrics = &recorded();
    let sent: u64 = 2;
    assert_counter!(metrics, "sent", sent, "from" => "a", "to" => "b");
    assert_counter!(metrics, "level", -3);
    assert_counter!(metrics, "sent", 0, "to" => "b");
    assert_gauge!(metrics, "depth", current == -1.0);
    assert_gauge!(metrics, "depth", min == -1, max < 2.6, mean == 0.75, count == 2);
    assert_gauge!(metrics, "unset", count == 0);
    assert_timing!(metrics, "turn", count == 3, sum > 6.9e-9, min == Duration::from_nanos(1),);
    assert_timing!(metrics, "turn", p99 <= Duration::from_nanos(4), p50 != 1e-9, max >= 4e-9);
    assert_timing!(metrics, "size", max == 512);
    assert_timing!(metrics, "turn", count == 0, "to" => "b");
}

#[test]
fn any_expression_and_type_of_number_is_a_gauges_value() {
    let metrics = &MetricsCollector::builder().manual().build();
    let queue = [7, 8, 9];
    metrics.gauge("depth", 3.0);
    assert_gauge!(metrics, "depth", current == queue.len() as f64);
    assert_gauge!(metrics, "depth", current == 1.0 + 2.0,);
    assert_gauge!(metrics, "depth", current == f64::from(3_u8));
    assert_gauge!(metrics, "depth", current == queue.len(), max >= 3_u16, min < 3.5_f32);
    metrics.with_tags(&[("to", "b")]).gauge("depth", 0.1_f32.into());
    assert_gauge!(metrics, "depth", current == 0.1_f32, "to" => "b");
    assert_gauge!(metrics, "depth", max <= 0.1_f32, count != queue.len(), "to" => "b");
}

#[test]
fn a_duration_equals_the_timing_that_was_recorded_of_it() {
    let metrics = MetricsCollector::builder().manual().build();
    // Seconds and nanoseconds, converted one by one, add up to another float than together.
    let duration = Duration::from_millis(1_118);
    metrics.timing("turn", duration);
    assert_timing!(metrics, "turn", sum == duration, max == duration, min == duration);
}

#[test]
fn a_failure_says_what_is_and_what_was_recorded() {
    let metrics = recorded();
    let says = |assertion: &dyn Fn(), first: &str| {
        assert_eq!(failure(assertion), format!("{first}{RECORDED}"));
    };
    says(
        &|| assert_counter!(metrics, "sent", 3, "to" => "b", "from" => "a"),
        "`sent[from=a,to=b]`: value == 3, but it is 2",
    );
    says(&|| assert_counter!(metrics, "sent", 1), "`sent`: value == 1, but it is 0");
    says(&|| assert_counter!(metrics, "turn", 0), "`turn`: value == 0, but it is no counter");
    says(
        &|| assert_gauge!(metrics, "depth", current == 2.5),
        "`depth`: current == 2.5, but it is -1.0",
    );
    says(
        &|| assert_gauge!(metrics, "unset", current == 0.0),
        "`unset`: current == 0.0, but it is without a value",
    );
    says(
        &|| assert_gauge!(metrics, "absent", current == 0.0),
        "`absent`: current == 0.0, but it is not there",
    );
    says(
        &|| assert_timing!(metrics, "turn", count == 3, max < Duration::from_nanos(4)),
        "`turn`: max < 4e-9, but it is 4e-9",
    );
    says(&|| assert_timing!(metrics, "absent", count > 0), "`absent`: count > 0, but it is 0");
    says(
        &|| assert_timing!(metrics, "depth", count == 2),
        "`depth`: count == 2, but it is no timing",
    );
}

#[test]
fn a_failure_is_short_whatever_was_recorded() {
    let metrics = MetricsCollector::builder().manual().build();
    let says = failure(|| assert_counter!(metrics, "x", 1));
    assert_eq!(says, "`x`: value == 1, but it is 0\nrecorded were: nothing");
    (0..1_003).for_each(|i| metrics.increment(&format!("c{i:04}")));
    let says = failure(|| assert_counter!(metrics, "x", 1));
    assert_eq!(says.lines().count(), 103);
    assert!(says.ends_with("\n  c0099 (counter): 1\n  and 903 more series"), "{says}");
}

#[test]
fn whole_numbers_are_compared_exactly() {
    let metrics = MetricsCollector::builder().manual().build();
    metrics.increment_by("big", (1 << 60) + 1);
    assert_counter!(metrics, "big", (1_u64 << 60) + 1);
    failure(|| assert_counter!(metrics, "big", 1_u64 << 60));
}
