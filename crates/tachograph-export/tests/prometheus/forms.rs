//! Summaries, classic and native histograms, compared with the samples.

use std::time::{Duration, Instant, SystemTime};

use fastrand::Rng;
use tachograph::{MetricsCollector, Snapshot, Unit};
use tachograph_export::prometheus::{Bounds, Form, Prometheus, Schema};

use super::manual;
use super::wire::{self, Histogram};

/// The maximum width of a snapshot's bucket relative to its values; half of it lies on either side
/// of its middle.
const HALF_BUCKET: f64 = 1.0 / 2_048.0;

/// Nanoseconds over nine powers of ten, most of them small.
fn nanos(seed: u64) -> Vec<u64> {
    let mut random = Rng::with_seed(seed);
    (0..20_000).map(|_| (10f64.powf(random.f64() * random.f64() * 9.0)) as u64 - 1).collect()
}

fn recorded(nanos: &[u64]) -> MetricsCollector {
    let metrics = manual();
    let timing = metrics.register_timing("t");
    for some in nanos.chunks(1_000) {
        some.iter().for_each(|nanos| timing.record_ns(*nanos));
        // Keeps samples from being coalesced.
        metrics.run_pass(Instant::now(), SystemTime::now());
    }
    let stats = metrics.get_timing("t").expect("recorded");
    assert_eq!((stats.count, stats.buckets().coalesced()), (nanos.len() as u64, 0));
    metrics
}

fn lines(text: &str, start: &str) -> Vec<String> {
    text.lines().filter(|line| line.starts_with(start)).map(str::to_owned).collect()
}

fn histogram(prometheus: &mut Prometheus, snapshot: &Snapshot) -> Histogram {
    let mut bytes = Vec::new();
    prometheus.protobuf(snapshot, &mut bytes);
    let families = wire::decode(&bytes).into_iter();
    let mut family = families.into_iter().find(|family| family.name == "t_seconds").expect("t");
    assert_eq!((family.kind, &*family.unit, family.metrics.len()), (4, "seconds", 1));
    family.metrics.remove(0).histogram.expect("a histogram")
}

#[test]
fn classic_buckets_count_the_samples_up_to_their_bounds() {
    let nanos = nanos(1);
    let snapshot = recorded(&nanos).get_all_metrics();
    let mut prometheus = Prometheus::new().timings(Form::Classic(Bounds::default()));
    let classic = histogram(&mut prometheus, &snapshot).classic;
    assert_eq!(classic.len(), 23);
    let up_to =
        |bound: f64| nanos.iter().filter(|nanos| **nanos as f64 <= bound * 1e9).count() as u64;
    for (bound, count) in &classic {
        let least = up_to(bound * (1.0 - HALF_BUCKET));
        let most = up_to(bound * (1.0 + HALF_BUCKET));
        assert!((least..=most).contains(count), "{count} up to {bound}, not {least} to {most}");
    }
    assert_eq!(classic.last(), Some(&(f64::INFINITY, nanos.len() as u64)));

    let mut text = String::new();
    prometheus.text(&snapshot, &mut text);
    let counts: Vec<_> = classic.iter().map(|(_, count)| count.to_string()).collect();
    let buckets = lines(&text, "t_seconds_bucket");
    let written: Vec<_> =
        buckets.iter().map(|line| line.rsplit(' ').next().expect("a value")).collect();
    assert_eq!(written, counts, "the same in both formats");
}

#[test]
fn native_buckets_count_the_samples_between_their_edges_at_every_schema() {
    let mut nanos = nanos(2);
    let snapshot = recorded(&nanos).get_all_metrics();
    nanos.sort_unstable();
    for schema in -4..=8 {
        let form = Form::Native(Schema::new(schema).expect("known"));
        let native = histogram(&mut Prometheus::new().timings(form), &snapshot);
        assert_eq!(native.schema, i64::from(schema));
        let edge = |index: i64| (index as f64 * (-f64::from(schema)).exp2()).exp2() * 1e9;
        let up_to = |edge: f64| nanos.partition_point(|nanos| *nanos as f64 <= edge) as u64;
        let between = |low: f64, high: f64| up_to(high).saturating_sub(up_to(low));
        let mut total = native.zero_count;
        for (index, count) in native.native() {
            let (low, high) = (edge(index - 1), edge(index));
            let near = 2.0 * HALF_BUCKET;
            let most = between(low * (1.0 - near), high * (1.0 + near));
            let least = between(low * (1.0 + near), high * (1.0 - near));
            assert!((least..=most).contains(&count), "{count} in {index}: {least} to {most}");
            total += count;
        }
        assert_eq!(total, nanos.len() as u64, "at {schema}");
        assert_eq!((native.count, native.sum), (total, nanos.iter().sum::<u64>() as f64 / 1e9));
        let zeros = nanos.iter().filter(|nanos| **nanos == 0).count() as u64;
        assert_eq!((native.zero_count, native.zero_threshold), (zeros, 2f64.powi(-128)));
    }
}

/// Like Prometheus before version 3: linear interpolation within the bucket.
fn quantile(histogram: &Histogram, q: f64) -> f64 {
    let rank = q * histogram.count as f64;
    let base = (-histogram.schema as f64).exp2().exp2();
    let mut below = histogram.zero_count as f64;
    for (index, count) in histogram.native() {
        if count > 0 && below + count as f64 >= rank {
            let (low, high) = (base.powf(index as f64 - 1.0), base.powf(index as f64));
            return low + (high - low) * (rank - below) / count as f64;
        }
        below += count as f64;
    }
    panic!("quantile {q} is beyond all buckets");
}

#[test]
fn a_servers_quantiles_of_a_native_histogram_are_within_three_percent() {
    for seed in 0..20 {
        let mut random = Rng::with_seed(seed);
        let spread = 1.0 + random.f64() * 20.0;
        let sample = |random: &mut Rng| (1_000.0 * (random.f64() * spread).exp2()) as u64;
        let mut nanos: Vec<u64> = (0..10_000).map(|_| sample(&mut random)).collect();
        let native = histogram(&mut Prometheus::new(), &recorded(&nanos).get_all_metrics());
        nanos.sort_unstable();
        for q in [0.5, 0.9, 0.95, 0.99, 0.999] {
            let exact = nanos[(q * nanos.len() as f64).ceil() as usize - 1] as f64 / 1e9;
            let error = (quantile(&native, q) / exact - 1.0).abs();
            assert!(error < 0.03, "{q} of {seed}: {error}");
        }
    }
}

#[test]
fn both_kinds_of_buckets_stand_in_one_protobuf_family() {
    let snapshot = recorded(&nanos(3)).get_all_metrics();
    let form = Form::NativeAndClassic(Schema::default(), Bounds::new([0.001]).expect("ascending"));
    let mut prometheus = Prometheus::new().timings(Form::Summary).metric("t", form);
    let both = histogram(&mut prometheus, &snapshot);
    assert_eq!((both.classic.len(), both.schema), (2, 5));
    assert!(both.native().len() > 100);
    let mut text = String::new();
    prometheus.text(&snapshot, &mut text);
    assert_eq!(lines(&text, "t_seconds").len(), 4, "two buckets, sum and count");
}

#[test]
fn a_metric_of_its_own_form_leaves_the_others_as_they_are() {
    let metrics = recorded(&[5_000]);
    metrics.histogram("h", 7);
    let classic = Form::Classic(Bounds::new([2.0, 10.0]).expect("ascending"));
    let mut text = String::new();
    Prometheus::new().metric("h", classic).text(&metrics.get_all_metrics(), &mut text);
    let expected = ["h_bucket{le=\"2.0\"} 0", "h_bucket{le=\"10.0\"} 1", "h_bucket{le=\"+Inf\"} 1"];
    assert_eq!(lines(&text, "h_bucket"), expected);
    assert_eq!(lines(&text, "# TYPE h "), ["# TYPE h histogram"]);
    assert_eq!(lines(&text, "# TYPE t_seconds "), ["# TYPE t_seconds summary"]);
}

#[test]
fn open_metrics_tells_units_times_of_creation_and_its_end() {
    let metrics = manual();
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_millis(seconds);
    metrics.run_pass(Instant::now(), at(1_700_000_000_025));
    metrics.describe("sent", Unit::Bytes, "say \"hello\"\\n");
    metrics.with_tags(&[("to", "a\"b\\c\nd")]).increment_by("sent", 3);
    metrics.timing("t", Duration::from_micros(1_500));
    metrics.run_pass(Instant::now(), at(1_700_000_000_025));
    let snapshot = metrics.snapshot();
    let created = snapshot.find("t", &[]).expect("recorded").created;
    let created = created.duration_since(SystemTime::UNIX_EPOCH).expect("later").as_millis();
    let created = format!("{}.{:03}", created / 1_000, created % 1_000);
    let stamp = "1700000000.025";
    let mut prometheus = Prometheus::new()
        .timings(Form::Classic(Bounds::new([0.001, 0.002]).expect("ascending")))
        .timestamps(true);
    let mut text = String::new();
    prometheus.open_metrics(&snapshot, &mut text);
    let expected = format!(
        r#"# TYPE sent_bytes counter
# UNIT sent_bytes bytes
# HELP sent_bytes say \"hello\"\\n
sent_bytes_total{{to="a\"b\\c\nd"}} 3 {stamp}
sent_bytes_created{{to="a\"b\\c\nd"}} {created} {stamp}
# TYPE t_seconds histogram
# UNIT t_seconds seconds
# HELP t_seconds timing t
t_seconds_bucket{{le="0.001"}} 0 {stamp}
t_seconds_bucket{{le="0.002"}} 1 {stamp}
t_seconds_bucket{{le="+Inf"}} 1 {stamp}
t_seconds_sum 0.0015 {stamp}
t_seconds_count 1 {stamp}
t_seconds_created {created} {stamp}
"#
    );
    let about_itself = |line: &&str| !line.contains("telemetry_");
    let mut lines: Vec<_> = text.lines().filter(about_itself).collect();
    assert_eq!(lines.pop(), Some("# EOF"));
    assert_eq!(lines.join("\n") + "\n", expected);

    let mut plain = String::new();
    prometheus.text(&snapshot, &mut plain);
    assert!(plain.contains("\nt_seconds_count 1 1700000000025\n"), "milliseconds");
    let mut bytes = Vec::new();
    prometheus.protobuf(&snapshot, &mut bytes);
    let families = wire::decode(&bytes);
    let sent = families.iter().find(|family| family.name == "sent_bytes_total").expect("sent");
    assert_eq!(sent.metrics[0].timestamp_ms, Some(1_700_000_000_025));
    assert!(sent.metrics[0].created_ms.is_some());
}
