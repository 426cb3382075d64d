//! Random registries with hostile names, tags, constant labels, prefixes and values, in the
//! Prometheus formats, with the values that a reader must find.
//!
//! `cargo run -p tachograph-export --example hostile -- FOLDER [COUNT [SEED]]` writes for each
//! registry `N.txt` (text format 0.0.4) and `N.om` (OpenMetrics, with samples timed N seconds after
//! a fixed time), and a line in `expected.jsonl`: the families in order, each with its type, its
//! HELP if it was described, and its series with their tags and values in the order of the samples.
//! Counts come from the samples, which the generator keeps. Every second registry has classic
//! histograms, the others summaries. If all samples of a series are known, `exemplar` is the
//! greatest traced one with its ids, or null if none was traced.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use fastrand::Rng;
use serde_json::{Value, json};
use tachograph::{MetricsCollector, Trace, Unit, Value as Stats};
use tachograph_export::prometheus::{Bounds, Form, Prometheus};

/// Timings in seconds, histograms in their own unit.
const BOUNDS: [f64; 6] = [1e-9, 5e-7, 1.5e-6, 1.0, 100.0, 2_000.0];

/// The name and tags of a series.
type Key = (String, BTreeMap<String, String>);

/// A collector and everything that was recorded into it.
struct Registry {
    metrics: MetricsCollector,
    /// The constant labels.
    labels: BTreeMap<String, String>,
    descriptions: BTreeMap<String, String>,
    /// The samples of timings and histograms, in the metric's unit.
    samples: BTreeMap<Key, Vec<f64>>,
    /// The greatest traced sample of each series, with its trace.
    worst: BTreeMap<Key, (f64, Trace)>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("the first argument is the folder to write to")?;
    let number = |argument: Option<String>, usual| argument.map_or(Ok(usual), |text| text.parse());
    let count = number(arguments.next(), 1_000)?;
    let mut random = Rng::with_seed(number(arguments.next(), 1)?);
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    let mut expected = BufWriter::new(File::create(folder.join("expected.jsonl"))?);
    for i in 0..count {
        let registry = Registry::random(&mut random);
        let is_classic = i % 2 == 1;
        writeln!(expected, "{}", registry.write(folder, i, is_classic)?)?;
    }
    Ok(expected.flush()?)
}

impl Registry {
    fn random(random: &mut Rng) -> Self {
        let mut builder = MetricsCollector::builder().manual();
        if random.u8(0..3) == 0 {
            builder = builder.export_prefix(&text(random));
        }
        let labels = (0..random.usize(0..3)).map(|_| (text(random), text(random)));
        let mut labels: BTreeMap<_, _> = labels.collect();
        for (key, value) in &labels {
            builder = builder.export_label(key, value);
        }
        // A label with an empty value is no label.
        labels.retain(|_, value| !value.is_empty());
        let mut registry = Self {
            metrics: builder.build(),
            labels,
            descriptions: BTreeMap::new(),
            samples: BTreeMap::new(),
            worst: BTreeMap::new(),
        };
        for _ in 0..random.usize(0..5) {
            let (name, told) = (text(random), text(random));
            registry.metrics.describe(&name, Unit::Other(text(random).as_str().into()), &told);
            registry.descriptions.insert(name, told);
        }
        for _ in 0..random.usize(0..25) {
            registry.record(random);
        }
        registry
    }

    fn record(&mut self, random: &mut Rng) {
        let name = text(random);
        let tags = (0..random.usize(0..4)).map(|_| (text(random), text(random)));
        let mut tags: BTreeMap<_, _> = tags.collect();
        let given = tags.clone();
        // A tag with an empty value is no tag.
        tags.retain(|_, value| !value.is_empty());
        let borrowed: Vec<_> = given.iter().map(|(key, value)| (&**key, &**value)).collect();
        let series = self.metrics.with_tags(&borrowed);
        // Either where buckets are one unit wide, or above all bounds.
        let value = if random.bool() { random.u64(0..2_000) } else { random.u64(1 << 45..) };
        let trace = random.bool().then(|| trace(random)).flatten();
        let mut keep = |value| {
            let key = (name.clone(), tags.clone());
            self.samples.entry(key.clone()).or_default().push(value);
            let known = self.worst.get(&key).map(|(known, _)| *known);
            if let Some(trace) = trace
                && known.is_none_or(|known| value > known)
            {
                self.worst.insert(key, (value, trace));
            }
        };
        match random.u8(0..6) {
            0 => {
                let duration = Duration::from_nanos(value);
                match trace {
                    Some(trace) => series.timing_traced(&name, duration, trace),
                    None => series.timing(&name, duration),
                }
                keep(value as f64 / 1e9);
            }
            1 => {
                match trace {
                    Some(trace) => series.histogram_traced(&name, value, trace),
                    None => series.histogram(&name, value),
                }
                keep(value as f64);
            }
            2 => series.increment_by(&name, random.u64(..)),
            3 => series.decrement_by(&name, random.u64(..)),
            4 => series.gauge(&name, f64::from_bits(random.u64(..))),
            _ => drop(series.register_histogram(&name)),
        }
    }

    /// Writes the files and returns the expected values.
    fn write(self, folder: &Path, i: u64, is_classic: bool) -> Result<Value, Box<dyn Error>> {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + i);
        self.metrics.run_pass(Instant::now(), time);
        let snapshot = self.metrics.snapshot();
        let form = if is_classic { Form::Classic(Bounds::new(BOUNDS)?) } else { Form::Summary };
        let mut prometheus = Prometheus::new().timings(form);
        let (mut plain, mut open_metrics) = (String::new(), String::new());
        prometheus.text(&snapshot, &mut plain);
        prometheus.timestamps(true).open_metrics(&snapshot, &mut open_metrics);
        fs::write(folder.join(format!("{i}.txt")), plain)?;
        fs::write(folder.join(format!("{i}.om")), open_metrics)?;

        let mut families = BTreeMap::<&str, (&str, Vec<Value>)>::new();
        for series in snapshot.series() {
            let tags: BTreeMap<_, _> =
                series.tags.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            let labels: Vec<_> = self.labels.values().chain(tags.values()).cloned().collect();
            let key = (series.metric.name.to_string(), tags);
            let samples = self.samples.get(&key).map(Vec::as_slice).unwrap_or_default();
            let (kind, values) = values(&series.value, samples, is_classic);
            let (_, all) = families.entry(&series.metric.name).or_insert((kind, Vec::new()));
            let mut told = json!({ "labels": labels, "values": values });
            if is_known(&series.value, samples) {
                told["exemplar"] = self.worst.get(&key).map_or(Value::Null, exemplar);
            }
            all.push(told);
        }
        let described = |name: &str| self.descriptions.get(name).filter(|told| !told.is_empty());
        let families = families.into_iter().map(|(name, (kind, series))| {
            json!({ "metric": name, "type": kind, "help": described(name), "series": series })
        });
        Ok(Value::Array(families.collect()))
    }
}

/// The type of a family, and the values of one series in the order of its samples.
fn values(stats: &Stats, samples: &[f64], is_classic: bool) -> (&'static str, Vec<String>) {
    let float = |value: Option<f64>| value.map_or("NaN".to_owned(), |value| format!("{value:?}"));
    match stats {
        Stats::Counter(views) => ("counter", vec![views.lifetime.value.to_string()]),
        Stats::UpDownCounter(views) => ("gauge", vec![views.lifetime.value.to_string()]),
        Stats::Gauge(views) => ("gauge", vec![float(views.lifetime.current)]),
        Stats::Timing(views) | Stats::Histogram(views) => {
            let s = &views.lifetime;
            let end = [float(Some(s.sum)), s.count.to_string()];
            if is_classic && is_known(stats, samples) {
                let up_to = |bound: f64| samples.iter().filter(|value| **value <= bound).count();
                let counts = BOUNDS.map(|bound| up_to(bound).to_string());
                let all = counts.into_iter().chain([s.count.to_string()]).chain(end);
                return ("histogram", all.collect());
            }
            let kind = if is_classic { "histogram" } else { "summary" };
            // Everything was recorded within the window.
            let quantiles = [s.p50, s.p90, s.p95, s.p99, s.p999].map(float);
            let quantiles = if is_classic { Vec::new() } else { quantiles.to_vec() };
            (kind, quantiles.into_iter().chain(end).collect())
        }
    }
}

/// Whether the generator has all samples of a series. It does not have those of the collector's own
/// series, and it has samples that were refused because the name belonged to another kind.
fn is_known(stats: &Stats, samples: &[f64]) -> bool {
    stats.as_timing().is_some_and(|views| views.lifetime.count == samples.len() as u64)
}

fn exemplar((value, trace): &(f64, Trace)) -> Value {
    let (trace_id, span_id) = (trace.trace_id(), trace.span_id());
    json!({ "value": format!("{value:?}"), "trace_id": trace_id, "span_id": span_id })
}

/// A trace, with or without a span.
fn trace(random: &mut Rng) -> Option<Trace> {
    let span = if random.bool() { random.u64(..) } else { 0 };
    Trace::new(random.u128(..).to_be_bytes(), span.to_be_bytes())
}

/// Few distinct characters, so that names collide once they are mapped to the formats' grammar.
fn text(random: &mut Rng) -> String {
    const WORDS: [&str; 17] = [
        "le",
        "quantile",
        "__name__",
        "a_sum",
        "a_count",
        "a_bucket",
        "a_total",
        "a_seconds",
        "a_created",
        "a_info",
        "_total",
        ".total",
        "_seconds",
        "metric",
        "total",
        "telemetry_prometheus_renamed",
        "# EOF",
    ];
    const CHARS: [char; 23] = [
        'a',
        'b',
        '_',
        '.',
        ':',
        '9',
        ' ',
        '\n',
        '\r',
        '"',
        '\\',
        '{',
        '}',
        '=',
        ',',
        '#',
        '\0',
        'é',
        '\u{fffd}',
        '␀',
        '\u{1f600}',
        '[',
        ']',
    ];
    if random.u8(0..5) == 0 {
        return WORDS[random.usize(..WORDS.len())].to_owned();
    }
    (0..random.usize(0..5)).map(|_| CHARS[random.usize(..CHARS.len())]).collect()
}
