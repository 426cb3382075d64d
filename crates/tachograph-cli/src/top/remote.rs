//! The answer of `/alerts`.

use std::collections::BTreeMap;

use serde::Deserialize;
use tachograph_alert::Condition;
use tachograph_history::doctor::{Finding, Severity};

/// All rules with their alerts, the sinks, and the latest changes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Alerts {
    /// Every rule.
    pub rules: Vec<AlertRule>,
    /// The destinations of changes.
    pub sinks: Vec<Sink>,
    /// The latest changes, newest first.
    pub changes: Vec<Change>,
}

/// The state of a rule.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AlertRule {
    /// The rule's name.
    pub name: String,
    /// The severity, such as `warning`.
    pub severity: String,
    /// The condition in words.
    pub condition: Option<String>,
    /// The address of the runbook.
    pub runbook: Option<String>,
    /// Why the rule cannot be evaluated.
    pub problem: Option<String>,
    /// One alert for each series that the rule covers.
    pub alerts: Vec<AlertState>,
}

/// The state of an alert.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AlertState {
    /// The labels that identify it.
    pub labels: BTreeMap<String, String>,
    /// One of `inactive`, `pending`, `firing` and `stale`.
    pub state: String,
    /// The value with its unit.
    pub value_text: Option<String>,
    /// The threshold with its unit.
    pub threshold_text: Option<String>,
    /// When the condition began to hold, in seconds since 1970.
    pub since: Option<f64>,
    /// The rule's message, filled in.
    pub message: Option<String>,
    /// The key of the series that it is about.
    pub series: Option<String>,
}

/// A destination of changes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sink {
    /// The sink's name.
    pub name: String,
    /// Changes that it accepted.
    pub delivered: u64,
    /// Attempts that failed; most are repeated.
    pub failed: u64,
    /// Changes that it will never get.
    pub dropped: u64,
    /// Changes that are waiting.
    pub waiting: u64,
    /// Why the last delivery failed.
    pub last_error: Option<String>,
}

/// A change of an alert's state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Change {
    /// The time of the change, in seconds since 1970.
    pub at: f64,
    /// The rule's name.
    pub rule: String,
    /// The alert's labels.
    pub labels: BTreeMap<String, String>,
    /// The state before.
    pub from: String,
    /// The state after.
    pub to: String,
    /// The value at that time, with its unit.
    pub value_text: Option<String>,
}

impl Alerts {
    /// All alerts with their rules, firing ones first.
    pub(super) fn listed(&self) -> impl Iterator<Item = (&AlertRule, &AlertState)> {
        let states = ["firing", "pending", "stale", "inactive"];
        states.into_iter().flat_map(|state| self.in_state(state))
    }

    /// All alerts in a state, with their rules.
    pub(super) fn in_state<'a>(
        &'a self,
        state: &'a str,
    ) -> impl Iterator<Item = (&'a AlertRule, &'a AlertState)> {
        let all = self.rules.iter().flat_map(|rule| rule.alerts.iter().map(move |it| (rule, it)));
        all.filter(move |(_, alert)| alert.state == state)
    }

    /// A finding for each alert that fires, but for heartbeats: they always do.
    pub(crate) fn findings(&self) -> impl Iterator<Item = Finding> {
        let heartbeat = Condition::Heartbeat.to_string();
        let firing = self.in_state("firing");
        let firing = firing.filter(move |(rule, _)| rule.condition.as_ref() != Some(&heartbeat));
        firing.map(|(rule, alert)| rule.finding(alert))
    }
}

impl AlertRule {
    fn finding(&self, alert: &AlertState) -> Finding {
        let text = |text: &Option<String>| text.clone().filter(|it| !it.is_empty() && it != "–");
        let told = text(&alert.message).or_else(|| text(&self.condition)).unwrap_or_default();
        let value = text(&alert.value_text).map(|it| format!("; now {it}")).unwrap_or_default();
        let limit = text(&alert.threshold_text).map(|it| format!(", limit {it}"));
        let runbook = text(&self.runbook).map(|it| format!("follow the runbook: {it}"));
        Finding {
            severity: if self.severity == "critical" { Severity::Bad } else { Severity::Warning },
            title: format!("the alert `{}` is firing", self.name),
            detail: told + &value + &limit.unwrap_or_default(),
            advice: runbook.unwrap_or_else(|| {
                "look at its series from the time before the alert to now".to_owned()
            }),
            series: alert.series.clone(),
        }
    }
}
