//! `tachograph check --over`: when rules would have fired, by a recording.

use std::collections::BTreeMap;
use std::path::Path;

use tachograph::Unit;
use tachograph_alert::{Alert, Condition, Engine, Rule, State, Transition};
use tachograph_history::{Frame, format};

use super::trial::evaluate;
use crate::failure::Failure;
use crate::joined::Recording;
use crate::output::{self, clock, printable};

/// Prints each change of an alert in the recording, then how often each rule fired. Returns whether
/// any did, heartbeats apart.
pub(super) fn run(rules: &[Rule], file: &Path) -> Result<bool, Failure> {
    let mut recording = Recording::open(file)?;
    let mut course = Course::default();
    let trial = evaluate(rules, &mut recording, |recording, frame, changes| {
        course.pass(frame);
        let lines: String = changes.iter().map(|change| course.note(change)).collect();
        if lines.is_empty() {
            return Ok(());
        }
        recording.clear_progress();
        output::print(&lines)
    })?;
    output::note(file, &recording.notes());
    output::print(&course.summary(file))?;
    if let Some(trial) = trial {
        output::print(&course.outcomes(&trial.engine))?;
    }
    let has_fired = |rule: &Rule| course.fired.contains_key(&rule.name);
    Ok(rules.iter().any(|rule| rule.condition != Condition::Heartbeat && has_fired(rule)))
}

/// What has happened in a recording so far.
#[derive(Debug, Default)]
pub(super) struct Course {
    frames: u64,
    first_ms: Option<u64>,
    last_ms: u64,
    /// By the names of the rules that fired.
    fired: BTreeMap<String, Fired>,
}

/// How often a rule fired.
#[derive(Debug, Default)]
struct Fired {
    times: u64,
    total_ms: u64,
    /// Since when each of its alerts has been firing.
    since_ms: BTreeMap<String, u64>,
}

impl Course {
    /// Notes a frame.
    pub(super) fn pass(&mut self, frame: &Frame) {
        self.frames += 1;
        self.last_ms = frame.end_ms;
        self.first_ms.get_or_insert(frame.end_ms.saturating_sub(frame.span_ms));
    }

    /// Notes a change; returns its line.
    pub(super) fn note(&mut self, change: &Transition) -> String {
        let Transition { rule, at_ms, from, alert } = change;
        let key = key(rule, alert);
        let (state, told) = match (from, alert.state) {
            (_, State::Pending) => ("pending", against(alert)),
            (_, State::Firing) => {
                let fired = self.fired.entry(rule.clone()).or_default();
                fired.times += 1;
                fired.since_ms.insert(key.clone(), *at_ms);
                let told = Some(alert.message.clone()).filter(|it| !it.is_empty());
                ("firing", told.unwrap_or_else(|| against(alert)))
            }
            (State::Firing, State::Inactive) => {
                let fired = self.fired.entry(rule.clone()).or_default();
                let since = fired.since_ms.remove(&key).unwrap_or(*at_ms);
                fired.total_ms = fired.total_ms.saturating_add(at_ms.saturating_sub(since));
                ("resolved", format!("after {}", span(at_ms.saturating_sub(since))))
            }
            (_, State::Inactive) => ("inactive", "did not last long enough to fire".to_owned()),
        };
        format!("{}  {state:<8}  {}\n", clock(*at_ms), printable(&format!("{key}: {told}")))
    }

    fn summary(&self, file: &Path) -> String {
        let (file, frames) = (printable(&file.display().to_string()), self.frames);
        let Some(first_ms) = self.first_ms else { return format!("{file}: no frames\n") };
        let length = span(self.last_ms.saturating_sub(first_ms));
        format!("{file}: {frames} frames, {length} from {}\n", clock(first_ms))
    }

    /// A line for each rule.
    pub(super) fn outcomes(&self, engine: &Engine) -> String {
        let one = |name: &str| {
            let Some(fired) = self.fired.get(name) else { return "did not fire".to_owned() };
            let running = fired.since_ms.values().map(|since| self.last_ms.saturating_sub(*since));
            let total = span(running.fold(fired.total_ms, u64::saturating_add));
            let times = match fired.times {
                1 => "once".to_owned(),
                times => format!("{times} times"),
            };
            let end = if fired.since_ms.is_empty() { "" } else { ", and fires at the end" };
            format!("fired {times}, for {total} in all{end}")
        };
        let outcomes = engine.statuses().map(|status| match status.problem {
            Some(problem) => format!("{}: cannot be evaluated: {problem}", status.name),
            None => format!("{}: {}", status.name, one(status.name)),
        });
        outcomes.map(|outcome| printable(&outcome) + "\n").collect()
    }
}

/// An alert as `Rule` or `Rule[tag=value]`.
fn key(rule: &str, alert: &Alert) -> String {
    let is_own = |(key, _): &(&String, &String)| !["alertname", "severity"].contains(&key.as_str());
    let labels = alert.labels.iter().filter(is_own).map(|(key, value)| format!("{key}={value}"));
    let labels = labels.collect::<Vec<_>>().join(",");
    if labels.is_empty() { rule.to_owned() } else { format!("{rule}[{labels}]") }
}

fn against(alert: &Alert) -> String {
    match (&*alert.value_text, &*alert.threshold_text) {
        ("–", _) => "its condition holds".to_owned(),
        (value, "–") => value.to_owned(),
        (value, threshold) => format!("{value}, the limit is {threshold}"),
    }
}

fn span(ms: u64) -> String {
    format(ms as f64 / 1e3, &Unit::Seconds)
}
