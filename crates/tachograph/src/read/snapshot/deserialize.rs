//! Validates snapshots that were deserialized: inconsistent ones are refused.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::prometheus_names::exported_names::ExportedNames;
use crate::prometheus_names::naming::Naming;
use crate::read::snapshot::{Recording, Series, Snapshot, Value};
use crate::series::encoding::wall;
use crate::series::key;
use crate::series::metric::Kind;

/// A snapshot as it was serialized.
#[derive(Deserialize)]
#[serde(remote = "Snapshot")]
struct RawSnapshot {
    version: u64,
    #[serde(with = "wall")]
    timestamp: SystemTime,
    #[serde(with = "wall")]
    started: SystemTime,
    uptime: Duration,
    generation: u64,
    age: Duration,
    window_span: Option<Duration>,
    recording: Recording,
    series: Vec<Arc<Series>>,
    idle: Vec<Arc<Series>>,
    #[serde(default)]
    names: Arc<ExportedNames>,
}

impl<'de> Deserialize<'de> for Snapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut snapshot = RawSnapshot::deserialize(deserializer)?;
        check(&snapshot).map_err(D::Error::custom)?;
        let mut naming = Naming::new(snapshot.names.prefix(), &snapshot.names.constant_tags());
        naming.adopt(&snapshot.names, |_, _| true);
        snapshot.name_all(naming);
        Ok(snapshot)
    }
}

/// The first inconsistency of a deserialized snapshot.
fn check(snapshot: &Snapshot) -> Result<(), String> {
    let mut metrics = HashMap::new();
    for list in [&snapshot.series, &snapshot.idle] {
        check_order(list)?;
        for series in list {
            check_series(series)?;
            let metric = &series.metric;
            if *metrics.entry(&metric.name).or_insert(metric) != metric {
                return Err(wrong(series, "its metric has two kinds, units or descriptions"));
            }
        }
    }
    let hidden = |series: &&Arc<Series>| super::by_key(&snapshot.series, &series.key).is_some();
    match snapshot.idle.iter().find(hidden) {
        Some(both) => Err(wrong(both, "it is both shown and hidden")),
        None => Ok(()),
    }
}

/// Look-ups and differences rely on the order of the keys.
fn check_order(list: &[Arc<Series>]) -> Result<(), String> {
    match list.windows(2).find(|pair| pair[0].key >= pair[1].key) {
        Some(pair) => Err(wrong(&pair[1], "its key is not above the one before")),
        None => Ok(()),
    }
}

fn check_series(series: &Series) -> Result<(), String> {
    if *series.key != *key::display(&series.metric.name, &series.tags) {
        return Err(wrong(series, "its key is not that of its name and tags"));
    }
    let kind = match &series.value {
        Value::Timing(_) => Kind::Timing,
        Value::Histogram(_) => Kind::Histogram,
        Value::Counter(_) => Kind::Counter,
        Value::UpDownCounter(_) => Kind::UpDownCounter,
        Value::Gauge(_) => Kind::Gauge,
    };
    if kind != series.metric.kind {
        return Err(wrong(series, "its value is not of its metric's kind"));
    }
    Ok(())
}

fn wrong(series: &Series, what: &str) -> String {
    format!("the series {:?} cannot be: {what}", series.key)
}
