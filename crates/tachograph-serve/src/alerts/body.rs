//! Alert changes in the form that HTTP receivers expect.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use tachograph::Exemplar;
use tachograph_alert::{Alert, State, Transition};

/// The body of a webhook: one change of an alert.
#[derive(Serialize)]
struct Webhook<'a> {
    /// `firing` or `resolved`.
    status: &'static str,
    rule: &'a str,
    labels: &'a BTreeMap<String, String>,
    value: Option<f64>,
    value_text: &'a str,
    threshold_text: &'a str,
    message: &'a str,
    /// Since when the condition of a firing alert has held: seconds since 1970.
    since: Option<f64>,
    /// The time of the change.
    at: f64,
    exemplar: Option<&'a Exemplar>,
    /// A page with more information.
    page: &'a str,
}

/// An alert in the form of Alertmanager's `POST /api/v2/alerts`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Posted<'a> {
    labels: &'a BTreeMap<String, String>,
    annotations: BTreeMap<&'static str, String>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL", skip_serializing_if = "str::is_empty")]
    generator_url: &'a str,
}

/// Alertmanager resolves an alert that it has not heard of for this long: four times the repeat
/// interval.
pub(crate) const ENDS_AFTER: Duration = Duration::from_secs(240);

/// Seconds since 1970; `None` for never.
pub(crate) fn seconds(at_ms: u64) -> Option<f64> {
    (at_ms > 0).then_some(at_ms as f64 / 1e3)
}

pub(crate) fn webhook(change: &Transition, page: &str) -> Vec<u8> {
    let Transition { rule, at_ms, alert, .. } = change;
    let is_firing = alert.state == State::Firing;
    let body = Webhook {
        status: if is_firing { "firing" } else { "resolved" },
        rule,
        labels: &alert.labels,
        value: alert.value,
        value_text: &alert.value_text,
        threshold_text: &alert.threshold_text,
        message: &alert.message,
        since: seconds(alert.active_since_ms),
        at: *at_ms as f64 / 1e3,
        exemplar: alert.exemplar.as_deref(),
        page,
    };
    // Infallible: it is a struct of numbers and strings.
    serde_json::to_vec(&body).unwrap_or_default()
}

/// An alert, with the times when it started and, if so, stopped firing.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) alert: Alert,
    pub(crate) started_ms: u64,
    pub(crate) ended_ms: Option<u64>,
}

pub(crate) fn alertmanager<'a>(
    alerts: impl IntoIterator<Item = &'a Known>,
    now: SystemTime,
    page: &str,
) -> Vec<u8> {
    let time = |ms: u64| {
        let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(ms));
        rfc3339(at.unwrap_or(SystemTime::UNIX_EPOCH))
    };
    let posted: Vec<_> = alerts
        .into_iter()
        .map(|Known { alert, started_ms, ended_ms }| Posted {
            labels: &alert.labels,
            annotations: annotations(alert),
            starts_at: time(*started_ms),
            ends_at: ended_ms.map_or_else(|| rfc3339(now + ENDS_AFTER), time),
            generator_url: page,
        })
        .collect();
    serde_json::to_vec(&posted).unwrap_or_default()
}

fn rfc3339(at: SystemTime) -> String {
    humantime::format_rfc3339_millis(at).to_string()
}

/// The annotations of an alert. Empty ones are left out.
fn annotations(alert: &Alert) -> BTreeMap<&'static str, String> {
    let exemplar = alert.exemplar.as_deref().and_then(|it| serde_json::to_string(it).ok());
    let all = [
        ("summary", alert.message.clone()),
        ("value", alert.value_text.clone()),
        ("threshold", alert.threshold_text.clone()),
        ("exemplar", exemplar.unwrap_or_default()),
    ];
    all.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}
