//! Alert rules as a rule file of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use tachograph::{Kind, Unit};
use tachograph_alert::{
    Comparison, Condition, Dimension, Op, Quantity, Rule, Selector, Statistic, TagMatch,
};
use tachograph_export::prometheus::label_name;

use super::names::{Family, Names};
use crate::output::printable;

/// The windows of rules without `last`: PromQL cannot count since the start of the rules. A rate is
/// of the usual time; an increase of the longest that a rule may have.
const RATE: Duration = Duration::from_secs(300);
const INCREASE: Duration = Duration::from_secs(86_400);

const SINCE_START: &str = "counts from the start of the program, not from the start of the rules";

/// The metric of a condition, if it has one.
pub(super) fn metric(condition: &Condition) -> Option<&str> {
    match condition {
        Condition::Compare(comparison) => Some(&comparison.selector.metric),
        Condition::Absent { metric } => Some(metric),
        Condition::Stale { selector, .. } => selector.as_ref().map(|it| it.metric.as_str()),
        Condition::Heartbeat => None,
    }
}

/// The whole file. Comments above each rule say where PromQL gives different results.
pub(super) fn file(rules: &[Rule], names: &Names<'_>) -> String {
    let mut text = String::from(
        "# Quantiles need native histograms (Prometheus: --enable-feature=native-histograms).\n\
         # Each time window should cover at least four scrapes.\n\
         groups:\n- name: tachograph\n  rules:\n",
    );
    for rule in rules.iter().filter(|rule| rule.enabled) {
        text += &one(rule, names);
    }
    text
}

fn one(rule: &Rule, names: &Names<'_>) -> String {
    let mut writer = Promql { names, notes: Vec::new() };
    let expr = writer.condition(&rule.condition);
    let mut text = String::new();
    for note in &writer.notes {
        // Infallible, here and below: it writes to a string.
        let _ = writeln!(text, "  # {}", printable(note));
    }
    let _ = writeln!(text, "  - alert: {}\n    expr: {}", quoted(&rule.name), quoted(&expr));
    for (key, time) in [("for", rule.hold), ("keep_firing_for", rule.keep_firing)] {
        if !time.is_zero() {
            let _ = writeln!(text, "    {key}: {}", span(time));
        }
    }
    text += "    labels:\n";
    // The rule's own severity wins over a label of that name.
    let labels = rule.labels.iter().map(|(key, value)| (label_name(key), value));
    let labels: BTreeMap<_, _> = labels.chain([("severity".to_owned(), &rule.severity)]).collect();
    for (key, value) in labels {
        let _ = writeln!(text, "      {key}: {}", quoted(&verbatim(value)));
    }
    let notes = [("description", message(rule, names)), ("runbook_url", verbatim(&rule.runbook))];
    let mut notes = notes.iter().filter(|(_, text)| !text.is_empty()).peekable();
    if notes.peek().is_some() {
        text += "    annotations:\n";
    }
    for (key, value) in notes {
        let _ = writeln!(text, "      {key}: {}", quoted(value));
    }
    text
}

struct Promql<'a> {
    names: &'a Names<'a>,
    notes: Vec<String>,
}

impl Promql<'_> {
    fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Heartbeat => "vector(1)".to_owned(),
            Condition::Absent { metric } => {
                let Family { name, .. } = self.family(metric, Kind::Counter, &Unit::None);
                format!("absent({name})")
            }
            Condition::Stale { selector: None, last } => {
                self.note("failed scrapes also count as missing frames");
                let Family { name, .. } =
                    self.names.family("telemetry.passes", Kind::Counter, &Unit::None);
                format!("absent_over_time({name}[{}])", span(*last))
            }
            Condition::Stale { selector: Some(selector), last } => {
                let Family { name, kind, .. } =
                    self.family(&selector.metric, Kind::Counter, &Unit::None);
                let range = format!("{name}{}[{}]", self.matchers(selector), span(*last));
                let by = self.by(selector);
                match kind {
                    Kind::Gauge => format!("sum{by}(changes({range})) == 0"),
                    Kind::Timing | Kind::Histogram => {
                        format!("histogram_count(sum{by}(increase({range}))) == 0")
                    }
                    _ => format!("sum{by}(increase({range})) == 0"),
                }
            }
            Condition::Compare(comparison) => self.comparison(comparison),
        }
    }

    fn comparison(&mut self, comparison: &Comparison) -> String {
        let Comparison { selector, statistic, op, threshold, .. } = comparison;
        let (kind, unit) = guess(*statistic, *threshold);
        let Family { name, kind, unit, .. } = self.family(&selector.metric, kind, &unit);
        let value = match kind {
            Kind::Counter | Kind::UpDownCounter => self.counted(comparison, &name),
            Kind::Gauge => self.gauge(comparison, &name),
            Kind::Timing | Kind::Histogram => self.distribution(comparison, &name),
        };
        let unit = if *statistic == Statistic::Ratio { Unit::Ratio } else { unit };
        let threshold = threshold.in_unit(&unit).unwrap_or(threshold.value);
        if let Some(until) = comparison.until {
            let until = until.in_unit(&unit).unwrap_or(until.value);
            self.note(&format!("PromQL has no hysteresis: `until` ({until}) is left out"));
        }
        format!("{value} {} {threshold}", sign(*op))
    }

    fn counted(&mut self, comparison: &Comparison, name: &str) -> String {
        let Comparison { selector, statistic, minus, over, last, .. } = comparison;
        let by = self.by(selector);
        let matchers = self.matchers(selector);
        let function = if *statistic == Statistic::Rate { "rate" } else { "increase" };
        let range = match statistic {
            Statistic::Rate => Some(last.unwrap_or(RATE)),
            Statistic::Increase => Some(last.unwrap_or(INCREASE)),
            _ => *last,
        };
        let of = |name: &str| match range {
            Some(range) => format!("sum{by}({function}({name}{matchers}[{}]))", span(range)),
            None => format!("sum{by}({name}{matchers})"),
        };
        if let Some(range) = range.filter(|_| last.is_none()) {
            self.note(&format!(
                "the rule has no `last` and counts since its engine started; here it is the last {}",
                span(range)
            ));
        }
        match range {
            Some(_) => self.note(&format!("`{function}` extrapolates to the ends of the window")),
            None => self.note(SINCE_START),
        }
        let first = of(name);
        let nothing = if by.is_empty() { "vector(0)".to_owned() } else { format!("0 * {first}") };
        let mut others = |names: &[String], sign: &str| {
            let mut text = String::new();
            for name in names {
                let Family { name, .. } = self.family(name, Kind::Counter, &Unit::None);
                text += &format!("{sign}({} or {nothing})", of(&name));
            }
            text
        };
        let value = match others(minus, " - ") {
            minus if minus.is_empty() => first.clone(),
            minus => format!("({first}{minus})"),
        };
        if *statistic != Statistic::Ratio {
            return value;
        }
        let all = others(over, " + ");
        self.note("without counts the ratio is NaN, and the alert does not fire");
        format!("{value} / ({})", all.trim_start_matches(" + "))
    }

    fn gauge(&mut self, comparison: &Comparison, name: &str) -> String {
        let series = format!("{name}{}", self.matchers(&comparison.selector));
        let Some(last) = comparison.last else {
            return format!("sum{}({series})", self.by(&comparison.selector));
        };
        let function = match comparison.statistic {
            Statistic::Mean => "avg_over_time",
            Statistic::Max => "max_over_time",
            Statistic::Min => "min_over_time",
            Statistic::Count => "count_over_time",
            _ => "last_over_time",
        };
        self.note("computed from the scraped values only, not from every value that was set");
        format!("{function}({series}[{}])", span(last))
    }

    fn distribution(&mut self, comparison: &Comparison, name: &str) -> String {
        let (matchers, by) = (self.matchers(&comparison.selector), self.by(&comparison.selector));
        if comparison.last.is_none() {
            self.note(SINCE_START);
        }
        let sum = |function: &str| match comparison.last {
            Some(last) => format!("sum{by}({function}({name}{matchers}[{}]))", span(last)),
            None => format!("sum{by}({name}{matchers})"),
        };
        match comparison.statistic {
            Statistic::Quantile(q) => format!("histogram_quantile({q}, {})", sum("rate")),
            Statistic::Mean => {
                let sum = sum("rate");
                format!("histogram_sum({sum}) / histogram_count({sum})")
            }
            Statistic::Count => format!("histogram_count({})", sum("increase")),
            Statistic::Min => {
                self.note("gives the lower edge of the minimum's bucket, not the exact minimum");
                format!("histogram_quantile(0, {})", sum("rate"))
            }
            _ => {
                self.note("gives the upper edge of the maximum's bucket, not the exact maximum");
                format!("histogram_quantile(1, {})", sum("rate"))
            }
        }
    }

    /// A metric; for an unknown one, `kind` and `unit` are assumed.
    fn family(&mut self, metric: &str, kind: Kind, unit: &Unit) -> Family {
        let family = self.names.family(metric, kind, unit);
        if !family.is_known {
            self.note(&format!(
                "`{metric}` is assumed to be a {} with the name `{}`; --of URL looks it up",
                kind.name(),
                family.name
            ));
        }
        family
    }

    /// The `by` clause with the labels that a rule distinguishes.
    fn by(&self, selector: &Selector) -> String {
        let label = |key: &String| self.names.label(&selector.metric, key);
        let labels: Vec<_> = selector.tags.keys().map(label).collect();
        if labels.is_empty() { String::new() } else { format!(" by ({}) ", labels.join(", ")) }
    }

    fn matchers(&self, selector: &Selector) -> String {
        let Selector { metric, tags } = selector;
        let series = self.names.series(metric);
        let label = |key: &str| self.names.label(metric, key);
        // A rule is about series with just its tags; without tags, about the untagged series if
        // there is one.
        let is_exact = !tags.is_empty() || series.iter().any(|it| it.tags.is_empty());
        let others = series.iter().flat_map(|it| it.tags.iter().map(|(key, _)| key));
        let others = others.filter(|key| is_exact && !tags.contains_key(*key));
        let mut parts: Vec<_> = others.map(|key| format!("{}=\"\"", label(key))).collect();
        parts.extend(tags.iter().map(|(key, wanted)| match wanted {
            TagMatch::Each => format!("{}!=\"\"", label(key)),
            TagMatch::OneOf(values) if values.len() == 1 => {
                format!("{}={}", label(key), quoted(&values[0]))
            }
            TagMatch::OneOf(values) => {
                let values: Vec<_> = values.iter().map(|value| literal(value)).collect();
                format!("{}=~{}", label(key), quoted(&values.join("|")))
            }
        }));
        parts.sort();
        parts.dedup();
        if parts.is_empty() { String::new() } else { format!("{{{}}}", parts.join(",")) }
    }

    fn note(&mut self, note: &str) {
        if !self.notes.iter().any(|known| known == note) {
            self.notes.push(note.to_owned());
        }
    }
}

/// The probable kind and unit of an unknown metric, from a rule about it.
fn guess(statistic: Statistic, threshold: Quantity) -> (Kind, Unit) {
    let unit = match threshold.dimension {
        Dimension::Time => Unit::Seconds,
        Dimension::Bytes => Unit::Bytes,
        Dimension::Share => Unit::Ratio,
        Dimension::Number => Unit::None,
    };
    match statistic {
        Statistic::Increase | Statistic::Rate => (Kind::Counter, unit),
        Statistic::Ratio => (Kind::Counter, Unit::None),
        Statistic::Current => (Kind::Gauge, unit),
        Statistic::Count => (Kind::Timing, Unit::Seconds),
        _ if unit == Unit::Seconds => (Kind::Timing, unit),
        Statistic::Quantile(_) => (Kind::Histogram, unit),
        _ => (Kind::Gauge, unit),
    }
}

fn sign(op: Op) -> &'static str {
    Op::NAMES.iter().find(|(_, it)| *it == op).map_or(">", |(name, _)| name)
}

/// The rule's message as a template: PromQL's result has only the series' labels, so the rule's own
/// are filled in here.
fn message(rule: &Rule, names: &Names<'_>) -> String {
    let (selector, value, threshold) = match &rule.condition {
        Condition::Compare(it) => {
            let (kind, unit) = guess(it.statistic, it.threshold);
            let family = names.family(&it.selector.metric, kind, &unit);
            let unit = it.statistic.unit(&family.unit);
            (Some(&it.selector), template(&unit), it.threshold.to_string())
        }
        Condition::Stale { selector, last } => {
            let last = tachograph_history::format(last.as_secs_f64(), &Unit::Seconds);
            (selector.as_ref(), "{{ $value }}".to_owned(), last)
        }
        Condition::Absent { .. } | Condition::Heartbeat => {
            (None, "{{ $value }}".to_owned(), "–".to_owned())
        }
    };
    let fill = |placeholder: &str| match placeholder.strip_prefix("labels.") {
        None if placeholder == "value" => value.clone(),
        None => threshold.clone(),
        Some("alertname") => verbatim(&rule.name),
        Some("severity") => verbatim(&rule.severity),
        Some(key) => {
            match (selector.filter(|it| it.tags.contains_key(key)), rule.labels.get(key)) {
                (None, Some(value)) => verbatim(value),
                (None, None) => String::new(),
                (Some(selector), _) => {
                    format!("{{{{ $labels.{} }}}}", names.label(&selector.metric, key))
                }
            }
        }
    };
    let mut parts = rule.message.split('{');
    let before = parts.next().unwrap_or_default().to_owned();
    parts.fold(before, |text, part| match part.split_once('}') {
        Some((placeholder, after)) => text + &fill(placeholder) + after,
        None => text + part,
    })
}

/// A value in its unit, as the engine writes it.
fn template(unit: &Unit) -> String {
    match unit {
        Unit::Seconds => "{{ $value | humanizeDuration }}".to_owned(),
        Unit::Bytes => "{{ $value | humanize1024 }}B".to_owned(),
        Unit::Ratio => "{{ $value | humanizePercentage }}".to_owned(),
        Unit::None => "{{ $value }}".to_owned(),
        Unit::Percent => "{{ $value }} %".to_owned(),
        Unit::Other(name) => format!("{{{{ $value }}}} {}", verbatim(name)),
    }
}

/// A text that a template leaves as it is.
fn verbatim(text: &str) -> String {
    text.replace("{{", "{{ \"{{\" }}")
}

/// Escapes a text for a regular expression.
fn literal(text: &str) -> String {
    let special = |c: char| "\\.+*?()|[]{}^$".contains(c);
    let escaped = text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c]));
    escaped.collect()
}

/// A text as a double-quoted YAML string, which has the same form in JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A duration in Prometheus's notation.
fn span(time: Duration) -> String {
    let ms = time.as_millis();
    if ms.is_multiple_of(1_000) { format!("{}s", ms / 1_000) } else { format!("{ms}ms") }
}
