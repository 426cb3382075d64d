//! Random registries as OTLP, with the values that a receiver must find.
//!
//! `cargo run -p tachograph-export --example otlp -- FOLDER [COUNT [SEED]]` records into each
//! registry in three rounds, with hostile names, tags and values, and writes after each round
//! `N.R.total.pb`, `N.R.total.json`, `N.R.delta.pb` and `N.R.delta.json`. `expected.jsonl` has a
//! line for each registry: every series with its name, kind, unit, description and attributes, and
//! its value or all its recorded samples, which the generator keeps by itself; with samples, also
//! the greatest traced one and its ids.
//!
//! Names and keys are never empty here, and each name has one kind.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use fastrand::Rng;
use serde_json::{Value, json};
use tachograph::{MetricsCollector, Trace, Unit};
use tachograph_export::otlp::{Encoder, Encoding, Settings, Temporality};

const ROUNDS: u64 = 3;

/// The name and tags of a series.
type Key = (String, BTreeMap<String, String>);

/// What was recorded into a series.
enum Recorded {
    Sum { value: i128, is_monotonic: bool },
    Gauge(f64),
    Samples { recorded: Vec<u64>, worst: Option<(u64, Trace)>, per_unit: f64 },
}

/// A collector and everything that was recorded into it.
struct Registry {
    metrics: MetricsCollector,
    descriptions: BTreeMap<String, String>,
    series: BTreeMap<Key, Recorded>,
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
        let mut registry = Registry::new();
        registry.write(folder, i, &mut random)?;
        writeln!(expected, "{}", registry.expected())?;
    }
    Ok(expected.flush()?)
}

/// Each encoder, by the suffix of its files.
fn encoders() -> Vec<(&'static str, Encoder)> {
    let ways = [
        ("total.pb", Temporality::Cumulative, Encoding::Protobuf),
        ("total.json", Temporality::Cumulative, Encoding::Json),
        ("delta.pb", Temporality::Delta, Encoding::Protobuf),
        ("delta.json", Temporality::Delta, Encoding::Json),
    ];
    let encoder = |(end, temporality, encoding)| {
        let settings = Settings::new("peers").attribute("service.instance.id", "one");
        (end, settings.temporality(temporality).encoding(encoding).encoder())
    };
    ways.map(encoder).into()
}

impl Registry {
    fn new() -> Self {
        let metrics = MetricsCollector::builder().manual().build();
        Self { metrics, descriptions: BTreeMap::new(), series: BTreeMap::new() }
    }

    fn write(&mut self, folder: &Path, i: u64, random: &mut Rng) -> std::io::Result<()> {
        let mut encoders = encoders();
        for round in 0..ROUNDS {
            for _ in 0..random.usize(0..40) {
                self.record(random);
            }
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + round);
            self.metrics.run_pass(Instant::now(), time);
            let snapshot = self.metrics.snapshot();
            for (end, encoder) in &mut encoders {
                let mut bytes = Vec::new();
                encoder.encode(&snapshot, &mut bytes);
                fs::write(folder.join(format!("{i}.{round}.{end}")), bytes)?;
            }
        }
        Ok(())
    }

    fn record(&mut self, random: &mut Rng) {
        let kind = *random.choice(&['c', 'u', 'g', 't', 'h']).expect("not empty");
        let name = format!("{kind}{}", text(random));
        let is_new = self.series.keys().all(|(known, _)| *known != name);
        if is_new && random.bool() {
            let told = text(random);
            self.metrics.describe(&name, Unit::Bytes, &told);
            self.descriptions.insert(name.clone(), told);
        }
        let tags = (0..random.usize(0..3)).map(|_| (format!("k{}", text(random)), text(random)));
        let mut tags: BTreeMap<_, _> = tags.collect();
        let given = tags.clone();
        let borrowed: Vec<_> = given.iter().map(|(key, value)| (&**key, &**value)).collect();
        // A tag with an empty value is no tag.
        tags.retain(|_, value| !value.is_empty());
        let key = (name, tags);
        let series = self.metrics.with_tags(&borrowed);
        let sample = random.u64(..) >> random.u32(23..64);
        let ids = (random.u128(..).to_be_bytes(), random.u64(..).to_be_bytes());
        let trace = random.bool().then(|| Trace::new(ids.0, ids.1)).flatten();
        match kind {
            'c' => series.increment_by(&key.0, sample),
            'u' => series.decrement_by(&key.0, sample),
            'g' => series.gauge(&key.0, sample as f64 / 7.0),
            't' => match trace {
                Some(trace) => series.timing_traced(&key.0, Duration::from_nanos(sample), trace),
                None => series.timing(&key.0, Duration::from_nanos(sample)),
            },
            _ => match trace {
                Some(trace) => series.histogram_traced(&key.0, sample, trace),
                None => series.histogram(&key.0, sample),
            },
        }
        let per_unit = if kind == 't' { 1e9 } else { 1.0 };
        let known = self.series.entry(key).or_insert_with(|| match kind {
            'c' | 'u' => Recorded::Sum { value: 0, is_monotonic: kind == 'c' },
            'g' => Recorded::Gauge(0.0),
            _ => Recorded::Samples { recorded: Vec::new(), worst: None, per_unit },
        });
        match known {
            Recorded::Sum { value, is_monotonic: true } => *value += i128::from(sample),
            Recorded::Sum { value, is_monotonic: false } => *value -= i128::from(sample),
            Recorded::Gauge(value) => *value = sample as f64 / 7.0,
            Recorded::Samples { recorded, worst, .. } => {
                recorded.push(sample);
                let is_worse = worst.is_none_or(|(known, _)| sample > known);
                *worst = trace.filter(|_| is_worse).map(|trace| (sample, trace)).or(*worst);
            }
        }
    }

    fn expected(&self) -> Value {
        let series = self.series.iter().map(|((name, tags), recorded)| {
            let description = self.descriptions.get(name);
            // A timing's unit is fixed.
            let is_timing =
                matches!(recorded, Recorded::Samples { per_unit, .. } if *per_unit > 1.0);
            let unit = match description {
                _ if is_timing => "s",
                Some(_) => "By",
                None => "",
            };
            let value = match recorded {
                Recorded::Sum { value, is_monotonic } => {
                    json!({ "sum": value.to_string(), "monotonic": is_monotonic })
                }
                Recorded::Gauge(value) => json!({ "gauge": value }),
                Recorded::Samples { recorded, worst, per_unit } => {
                    let exemplar = worst.map(|(sample, trace)| {
                        json!({
                            "sample": sample,
                            "trace_id": trace.trace_id(),
                            "span_id": trace.span_id(),
                        })
                    });
                    json!({ "samples": recorded, "exemplar": exemplar, "per_unit": per_unit })
                }
            };
            json!({
                "name": name,
                "unit": unit,
                "description": description.map_or("", String::as_str),
                "attributes": tags,
                "recorded": value,
            })
        });
        Value::Array(series.collect())
    }
}

/// Few distinct characters, so that series recur in the next rounds.
fn text(random: &mut Rng) -> String {
    const CHARS: [char; 10] = ['a', '_', '.', '\n', '"', '\\', '{', '\0', 'é', '\u{1f600}'];
    (0..random.usize(0..3)).map(|_| CHARS[random.usize(..CHARS.len())]).collect()
}
