//! The Prometheus text of counters with colliding names that appear one after another.
//!
//! `cargo run -p tachograph-export --example names -- FOLDER [STEPS [SEED]]` writes `pages.jsonl`
//! with a line for each step: `page` in the text format, and `values` by the metric's recorded
//! name, as added up by the generator. First `http.requests` counts 1,000, then `http-requests`
//! counts 3; then others follow at random. The gauge `step` holds the page's number.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use fastrand::Rng;
use serde_json::json;
use tachograph::MetricsCollector;
use tachograph_export::prometheus::Prometheus;

/// All of these map to `http_requests_total`.
const NAMES: [&str; 8] = [
    "http.requests",
    "http-requests",
    "HTTP.requests",
    "http_requests",
    "http.requests.total",
    "http requests",
    "http/requests",
    "http_requests_1",
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("the first argument is the folder to write to")?;
    let number = |argument: Option<String>, usual| argument.map_or(Ok(usual), |text| text.parse());
    let steps = number(arguments.next(), 30)?;
    let mut random = Rng::with_seed(number(arguments.next(), 1)?);
    fs::create_dir_all(&folder)?;
    let mut pages = BufWriter::new(File::create(Path::new(&folder).join("pages.jsonl"))?);

    let metrics = MetricsCollector::builder().manual().build();
    let mut prometheus = Prometheus::new();
    let mut values = BTreeMap::<&str, u64>::new();
    for step in 0..steps {
        let (name, amount) = match step {
            0 => (NAMES[0], 1_000),
            1 => (NAMES[1], 3),
            _ => (NAMES[random.usize(..NAMES.len())], random.u64(1..1_000)),
        };
        metrics.increment_by(name, amount);
        *values.entry(name).or_default() += amount;
        metrics.gauge("step", step as f64);
        let mut page = String::new();
        prometheus.text(&metrics.get_all_metrics(), &mut page);
        writeln!(pages, "{}", json!({ "page": page, "values": values }))?;
    }
    Ok(pages.flush()?)
}
