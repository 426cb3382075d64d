//! What `/alerts` answers.

use std::collections::BTreeMap;

use serde::Deserialize;

/// All rules with their alerts, the sinks, and what changed last.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Alerts {
    /// Every rule.
    pub rules: Vec<AlertRule>,
    /// Where changes are sent.
    pub sinks: Vec<Sink>,
    /// The latest changes, newest first.
    pub changes: Vec<Change>,
}

/// A rule, as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AlertRule {
    /// Its name.
    pub name: String,
    /// Such as `warning`.
    pub severity: String,
    /// Its condition in words.
    pub condition: Option<String>,
    /// Where to read on.
    pub runbook: Option<String>,
    /// Why it cannot be evaluated.
    pub problem: Option<String>,
    /// One for each series that it is about.
    pub alerts: Vec<AlertState>,
}

/// An alert, as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AlertState {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// `inactive`, `pending`, `firing`, `stale`.
    pub state: String,
    /// The value with its unit.
    pub value_text: Option<String>,
    /// The threshold with its unit.
    pub threshold_text: Option<String>,
    /// Since when, in seconds since 1970.
    pub since: Option<f64>,
    /// The rule's message, filled in.
    pub message: Option<String>,
}

/// Where changes are sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sink {
    /// Its name.
    pub name: String,
    /// What arrived.
    pub delivered: u64,
    /// What was refused.
    pub failed: u64,
    /// What was given up.
    pub dropped: u64,
    /// What waits.
    pub waiting: u64,
    /// Why the last delivery failed.
    pub last_error: Option<String>,
}

/// A change of an alert's state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Change {
    /// When, in seconds since 1970.
    pub at: f64,
    /// The rule's name.
    pub rule: String,
    /// The alert's labels.
    pub labels: BTreeMap<String, String>,
    /// The state before.
    pub from: String,
    /// The state after.
    pub to: String,
    /// The value then.
    pub value_text: Option<String>,
}

impl Alerts {
    /// Those in a state, with their rules.
    pub(super) fn in_state<'a>(
        &'a self,
        state: &'a str,
    ) -> impl Iterator<Item = (&'a AlertRule, &'a AlertState)> {
        let all = self.rules.iter().flat_map(|rule| rule.alerts.iter().map(move |it| (rule, it)));
        all.filter(move |(_, alert)| alert.state == state)
    }
}
