//! A generated hour, recorded and replayed: counts are equal, quantiles within a bucket of the
//! sorted samples, in `top`'s model, in its history, and by an independent reading of the file.

mod common;

use std::collections::BTreeMap;
use std::io::Read;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::Value;
use tachograph_cli::Replay;
use tachograph_cli::top::{Colours, Link, Model, Theme, press, rows};

/// Eight buckets in every power of two.
const BUCKET: f64 = 1.090_507_732_665_257_7;

fn assert_within_a_bucket(found: f64, right: f64, of: &str) {
    assert!(found / right < BUCKET && right / found < BUCKET, "{of}: {found} of {right}");
}

#[test]
fn an_hour_is_the_same_in_the_model_and_in_an_independent_reading() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hour.jsonl.gz");
    let known = common::write(&path, 3_600, 11).expect("written");
    assert!(known.samples.len() > 100_000);

    let theme = Theme { colours: Colours::None, light: false };
    let mut model = Model::new("hour", Replay::read(&path).expect("read"), Link::File, theme);
    for _ in 0..6 {
        press(&mut model, KeyEvent::new(KeyCode::Char('-'), KeyModifiers::NONE));
    }
    let range = model.range();
    assert_eq!(range.len(), 3_600, "all of it");
    let history = model.replay.history();
    let mut rows = rows(&model);
    for row in &mut rows {
        row.fill(&range, &model, 0);
    }
    let row = rows.iter().find(|row| &*row.definition.key == common::LATENCY).expect("a row");
    assert_eq!(row.samples.as_ref().map(|it| it.count), Some(known.samples.len() as u64));
    for q in [0.5, 0.99] {
        assert_within_a_bucket(row.quantile(q).expect("samples"), known.quantile(q), "the model");
    }
    for (name, count) in &known.counts {
        let number = history.number(name).expect("a series");
        let sum: i128 = range.iter().filter_map(|frame| frame.counter(number)).sum();
        assert_eq!(sum, i128::from(*count), "{name}");
    }

    let read = Independent::read(&path);
    assert_eq!(read.counts.get(common::LATENCY), Some(&(known.samples.len() as u64)));
    for (name, count) in &known.counts {
        assert_eq!(read.counts.get(*name), Some(count), "{name}");
    }
    for q in [0.5, 0.99] {
        assert_within_a_bucket(read.quantile(q), known.quantile(q), "the file");
    }
}

/// The content of a recording, read by its format's description and without the project's code.
struct Independent {
    counts: BTreeMap<String, u64>,
    /// The samples of the latency in each bucket.
    buckets: BTreeMap<i64, u64>,
}

impl Independent {
    fn read(path: &std::path::Path) -> Self {
        let mut text = String::new();
        let file = std::fs::File::open(path).expect("there");
        flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).expect("gzip");
        let mut keys = BTreeMap::new();
        let mut found = Self { counts: BTreeMap::new(), buckets: BTreeMap::new() };
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).expect("JSON");
            if let Some(series) = line.get("series") {
                let key = series["key"].as_str().expect("a key").to_owned();
                keys.insert(series["number"].as_u64().expect("a number"), key);
            }
            for entry in line["frame"]["counters"].as_array().into_iter().flatten() {
                let key = keys[&entry[0].as_u64().expect("a number")].clone();
                *found.counts.entry(key).or_default() += entry[1].as_u64().expect("a change");
            }
            for entry in line["frame"]["timings"].as_array().into_iter().flatten() {
                let key = keys[&entry[0].as_u64().expect("a number")].clone();
                let count = entry[1]["count"].as_u64().expect("a count");
                for bucket in entry[1]["buckets"].as_array().into_iter().flatten() {
                    if key == common::LATENCY {
                        let place = bucket[0].as_i64().expect("a bucket");
                        *found.buckets.entry(place).or_default() +=
                            bucket[1].as_u64().expect("a count");
                    }
                }
                *found.counts.entry(key).or_default() += count;
            }
        }
        found
    }

    /// The upper edge of the bucket that holds the sample of rank `ceil(q * count)`.
    fn quantile(&self, q: f64) -> f64 {
        let count: u64 = self.buckets.values().sum();
        let rank = (q * count as f64).ceil() as u64;
        let mut below = 0;
        let place = self.buckets.iter().find(|(_, count)| {
            below += **count;
            below >= rank
        });
        2f64.powf(*place.expect("samples").0 as f64 / 8.0)
    }
}
