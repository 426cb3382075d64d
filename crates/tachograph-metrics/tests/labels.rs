//! Labels as tags, compared with what `metrics-exporter-prometheus` makes of the same program.

use std::collections::BTreeSet;

use metrics::{Label, counter, with_local_recorder};
use metrics_exporter_prometheus::PrometheusBuilder;
use tachograph::MetricsCollector;
use tachograph_export::prometheus::Prometheus;
use tachograph_metrics::TachographRecorder;

/// The samples of `asked…` in a page of Prometheus text, each with its labels in order.
fn samples(page: &str) -> BTreeSet<String> {
    let lines = page.lines().filter(|line| line.starts_with("asked"));
    lines
        .map(|line| {
            let Some((name, rest)) = line.split_once('{') else { return line.to_owned() };
            let (labels, value) = rest.split_once('}').expect("closed");
            let mut labels: Vec<_> = labels.split(',').collect();
            labels.sort_unstable();
            format!("{name}{{{}}}{value}", labels.join(","))
        })
        .collect()
}

fn both(program: impl Fn()) -> [BTreeSet<String>; 2] {
    let recorder = PrometheusBuilder::new().build_recorder();
    with_local_recorder(&recorder, &program);
    let theirs = samples(&recorder.handle().render());

    let collector = MetricsCollector::builder().manual().build();
    with_local_recorder(&TachographRecorder::new(collector.clone()), program);
    let mut page = String::new();
    Prometheus::new().text(&collector.get_all_metrics(), &mut page);
    [samples(&page), theirs]
}

#[test]
fn of_two_equal_keys_the_last_wins() {
    let [ours, theirs] = both(|| {
        counter!("asked_total", "by" => "a", "by" => "b").increment(5);
    });
    assert_eq!(ours, theirs);
    assert_eq!(ours, BTreeSet::from(["asked_total{by=\"b\"} 5".to_owned()]));
}

#[test]
fn the_order_of_labels_makes_no_series() {
    // The facade leaves this to recorders; theirs makes two, and an invalid page of them.
    let collector = MetricsCollector::builder().manual().build();
    with_local_recorder(&TachographRecorder::new(collector.clone()), || {
        counter!("asked", "a" => "1", "b" => "2").increment(1);
        counter!("asked", "b" => "2", "a" => "1").increment(1);
    });
    let asked = collector.with_tags(&[("b", "2"), ("a", "1")]).get_counter("asked");
    assert_eq!(asked.map(|stats| stats.value), Some(2));
}

#[test]
fn labels_come_from_literals_expressions_and_collections() {
    let [ours, theirs] = both(|| {
        const KEY: &str = "by";
        static STATIC: [Label; 1] = [Label::from_static_parts("by", "static")];
        counter!("asked_total", "by" => "literal").increment(1);
        counter!("asked_total", KEY => format!("{}", 7)).increment(2);
        counter!("asked_total", &[("by", "pair"), ("and", "two")]).increment(3);
        counter!("asked_total", vec![Label::new("by", "vector")]).increment(4);
        counter!("asked_total", STATIC.iter()).increment(5);
        counter!("asked_total", "by" => "say \"hi\"\n").increment(6);
    });
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 6);
}

#[test]
fn an_empty_value_is_no_tag() {
    let collector = MetricsCollector::builder().manual().build();
    with_local_recorder(&TachographRecorder::new(collector.clone()), || {
        counter!("asked", "by" => "").increment(1);
        counter!("asked").increment(1);
    });
    assert_eq!(collector.get_counter("asked").map(|stats| stats.value), Some(2));
}

#[test]
fn labels_that_never_repeat_are_added_up_beyond_the_limit() {
    let collector = MetricsCollector::builder().manual().series_per_metric(100).build();
    with_local_recorder(&TachographRecorder::new(collector.clone()), || {
        for user in 0..5_000 {
            counter!("logins", "user" => user.to_string()).increment(1);
        }
    });
    let overflow = collector.with_tags(&[("overflow", "true")]).get_counter("logins");
    assert_eq!(overflow.map(|stats| stats.value), Some(4_900));
    let total = collector.total("logins").expect("recorded");
    assert_eq!(total.as_counter().map(|views| views.lifetime.value), Some(5_000));
}
