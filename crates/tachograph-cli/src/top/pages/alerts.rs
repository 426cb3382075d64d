//! The page of alerts: the rules, the sinks, the latest changes.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use crate::top::draw::lines::{entries, row, write};
use crate::top::draw::text::{age, clock};
use crate::top::model::{Link, Model};
use crate::top::remote::{AlertRule, AlertState, Alerts, Change, Sink};

type Parts = Vec<Span<'static>>;

pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &mut Model) {
    let Some(alerts) = &model.alerts else {
        let text = if model.link == Link::File {
            " a recording holds no alerts; `tachograph check RULES.toml --over FILE` tells when \
             rules would have fired"
        } else {
            " this program has no page /alerts: it evaluates no alert rules"
        };
        return write(buffer, row(area, 0), vec![Span::styled(text, model.theme.quiet())]);
    };
    let mut all = overview(model);
    let title = |text| vec![Vec::new(), vec![Span::styled(text, model.theme.quiet())]];
    if !alerts.sinks.is_empty() {
        all.push(title(" sent to"));
        all.extend(alerts.sinks.iter().map(|it| vec![sink(it, model)]));
    }
    if !alerts.changes.is_empty() {
        all.push(title(" changes, newest first"));
        all.extend(alerts.changes.iter().map(|it| vec![change(it, model)]));
    }
    model.scroll = entries(buffer, area, model.scroll, all);
}

/// One line for each firing alert.
pub(super) fn firing(alerts: &Alerts, model: &Model) -> Vec<Parts> {
    let line = |(rule, alert): (&AlertRule, &AlertState)| {
        let name = format!(" ▲ {} firing {}: ", rule.name, since(alert, model));
        vec![Span::styled(name, model.theme.bad()), Span::raw(told(rule, alert))]
    };
    alerts.in_state("firing").map(line).collect()
}

/// The lines of each alert, firing ones first; then those of rules without alerts.
pub(super) fn overview(model: &Model) -> Vec<Vec<Parts>> {
    let Some(alerts) = &model.alerts else { return Vec::new() };
    if alerts.rules.is_empty() {
        return vec![vec![vec![Span::styled(" there are no rules", model.theme.quiet())]]];
    }
    let mut all: Vec<_> = alerts.listed().map(|(rule, alert)| entry(rule, alert, model)).collect();
    for rule in alerts.rules.iter().filter(|rule| rule.alerts.is_empty()) {
        let text = rule.problem.clone().or_else(|| rule.condition.clone()).unwrap_or_default();
        let name = Span::styled(format!(" · {:<20} ", rule.name), model.theme.strong());
        all.push(vec![vec![name, Span::styled(text, model.theme.quiet())]]);
    }
    all
}

fn entry(rule: &AlertRule, alert: &AlertState, model: &Model) -> Vec<Parts> {
    let theme = model.theme;
    let (mark, style): (_, Style) = match alert.state.as_str() {
        "firing" => ("▲", theme.bad()),
        "pending" => ("▲", theme.warning()),
        "stale" => ("?", theme.warning()),
        _ => ("●", theme.good()),
    };
    let labels: Vec<_> = own_labels(alert).collect();
    let mut name = rule.name.clone();
    if !labels.is_empty() {
        name += &format!("[{}]", labels.join(","));
    }
    let state = match alert.state.as_str() {
        "inactive" => "ok".to_owned(),
        state => format!("{state} {}", since(alert, model)),
    };
    // A dash stands for none: a heartbeat has neither, a series without samples has no value.
    let is_told = |it: &&String| *it != "–";
    let value = alert.value_text.clone().filter(|it| is_told(&it));
    let limit = alert.threshold_text.as_ref().filter(is_told);
    let value = value.or_else(|| limit.map(|_| "no value".to_owned())).unwrap_or_default();
    let limit = limit.map(|it| format!(", limit {it}")).unwrap_or_default();
    let first = vec![
        Span::styled(format!(" {mark} {name:<20} {state:<14} "), style),
        Span::styled(value, theme.strong()),
        Span::raw(limit),
        Span::styled(format!("  {}", rule.severity), theme.quiet()),
    ];
    let told = rule.problem.clone().unwrap_or_else(|| match alert.state.as_str() {
        "inactive" => rule.condition.clone().unwrap_or_default(),
        _ => told(rule, alert),
    });
    let mut parts = vec![first];
    if !told.is_empty() {
        parts.push(vec![Span::styled(format!("   {told}"), theme.quiet())]);
    }
    let runbook = rule.runbook.iter().filter(|it| !it.is_empty() && alert.state == "firing");
    parts.extend(runbook.map(|it| vec![Span::styled(format!("   runbook: {it}"), theme.quiet())]));
    parts
}

fn own(labels: &BTreeMap<String, String>) -> impl Iterator<Item = String> + '_ {
    let own = labels.iter().filter(|(key, _)| *key != "alertname" && *key != "severity");
    own.map(|(key, value)| format!("{key}={value}"))
}

/// The labels that distinguish the alerts of one rule.
fn own_labels(alert: &AlertState) -> impl Iterator<Item = String> + '_ {
    own(&alert.labels)
}

fn told(rule: &AlertRule, alert: &AlertState) -> String {
    let message = alert.message.clone().filter(|it| !it.is_empty());
    message.or_else(|| rule.condition.clone()).unwrap_or_default()
}

fn since(alert: &AlertState, model: &Model) -> String {
    alert.since.map_or_else(String::new, |at| age(model.now_ms.saturating_sub((at * 1e3) as u64)))
}

fn sink(sink: &Sink, model: &Model) -> Parts {
    let counts = format!(
        "{} delivered, {} failed, {} dropped, {} waiting",
        sink.delivered, sink.failed, sink.dropped, sink.waiting
    );
    let is_well = sink.dropped == 0 && sink.last_error.is_none();
    let style = if is_well { Style::new() } else { model.theme.warning() };
    let error = sink.last_error.as_ref().map(|it| format!("  {it}")).unwrap_or_default();
    vec![
        Span::raw(format!("   {:<18} ", sink.name)),
        Span::styled(counts, style),
        Span::styled(error, model.theme.quiet()),
    ]
}

fn change(change: &Change, model: &Model) -> Parts {
    let style = match change.to.as_str() {
        "firing" => model.theme.bad(),
        "pending" => model.theme.warning(),
        _ => model.theme.good(),
    };
    let labels: Vec<_> = own(&change.labels).collect();
    vec![
        Span::styled(format!("   {}  ", clock((change.at * 1e3) as u64)), model.theme.quiet()),
        Span::raw(format!("{:<20} {} → ", change.rule, change.from)),
        Span::styled(change.to.clone(), style),
        Span::raw(format!("  {}", change.value_text.clone().unwrap_or_default())),
        Span::styled(format!("  {}", labels.join(",")), model.theme.quiet()),
    ]
}
