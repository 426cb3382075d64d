//! The states of one alert.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tachograph::Exemplar;

/// An alert's state, as in Prometheus and Alertmanager.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The condition does not hold.
    #[default]
    Inactive,
    /// The condition holds, but not yet for long enough.
    Pending,
    /// It has held for the rule's `for`.
    Firing,
}

/// One alert of a rule. A rule that covers several series has one for each.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Alert {
    /// The rule's labels, the series' tags, `alertname` and `severity`.
    pub labels: Arc<BTreeMap<String, String>>,
    /// The display key of the series that it is about; `None` if it is about no series, about the
    /// sum of several, or about one that does not exist yet.
    pub series: Option<Arc<str>>,
    /// Its state.
    pub state: State,
    /// When the condition began to hold; 0 while it is inactive. Milliseconds since 1970.
    pub active_since_ms: u64,
    /// When the state last changed; 0 if it never did.
    pub changed_ms: u64,
    /// The last value; `None` without data.
    pub value: Option<f64>,
    /// The value as text, with its unit.
    pub value_text: String,
    /// The threshold as text.
    pub threshold_text: String,
    /// The rule's message with the placeholders filled in when it was last true: with the last value
    /// beyond the threshold. Empty before that.
    pub message: String,
    /// The worst traced sample of the window, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exemplar: Option<Box<Exemplar>>,
    /// Since when the condition has not held, for an alert that is kept firing.
    #[serde(skip)]
    ceased_ms: Option<u64>,
}

/// A change of an alert's state.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The rule's name.
    pub rule: String,
    /// The time of the frame, in milliseconds since 1970.
    pub at_ms: u64,
    /// The previous state.
    pub from: State,
    /// The alert after the change.
    pub alert: Alert,
}

impl Alert {
    pub(crate) fn new(labels: BTreeMap<String, String>) -> Self {
        Self { labels: Arc::new(labels), ..Self::default() }
    }

    /// A message with its placeholders filled in. Whatever they are filled with stays as it is.
    pub(crate) fn filled(&self, message: &str) -> String {
        let (mut text, mut rest) = (String::new(), message);
        while let Some((before, after)) = rest.split_once('{') {
            let (name, next) = after.split_once('}').unwrap_or((after, ""));
            let filling = match name {
                "value" => Some(&self.value_text),
                "threshold" => Some(&self.threshold_text),
                _ => name.strip_prefix("labels.").and_then(|label| self.labels.get(label)),
            };
            text += before;
            text += filling.map_or("{", String::as_str);
            rest = if filling.is_some() { next } else { after };
        }
        text + rest
    }

    /// Advances the state, given whether the condition holds now. Returns the previous state if it
    /// changed.
    pub(crate) fn step(
        &mut self,
        holds: bool,
        now_ms: u64,
        hold: Duration,
        keep_firing: Duration,
    ) -> Option<State> {
        let before = self.state;
        let has_lasted = |since: u64, time: Duration| {
            u128::from(now_ms.saturating_sub(since)) >= time.as_millis()
        };
        if holds {
            self.ceased_ms = None;
            if before == State::Inactive {
                self.active_since_ms = now_ms;
                self.state = State::Pending;
            }
            if self.state == State::Pending && has_lasted(self.active_since_ms, hold) {
                self.state = State::Firing;
            }
        } else if before == State::Pending {
            self.state = State::Inactive;
        } else if before == State::Firing {
            let ceased = *self.ceased_ms.get_or_insert(now_ms);
            if has_lasted(ceased, keep_firing) {
                self.state = State::Inactive;
            }
        }
        if self.state == State::Inactive {
            (self.active_since_ms, self.ceased_ms) = (0, None);
        }
        if self.state == before {
            return None;
        }
        self.changed_ms = now_ms;
        Some(before)
    }
}
