//! The answer of `/alerts`.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use tachograph::Exemplar;
use tachograph_alert::{Alert, Engine, State, Status, Transition};

use crate::sinks::body::seconds;
use crate::sinks::outbox::SinkStatus;

/// The number of changes kept, newest first.
const CHANGES: usize = 100;

/// The state of all rules after a frame.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) snapshot_version: u64,
    pub(crate) at: f64,
    rules: Vec<Rule>,
    pub(crate) sinks: Vec<SinkStatus>,
    changes: VecDeque<Change>,
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
    labels: BTreeMap<String, String>,
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
    labels: BTreeMap<String, String>,
    from: State,
    to: State,
    value_text: String,
}

/// Labels in addition to those that the rule itself has.
fn own(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let is_own = |(key, _): &(&String, &String)| !["alertname", "severity"].contains(&key.as_str());
    labels.iter().filter(is_own).map(|(key, value)| (key.clone(), value.clone())).collect()
}

impl Report {
    /// Updates the report from the state of all rules.
    pub(crate) fn update(&mut self, engine: &Engine) {
        self.rules = engine.statuses().map(Rule::of).collect();
    }

    pub(crate) fn note(&mut self, change: &Transition) {
        self.changes.push_front(Change {
            at: change.at_ms as f64 / 1e3,
            rule: change.rule.clone(),
            labels: own(&change.alert.labels),
            from: change.from,
            to: change.alert.state,
            value_text: change.alert.value_text.clone(),
        });
        self.changes.truncate(CHANGES);
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
            labels: own(&alert.labels),
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
