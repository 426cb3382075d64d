//! Alert rules as a rule file of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use tachograph::{Kind, Unit};
use tachograph_alert::{
    Comparison, Condition, Dimension, Op, Quantity, Rule, Selector, Statistic, TagMatch,
};
use tachograph_export::prometheus::family_name;
use tachograph_history::Definition;

/// The known metrics, by name.
pub(super) struct Names<'a> {
    known: BTreeMap<&'a str, &'a Definition>,
    definitions: &'a [Definition],
}

impl<'a> Names<'a> {
    pub(super) fn new(definitions: &'a [Definition]) -> Self {
        let known = definitions.iter().map(|it| (&*it.name, it)).collect();
        Self { known, definitions }
    }
}

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
        let _ = writeln!(text, "  # {note}");
    }
    let _ = writeln!(text, "  - alert: {}\n    expr: {}", quoted(&rule.name), quoted(&expr));
    for (key, time) in [("for", rule.hold), ("keep_firing_for", rule.keep_firing)] {
        if !time.is_zero() {
            let _ = writeln!(text, "    {key}: {}", span(time));
        }
    }
    let _ = writeln!(text, "    labels:\n      severity: {}", quoted(&rule.severity));
    for (key, value) in rule.labels.iter().filter(|(key, _)| *key != "severity") {
        let _ = writeln!(text, "      {}: {}", label(key), quoted(value));
    }
    let notes = [("description", message(rule)), ("runbook_url", rule.runbook.clone())];
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
                let (name, ..) = self.family(metric, Kind::Counter, &Unit::None);
                format!("absent({name})")
            }
            Condition::Stale { selector: None, last } => {
                self.note("failed scrapes also count as missing frames");
                format!("absent_over_time(telemetry_passes_total[{}])", span(*last))
            }
            Condition::Stale { selector: Some(selector), last } => {
                let (name, kind, _) = self.family(&selector.metric, Kind::Counter, &Unit::None);
                let range = format!("{name}{}[{}]", self.matchers(selector), span(*last));
                let by = by(selector);
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
        let (name, kind, unit) = self.family(&selector.metric, kind, &unit);
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
        let by = by(selector);
        let matchers = self.matchers(selector);
        let function = if *statistic == Statistic::Rate { "rate" } else { "increase" };
        let of = |name: &str| match last {
            Some(last) => format!("sum{by}({function}({name}{matchers}[{}]))", span(*last)),
            None => format!("sum{by}({name}{matchers})"),
        };
        match last {
            Some(_) => self.note(&format!("`{function}` extrapolates to the ends of the window")),
            None => {
                self.note("counts from the start of the program, not from the start of the rules")
            }
        }
        let first = of(name);
        let nothing = if by.is_empty() { "vector(0)".to_owned() } else { format!("0 * {first}") };
        let mut others = |names: &[String], sign: &str| {
            let mut text = String::new();
            for name in names {
                let (name, ..) = self.family(name, Kind::Counter, &Unit::None);
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
            return format!("sum{}({series})", by(&comparison.selector));
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
        let (matchers, by) = (self.matchers(&comparison.selector), by(&comparison.selector));
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

    /// A metric's name in Prometheus, its kind and its unit. For an unknown metric, `kind` and `unit`
    /// are used.
    fn family(&mut self, metric: &str, kind: Kind, unit: &Unit) -> (String, Kind, Unit) {
        let known = self.names.known.get(metric);
        let (kind, unit) = match known {
            Some(definition) => (definition.kind, definition.unit.clone()),
            None => (kind, unit.clone()),
        };
        let exported = known.map(|it| it.exported_name.clone()).filter(|it| !it.is_empty());
        let name = exported.unwrap_or_else(|| family_name(metric, kind, &unit));
        if known.is_none() {
            self.note(&format!(
                "`{metric}` is assumed to be a {} with the name `{name}`; --of URL looks it up",
                kind.name()
            ));
        }
        (name, kind, unit)
    }

    fn matchers(&self, selector: &Selector) -> String {
        let of_metric = self.names.definitions.iter().filter(|it| *it.name == selector.metric);
        let has_untagged = of_metric.clone().any(|it| it.tags.is_empty());
        // If the metric has an untagged series, a rule without tags is about that series alone.
        let others: Vec<_> = of_metric.flat_map(|it| it.tags.keys()).collect();
        let empty = others.iter().filter(|_| has_untagged && selector.tags.is_empty());
        let mut parts: Vec<_> = empty.map(|key| format!("{}=\"\"", label(key))).collect();
        parts.extend(selector.tags.iter().map(|(key, wanted)| match wanted {
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

/// The `by` clause with the labels that a rule distinguishes.
fn by(selector: &Selector) -> String {
    let keys: Vec<_> = selector.tags.keys().map(|key| label(key)).collect();
    if keys.is_empty() { String::new() } else { format!(" by ({}) ", keys.join(", ")) }
}

fn sign(op: Op) -> &'static str {
    Op::NAMES.iter().find(|(_, it)| *it == op).map_or(">", |(name, _)| name)
}

fn message(rule: &Rule) -> String {
    let mut text = rule.message.replace("{value}", "{{ $value }}");
    if let Condition::Compare(comparison) = &rule.condition {
        text = text.replace("{threshold}", &comparison.threshold.value.to_string());
    }
    while let Some((before, rest)) = text.split_once("{labels.") {
        let Some((name, after)) = rest.split_once('}') else { break };
        text = format!("{before}{{{{ $labels.{} }}}}{after}", label(name));
    }
    text
}

/// A tag's key as a Prometheus label.
fn label(key: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
    key.chars().map(allowed).collect()
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
