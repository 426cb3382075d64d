//! Rule files in TOML.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use serde::Deserialize;
use tachograph_history::Definition;
use toml::Spanned;

use crate::quantity::Quantity;
use crate::rule::{Comparison, Condition, Op, Rule, Selector, Statistic, TagMatch};

/// An error in a rule file: its position, the reason, and how to fix it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The reason and how to fix it.
    pub message: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for RuleError {}

/// Everything that is wrong with a rule file: at least one [`RuleError`]. As text, a line for each:
/// `LINE:COLUMN: MESSAGE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRules(Vec<RuleError>);

impl InvalidRules {
    /// The errors, in the order of the file.
    pub fn errors(&self) -> &[RuleError] {
        &self.0
    }
}

impl fmt::Display for InvalidRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, error) in self.0.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { "\n" })?;
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for InvalidRules {}

/// Parses a rule file.
///
/// # Errors
/// Everything that is wrong with the file; of text that is no TOML, keys that do not exist and values
/// of a wrong type, the first.
pub fn parse(text: &str) -> Result<Vec<Rule>, InvalidRules> {
    check(text, &[])
}

/// Parses a rule file and checks it against a program's series: it is also an error if a metric's
/// kind does not have the statistic, or if a threshold does not fit the metric's unit.
///
/// # Errors
/// Everything that is wrong with the file; of text that is no TOML, keys that do not exist and values
/// of a wrong type, the first.
pub fn check(text: &str, definitions: &[Definition]) -> Result<Vec<Rule>, InvalidRules> {
    let mut errors = Errors { text, found: Vec::new() };
    let file: File = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            let span = error.span().unwrap_or_default();
            errors.add(span, error.message().to_owned());
            return Err(InvalidRules(errors.found));
        }
    };
    let mut rules: Vec<Rule> = Vec::new();
    for raw in file.rule {
        let name = raw.name.clone();
        let comparison_at = raw.statistic.span();
        let Some(rule) = raw.rule(&mut errors) else { continue };
        if rules.iter().any(|other| other.name == rule.name) {
            errors.add(name.span(), format!("two rules are called `{}`", rule.name));
        }
        if let Condition::Compare(comparison) = &rule.condition {
            let misfit = |definition: &Definition| {
                let mut metrics = rule.condition.metrics().enumerate();
                let (place, _) = metrics.find(|(_, metric)| **metric == *definition.name)?;
                comparison.problem(place, definition)
            };
            if let Some(problem) = definitions.iter().find_map(misfit) {
                errors.add(comparison_at, problem);
            }
        }
        rules.push(rule);
    }
    errors.found.sort_by_key(|error| (error.line, error.column));
    if errors.found.is_empty() { Ok(rules) } else { Err(InvalidRules(errors.found)) }
}

struct Errors<'a> {
    text: &'a str,
    found: Vec<RuleError>,
}

impl Errors<'_> {
    fn add(&mut self, at: Range<usize>, message: String) {
        let before = self.text.get(..at.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        self.found.push(RuleError { line, column, message });
    }

    /// The value of a field, or `None` and an error if it cannot be read.
    fn read<T>(
        &mut self,
        of: &Spanned<String>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        match read(of.get_ref()) {
            Ok(value) => Some(value),
            Err(message) => {
                self.add(of.span(), message);
                None
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    name: Spanned<String>,
    #[serde(default = "on")]
    enabled: bool,
    metric: Option<Spanned<String>>,
    #[serde(default)]
    tags: BTreeMap<String, Spanned<RawMatch>>,
    statistic: Spanned<String>,
    #[serde(default)]
    minus: Vec<Spanned<String>>,
    #[serde(default)]
    over: Vec<Spanned<String>>,
    last: Option<Spanned<String>>,
    op: Option<Spanned<String>>,
    threshold: Option<Spanned<RawQuantity>>,
    until: Option<Spanned<RawQuantity>>,
    #[serde(rename = "for")]
    hold: Option<Spanned<String>>,
    keep_firing_for: Option<Spanned<String>>,
    severity: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, Spanned<String>>,
    message: Option<Spanned<String>>,
    #[serde(default)]
    runbook: String,
}

fn on() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "not a tag's value: write \"a\", or [\"a\", \"b\"], or \"*\" for any"
)]
enum RawMatch {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "not an amount: write a number, with a unit if it has one: \"100ms\", \"1%\", \"5MiB\""
)]
enum RawQuantity {
    Number(f64),
    Text(String),
}

/// The shortest and the longest window.
const LAST_MIN: Duration = Duration::from_secs(1);
const LAST_MAX: Duration = Duration::from_secs(86_400);

impl RawRule {
    /// The rule, or `None` and errors if it is invalid.
    fn rule(self, errors: &mut Errors<'_>) -> Option<Rule> {
        let found = errors.found.len();
        let at = self.statistic.span();
        let hold = self.hold.as_ref().map(|it| errors.read(it, duration));
        let keep_firing = self.keep_firing_for.as_ref().map(|it| errors.read(it, duration));
        let last = self.last.as_ref().map(|it| errors.read(it, window));
        if let Some(message) = &self.message {
            errors.read(message, |text| placeholders(text, &self.labels, &self.tags));
        }
        self.check_names(errors);
        let mut rule = Rule::new(self.name.get_ref().clone(), Condition::Heartbeat);
        rule.hold = hold.flatten().unwrap_or_default();
        rule.keep_firing = keep_firing.flatten().unwrap_or_default();
        rule.severity = self.severity.clone().unwrap_or(rule.severity);
        rule.message = self.message.clone().map(Spanned::into_inner).unwrap_or_default();
        rule.enabled = self.enabled;
        let labels =
            self.labels.iter().map(|(name, value)| (name.clone(), value.get_ref().clone()));
        let (labels, runbook) = (labels.collect(), self.runbook.clone());
        let condition = self.condition(last.flatten(), at, errors);
        if errors.found.len() > found {
            return None;
        }
        Some(Rule { condition: condition?, labels, runbook, ..rule })
    }

    /// Refuses what would make a rule that never fires, or an alert that no receiver takes.
    fn check_names(&self, errors: &mut Errors<'_>) {
        let name = [("a rule needs a name: alerts are told by it", &self.name)];
        let metrics = self.metric.iter().chain(&self.minus).chain(&self.over);
        let metrics = metrics.map(|it| ("this is the name of no metric", it));
        for (problem, name) in name.into_iter().chain(metrics) {
            if name.get_ref().trim().is_empty() {
                errors.add(
                    name.span(),
                    format!("{problem}; write one instead of `{}`", name.get_ref()),
                );
            }
        }
        if let Some(value) = self.labels.get("") {
            errors.add(value.span(), "a label needs a name".to_owned());
        }
        let is_empty = |values: &RawMatch| match values {
            RawMatch::One(value) => value.is_empty(),
            RawMatch::Many(values) => values.is_empty() || values.iter().any(String::is_empty),
        };
        for values in self.tags.values().filter(|values| is_empty(values.get_ref())) {
            let way = "no series has a tag with an empty value: write \"*\" for any value, or leave \
                       the tag out";
            errors.add(values.span(), way.to_owned());
        }
    }

    fn condition(
        self,
        last: Option<Duration>,
        at: Range<usize>,
        errors: &mut Errors<'_>,
    ) -> Option<Condition> {
        let selector = self.metric.clone().map(|metric| Selector {
            metric: metric.into_inner(),
            tags: self
                .tags
                .into_iter()
                .map(|(key, value)| (key, value.into_inner().into()))
                .collect(),
        });
        let mut need = |what: &str| {
            errors.add(at.clone(), format!("this rule needs `{what}`"));
        };
        match self.statistic.get_ref().as_str() {
            "heartbeat" => return Some(Condition::Heartbeat),
            "absent" => {
                let Some(selector) = selector else {
                    need("metric");
                    return None;
                };
                return Some(Condition::Absent { metric: selector.metric });
            }
            "stale" => {
                let Some(last) = last else {
                    need("last");
                    return None;
                };
                return Some(Condition::Stale { selector, last });
            }
            _ => {}
        }
        let Some(selector) = selector else {
            need("metric");
            return None;
        };
        let (Some(op), Some(threshold)) = (self.op, self.threshold) else {
            need("op` and `threshold");
            return None;
        };
        let statistic = errors.read(&self.statistic, statistic);
        if statistic == Some(Statistic::Ratio) && self.over.is_empty() {
            errors.add(
                at.clone(),
                "a ratio needs `over`: the counters that make up the whole".into(),
            );
        } else if statistic.is_some_and(|it| it != Statistic::Ratio) && !self.over.is_empty() {
            errors.add(at.clone(), "`over` only applies to the statistic `ratio`".into());
        }
        let op = errors.read(&op, |text| named(&Op::NAMES, text, "operator"));
        let threshold = quantity(&threshold, errors);
        let until =
            self.until.map(|until| read_until(&until, statistic, op.zip(threshold), errors));
        let names =
            |names: Vec<Spanned<String>>| names.into_iter().map(Spanned::into_inner).collect();
        Some(Condition::Compare(Comparison {
            selector,
            statistic: statistic?,
            minus: names(self.minus),
            over: names(self.over),
            last,
            op: op?,
            threshold: threshold?,
            until: match until {
                Some(until) => Some(until?),
                None => None,
            },
        }))
    }
}

impl From<RawMatch> for TagMatch {
    fn from(raw: RawMatch) -> Self {
        match raw {
            RawMatch::One(value) if value == "*" => Self::Each,
            RawMatch::One(value) => Self::OneOf(vec![value]),
            RawMatch::Many(values) => Self::OneOf(values),
        }
    }
}

/// Reads `until`, and checks that an alert with this operator and threshold can go on to it.
fn read_until(
    until: &Spanned<RawQuantity>,
    statistic: Option<Statistic>,
    begins: Option<(Op, Quantity)>,
    errors: &mut Errors<'_>,
) -> Option<Quantity> {
    let read = quantity(until, errors)?;
    // Which side amounts of different dimensions are on, only the metric's unit tells; a ratio has
    // none.
    let is_ratio = statistic == Some(Statistic::Ratio);
    let begins = begins.filter(|(_, it)| is_ratio || it.dimension == read.dimension);
    if let Some(problem) = begins.and_then(|(op, it)| until_problem(op, it, read)) {
        errors.add(until.span(), problem);
    }
    Some(read)
}

/// Why an alert would not stop at this `until`, if so.
fn until_problem(op: Op, threshold: Quantity, until: Quantity) -> Option<String> {
    let side = match op {
        Op::Above | Op::AtLeast if until.value > threshold.value => "at most",
        Op::Below | Op::AtMost if until.value < threshold.value => "at least",
        Op::Equal | Op::Unequal => {
            return Some("`until` only applies to the operators >, >=, < and <=".to_owned());
        }
        _ => return None,
    };
    let sign = Op::NAMES.iter().find(|(_, it)| *it == op).map_or("", |(name, _)| name);
    Some(format!(
        "`until` ends the alert that `{sign} {threshold}` began: it must be {side} {threshold}, else \
         the alert ends as soon as it fires"
    ))
}

fn duration(text: &str) -> Result<Duration, String> {
    let told = |_| format!("`{text}` is not a duration: write it as \"30s\", \"5m\" or \"1h\"");
    humantime::parse_duration(text).map_err(told)
}

fn window(text: &str) -> Result<Duration, String> {
    let last = duration(text)?;
    if !(LAST_MIN..=LAST_MAX).contains(&last) {
        return Err(format!("`last` is from \"1s\" to \"24h\", not `{text}`"));
    }
    Ok(last)
}

fn statistic(text: &str) -> Result<Statistic, String> {
    named(&Statistic::NAMES, text, "statistic").map_err(|message| {
        format!("{message}; for a rule without a threshold, use absent, stale or heartbeat")
    })
}

fn named<T: Copy>(names: &[(&str, T)], text: &str, what: &str) -> Result<T, String> {
    let known = || names.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let found = names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| format!("there is no {what} `{text}`; there are {}", known()))
}

fn quantity(of: &Spanned<RawQuantity>, errors: &mut Errors<'_>) -> Option<Quantity> {
    let read = match of.get_ref() {
        RawQuantity::Number(value) => Some(Quantity::number(*value)).filter(|_| value.is_finite()),
        RawQuantity::Text(text) => Quantity::parse(text),
    };
    if read.is_none() {
        let way =
            "not an amount: write a number, with a unit if it has one: \"100ms\", \"1%\", \"5MiB\"";
        errors.add(of.span(), way.to_owned());
    }
    read
}

/// Checks that a message only uses placeholders that its alerts can fill in.
fn placeholders(
    text: &str,
    labels: &BTreeMap<String, Spanned<String>>,
    tags: &BTreeMap<String, Spanned<RawMatch>>,
) -> Result<(), String> {
    for part in text.split('{').skip(1) {
        let name = part.split('}').next().unwrap_or_default();
        let is_label = name.strip_prefix("labels.").is_some_and(|label| {
            ["alertname", "severity"].contains(&label)
                || labels.contains_key(label)
                || tags.contains_key(label)
        });
        if !is_label && name != "value" && name != "threshold" {
            return Err(format!(
                "the message has no `{{{name}}}` to fill in; it has {{value}}, {{threshold}} and \
                 {{labels.NAME}} for each of the rule's labels and tags"
            ));
        }
    }
    Ok(())
}
