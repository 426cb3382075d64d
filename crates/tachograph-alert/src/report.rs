//! The state of all rules and their last changes, as people read it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Serialize, Serializer};
use tachograph::Exemplar;

use crate::engine::{Engine, Status};
use crate::state::{Alert, State, Transition};

/// All rules with their alerts, and how these changed: the answer of an endpoint's `/alerts`, and
/// part of a report. Times are seconds since 1970. A clone shares the rules.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    snapshot_version: u64,
    at: f64,
    rules: Arc<[Rule]>,
    /// Newest first.
    changes: VecDeque<Change>,
    #[serde(skip)]
    changes_max: usize,
}

impl Default for Report {
    /// Without rules; keeps the last 100 changes.
    fn default() -> Self {
        Self::new(100)
    }
}

#[derive(Clone, Debug, Serialize)]
struct Rule {
    name: String,
    severity: String,
    condition: String,
    #[serde(rename = "for")]
    hold: f64,
    runbook: Option<String>,
    /// Why it cannot be evaluated; its alerts are then stale.
    problem: Option<String>,
    alerts: Vec<Told>,
}

#[derive(Clone, Debug, Serialize)]
struct Told {
    #[serde(serialize_with = "own")]
    labels: Labels,
    /// The key of the series that the alert is about.
    series: Option<Arc<str>>,
    state: &'static str,
    value: Option<f64>,
    value_text: String,
    threshold_text: String,
    since: Option<f64>,
    last_change: Option<f64>,
    message: String,
    exemplar: Option<Box<Exemplar>>,
}

#[derive(Clone, Debug, Serialize)]
struct Change {
    at: f64,
    rule: String,
    #[serde(serialize_with = "own")]
    labels: Labels,
    from: State,
    to: State,
    value_text: String,
}

type Labels = Arc<BTreeMap<String, String>>;

/// Writes the labels in addition to those that the rule itself has.
fn own<S: Serializer>(labels: &Labels, serializer: S) -> Result<S::Ok, S::Error> {
    let is_own = |(key, _): &(&String, &String)| !["alertname", "severity"].contains(&key.as_str());
    serializer.collect_map(labels.iter().filter(is_own))
}

impl Report {
    /// Without rules; keeps the last `changes_max` changes.
    pub fn new(changes_max: usize) -> Self {
        let (rules, changes) = (Arc::default(), VecDeque::new());
        Self { snapshot_version: 0, at: 0.0, rules, changes, changes_max }
    }

    /// Takes over the state of all rules. `version` is that of the newest frame.
    pub fn update(&mut self, engine: &Engine, version: u64, now_ms: u64) {
        self.snapshot_version = version;
        self.at = now_ms as f64 / 1e3;
        self.rules = engine.statuses().map(Rule::of).collect();
    }

    /// Adds a change, and drops the oldest one if there are too many.
    pub fn note(&mut self, change: &Transition) {
        self.changes.push_front(Change {
            at: change.at_ms as f64 / 1e3,
            rule: change.rule.clone(),
            labels: Arc::clone(&change.alert.labels),
            from: change.from,
            to: change.alert.state,
            value_text: change.alert.value_text.clone(),
        });
        self.changes.truncate(self.changes_max);
    }
}

impl Rule {
    fn of(status: Status<'_>) -> Self {
        let is_stale = status.problem.is_some();
        Self {
            name: status.name.to_owned(),
            severity: status.severity.to_owned(),
            condition: status.condition,
            hold: status.hold.as_secs_f64(),
            runbook: Some(status.runbook.to_owned()).filter(|it| !it.is_empty()),
            problem: status.problem.map(str::to_owned),
            alerts: status.alerts.into_iter().map(|alert| Told::of(alert, is_stale)).collect(),
        }
    }
}

impl Told {
    fn of(alert: &Alert, is_stale: bool) -> Self {
        Self {
            labels: Arc::clone(&alert.labels),
            series: alert.series.clone(),
            state: match alert.state {
                _ if is_stale => "stale",
                State::Inactive => "inactive",
                State::Pending => "pending",
                State::Firing => "firing",
            },
            value: alert.value.filter(|value| value.is_finite()),
            value_text: alert.value_text.clone(),
            threshold_text: alert.threshold_text.clone(),
            since: seconds(alert.active_since_ms),
            last_change: seconds(alert.changed_ms),
            message: alert.message.clone(),
            exemplar: alert.exemplar.clone(),
        }
    }
}

fn seconds(at_ms: u64) -> Option<f64> {
    (at_ms > 0).then_some(at_ms as f64 / 1e3)
}
