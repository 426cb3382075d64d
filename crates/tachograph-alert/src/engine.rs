//! The engine: evaluates rules over frames.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tachograph::{Tags, Unit};
use tachograph_history::{Definition, Frame, Mark, Statistics};

use crate::rule::{Comparison, Condition, Rule, Selector, Statistic};
use crate::state::{Alert, State, Transition};
use crate::verdict::Verdict;
use crate::window::Window;

/// Evaluates rules, once per frame.
#[derive(Debug)]
pub struct Engine {
    step: Duration,
    rules: Vec<Watched>,
    /// The windows that a series feeds, by series id.
    routes: HashMap<u32, Vec<Route>>,
    definitions: Vec<Arc<Definition>>,
    names: HashSet<Arc<str>>,
    frame_ms: Option<u64>,
}

/// A window of an alert, each by its place.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Route {
    rule: usize,
    alert: usize,
    window: usize,
}

/// A rule and its alerts.
#[derive(Debug)]
struct Watched {
    rule: Rule,
    alerts: Vec<Watch>,
    /// The place of each alert, by the tags of its series.
    places: BTreeMap<Tags, usize>,
    /// For a rate: the milliseconds that frames cover, whichever series are in them.
    covered: Option<Window>,
    problem: Option<String>,
}

/// An alert and the windows of its rule's metrics.
#[derive(Debug)]
struct Watch {
    alert: Alert,
    /// In order: the metric, the counters in `minus`, the counters in `over`.
    windows: Vec<Window>,
    /// For each window, whether the untagged series feeds it; if so, no other series does.
    untagged: Vec<bool>,
    /// The metric's unit, once it is known.
    unit: Option<Unit>,
    /// What the present texts are of: the value, whether the unit was known, and whether the message
    /// is true.
    described: Option<(Option<f64>, bool, bool)>,
}

/// A rule and its alerts, as `/alerts` shows them.
#[derive(Clone, Debug, Serialize)]
pub struct Status<'a> {
    /// The rule's name.
    pub name: &'a str,
    /// Its severity.
    pub severity: &'a str,
    /// Its condition, for people.
    pub condition: String,
    /// How long the condition must hold.
    #[serde(skip)]
    pub hold: Duration,
    /// A link to further information; may be empty.
    pub runbook: &'a str,
    /// Why the rule cannot be evaluated, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<&'a str>,
    /// Its alerts, including inactive ones, sorted by the tags of their series.
    pub alerts: Vec<&'a Alert>,
}

impl Engine {
    /// The limit for the values of all rules, in bytes. Beyond it the engine gives up the largest
    /// rule and reports that as its problem.
    pub const BYTES_MAX: usize = 64 << 20;

    /// An engine for frames `step` apart.
    pub fn new(rules: Vec<Rule>, step: Duration) -> Self {
        let mut engine = Self {
            step,
            rules: Vec::new(),
            routes: HashMap::new(),
            definitions: Vec::new(),
            names: HashSet::new(),
            frame_ms: None,
        };
        engine.replace(rules);
        engine
    }

    /// Replaces the rules. Unchanged rules keep their alerts and values.
    pub fn replace(&mut self, rules: Vec<Rule>) {
        let mut old = std::mem::take(&mut self.rules);
        for rule in rules.into_iter().filter(|rule| rule.enabled) {
            let known = old.iter().position(|it| it.rule == rule);
            let watched = known.map(|place| old.swap_remove(place));
            self.rules.push(watched.unwrap_or_else(|| Watched::new(rule)));
        }
        self.routes.clear();
        for definition in std::mem::take(&mut self.definitions) {
            self.define(&definition);
        }
    }

    /// Registers a series. Must come before the first frame that contains it.
    pub fn define(&mut self, definition: &Arc<Definition>) {
        self.names.insert(Arc::clone(&definition.name));
        for (rule, watched) in self.rules.iter_mut().enumerate() {
            for (window, alert) in watched.route(definition) {
                let route = Route { rule, alert, window };
                if definition.tags.is_empty() {
                    // If there is an untagged series, it alone counts.
                    self.routes.values_mut().for_each(|routes| routes.retain(|it| *it != route));
                }
                self.routes.entry(definition.number).or_default().push(route);
            }
        }
        self.definitions.push(Arc::clone(definition));
    }

    /// Feeds a frame with the definitions that first appear in it, then evaluates every rule.
    pub fn frame(&mut self, frame: &Frame, new: &[Arc<Definition>]) -> Vec<Transition> {
        new.iter().for_each(|definition| self.define(definition));
        let is_past = self.is_past(frame);
        if !is_past {
            self.rules.iter_mut().for_each(|watched| watched.cover(frame));
        }
        for (number, statistics) in frame.series() {
            let Some(routes) = self.routes.get(&number) else { continue };
            if is_past && !matches!(statistics, Statistics::Gauge(_)) {
                continue;
            }
            for Route { rule, alert, window } in routes {
                self.rules[*rule].alerts[*alert].windows[*window].add(frame.end_ms, statistics);
            }
        }
        self.frame_ms = Some(frame.end_ms);
        self.bound();
        self.evaluate(frame.end_ms)
    }

    /// Whether a frame contains everything recorded before the engine started. The first frame of a
    /// process that was started after the last frame only contains what is new.
    fn is_past(&self, frame: &Frame) -> bool {
        let begin_ms = frame.end_ms.saturating_sub(frame.span_ms);
        let is_new = self.frame_ms.is_some_and(|last_ms| begin_ms >= last_ms);
        frame.marks.contains(&Mark::Start) && frame.is_late(self.step) && !is_new
    }

    /// Evaluates every rule without a frame, for rules that fire because no frame arrives.
    pub fn tick(&mut self, now_ms: u64) -> Vec<Transition> {
        self.evaluate(now_ms)
    }

    /// Gives up the largest rule while all rules together exceed the limit.
    fn bound(&mut self) {
        let bytes = |watched: &Watched| -> usize {
            let windows = watched.alerts.iter().flat_map(|watch| &watch.windows);
            windows.map(Window::bytes).sum()
        };
        while self.rules.iter().map(bytes).sum::<usize>() > Self::BYTES_MAX {
            let Some(largest) = self.rules.iter_mut().max_by_key(|it| bytes(it)) else { return };
            largest.give_up();
        }
    }

    fn evaluate(&mut self, now_ms: u64) -> Vec<Transition> {
        let mut transitions = Vec::new();
        let facts = Facts { now_ms, frame_ms: self.frame_ms, names: &self.names };
        for watched in &mut self.rules {
            let evaluated = catch_unwind(AssertUnwindSafe(|| watched.evaluate(&facts)));
            match evaluated {
                Ok(changed) => transitions.extend(changed),
                Err(_) => watched.problem = Some("its evaluation panicked".to_owned()),
            }
        }
        transitions
    }

    /// All rules with their alerts.
    pub fn statuses(&self) -> impl Iterator<Item = Status<'_>> {
        self.rules.iter().map(|watched| Status {
            name: &watched.rule.name,
            severity: &watched.rule.severity,
            condition: watched.rule.condition.to_string(),
            hold: watched.rule.hold,
            runbook: &watched.rule.runbook,
            problem: watched.problem.as_deref(),
            alerts: watched.places.values().map(|at| &watched.alerts[*at].alert).collect(),
        })
    }
}

/// What rules need besides their own values.
struct Facts<'a> {
    now_ms: u64,
    frame_ms: Option<u64>,
    names: &'a HashSet<Arc<str>>,
}

impl Watched {
    fn new(rule: Rule) -> Self {
        let covered = match &rule.condition {
            Condition::Compare(it) if it.statistic == Statistic::Rate => Some(Window::new(it.last)),
            _ => None,
        };
        let (alerts, places) = (Vec::new(), BTreeMap::new());
        let mut watched = Self { rule, alerts, places, covered, problem: None };
        // The rule has a single alert that always exists, unless it has one for each value of a
        // tag.
        if watched.rule.condition.selector().is_none_or(|selector| selector.tags.is_empty()) {
            watched.watch(&Tags::default());
        }
        watched
    }

    /// Adds the time of a frame to that which a rate is of.
    fn cover(&mut self, frame: &Frame) {
        if let Some(covered) = &mut self.covered {
            covered.add(frame.end_ms, Statistics::Counter(frame.span_ms.into()));
        }
    }

    /// The place of the alert with these tags, which is created if it is new.
    fn watch(&mut self, tags: &Tags) -> usize {
        if let Some(place) = self.places.get(tags) {
            return *place;
        }
        let place = self.alerts.len();
        self.places.insert(tags.clone(), place);
        self.alerts.push(Watch::new(&self.rule, tags));
        place
    }

    /// The windows that a series feeds, each with the place of its alert.
    fn route(&mut self, definition: &Definition) -> Vec<(usize, usize)> {
        let metrics = self.rule.condition.metrics().enumerate();
        let windows = metrics.filter(|(_, metric)| **metric == *definition.name);
        let windows: Vec<_> = windows.map(|(window, _)| window).collect();
        let Some(selector) = self.rule.condition.selector() else { return Vec::new() };
        let is_sum = selector.tags.is_empty();
        if windows.is_empty() || (!is_sum && !selector.has_tags(definition)) {
            return Vec::new();
        }
        let is_untagged = definition.tags.is_empty();
        let tags = if is_sum { Tags::default() } else { definition.tags.clone() };
        let place = self.watch(&tags);
        let mut routes = Vec::new();
        for window in windows {
            self.check(window, definition);
            let watch = &mut self.alerts[place];
            watch.untagged[window] |= is_untagged;
            if window == 0 {
                watch.source(definition);
            }
            if !is_sum || is_untagged || !watch.untagged[window] {
                routes.push((window, place));
            }
        }
        routes
    }

    /// Records a problem if the rule cannot apply to this series.
    fn check(&mut self, window: usize, definition: &Definition) {
        let Condition::Compare(comparison) = &self.rule.condition else { return };
        if let Some(problem) = comparison.problem(window, definition) {
            self.problem = Some(problem);
        }
    }

    fn give_up(&mut self) {
        let windows = self.alerts.iter_mut().flat_map(|watch| &mut watch.windows);
        windows.for_each(Window::clear);
        self.problem = Some(format!(
            "stale: the values of all rules took more than {} MiB, and this rule's the most; match \
             fewer series or shorten `last`",
            Engine::BYTES_MAX >> 20
        ));
    }

    fn evaluate(&mut self, facts: &Facts<'_>) -> Vec<Transition> {
        let Self { rule, alerts, places, covered, problem } = self;
        let mut transitions = Vec::new();
        covered.iter_mut().for_each(|window| window.forget(facts.now_ms));
        let seconds = covered.as_ref().map_or(0.0, |window| window.increase() / 1e3);
        for place in places.values() {
            let watch = &mut alerts[*place];
            watch.windows.iter_mut().for_each(|window| window.forget(facts.now_ms));
            let is_firing = watch.alert.state == State::Firing;
            let verdict = if problem.is_some() {
                Verdict::new(false, None)
            } else {
                watch.verdict(&rule.condition, is_firing, facts, seconds)
            };
            watch.alert.value = verdict.value;
            let step = watch.alert.step(verdict.holds, facts.now_ms, rule.hold, rule.keep_firing);
            watch.describe(rule, verdict.is_beyond);
            if let Some(from) = step {
                let (rule, at_ms) = (rule.name.clone(), facts.now_ms);
                transitions.push(Transition { rule, at_ms, from, alert: watch.alert.clone() });
            }
        }
        transitions
    }
}

impl Watch {
    fn new(rule: &Rule, tags: &Tags) -> Self {
        let last = match &rule.condition {
            Condition::Compare(comparison) => comparison.last,
            Condition::Stale { last, .. } => Some(*last),
            _ => None,
        };
        let metrics = rule.condition.metrics().count();
        let mut labels = rule.labels.clone();
        labels.extend(tags.iter().map(|(key, value)| (key.to_owned(), value.to_owned())));
        labels.insert("alertname".to_owned(), rule.name.clone());
        labels.insert("severity".to_owned(), rule.severity.clone());
        Self {
            alert: Alert::new(labels),
            windows: (0..metrics).map(|_| Window::new(last)).collect(),
            untagged: vec![false; metrics],
            unit: None,
            described: None,
        }
    }

    /// Notes a series of the rule's metric. The alert is about it, unless it is one of several.
    fn source(&mut self, definition: &Definition) {
        let is_first = self.unit.is_none();
        self.unit.get_or_insert_with(|| definition.unit.clone());
        if is_first || definition.tags.is_empty() {
            self.alert.series = Some(Arc::clone(&definition.key));
        } else if !self.untagged[0] && self.alert.series.as_ref() != Some(&definition.key) {
            self.alert.series = None;
        }
    }

    /// `seconds` is the time that a rate is of.
    fn verdict(
        &self,
        condition: &Condition,
        is_firing: bool,
        facts: &Facts<'_>,
        seconds: f64,
    ) -> Verdict {
        let Facts { now_ms, frame_ms, names } = *facts;
        let since = |then_ms: u64| now_ms.saturating_sub(then_ms) as f64 / 1e3;
        match condition {
            Condition::Heartbeat => Verdict::new(true, None),
            Condition::Absent { metric } => Verdict::new(!names.contains(&**metric), None),
            Condition::Stale { selector, last } => {
                let fed = self.windows.first().and_then(Window::fed_last_ms);
                let value = if selector.is_some() { fed } else { frame_ms }.map(since);
                Verdict::new(value.is_some_and(|value| value > last.as_secs_f64()), value)
            }
            Condition::Compare(comparison) => {
                let value = self.value(comparison, seconds);
                let unit = self.unit_of(comparison);
                let is_beyond = |threshold: crate::Quantity| {
                    let both = value.zip(threshold.in_unit(&unit).ok());
                    both.is_some_and(|(value, threshold)| comparison.op.holds(value, threshold))
                };
                let until = comparison.until.filter(|_| is_firing);
                Verdict {
                    holds: is_beyond(until.unwrap_or(comparison.threshold)),
                    is_beyond: is_beyond(comparison.threshold),
                    value,
                }
            }
        }
    }

    fn value(&self, comparison: &Comparison, seconds: f64) -> Option<f64> {
        let (metric, rest) = self.windows.split_first()?;
        let (minus, over) = rest.split_at(comparison.minus.len().min(rest.len()));
        let sum = |windows: &[Window]| windows.iter().map(Window::increase).sum::<f64>();
        let increase = || metric.increase() - sum(minus);
        match comparison.statistic {
            Statistic::Increase => Some(increase()),
            Statistic::Rate => (seconds > 0.0).then(|| increase() / seconds),
            Statistic::Ratio => {
                let all = sum(over);
                Some(if all > 0.0 { increase() / all } else { 0.0 })
            }
            statistic => metric.value(statistic),
        }
    }

    fn unit_of(&self, comparison: &Comparison) -> Unit {
        comparison.statistic.unit(self.unit.as_ref().unwrap_or(&Unit::None))
    }

    /// Updates the texts for people, and the worst sample.
    fn describe(&mut self, rule: &Rule, is_beyond: bool) {
        let worst = self.windows.first().and_then(Window::exemplar);
        if self.alert.exemplar.as_deref() != worst {
            self.alert.exemplar = worst.cloned().map(Box::new);
        }
        let now = Some((self.alert.value, self.unit.is_some(), is_beyond));
        if std::mem::replace(&mut self.described, now) == now {
            return;
        }
        let (unit, threshold) = match &rule.condition {
            Condition::Compare(comparison) => {
                let unit = self.unit_of(comparison);
                let threshold = comparison.threshold.in_unit(&unit).ok();
                (unit, threshold)
            }
            Condition::Stale { last, .. } => (Unit::Seconds, Some(last.as_secs_f64())),
            _ => (Unit::None, None),
        };
        let text = |value: Option<f64>| {
            value.map_or_else(|| "–".to_owned(), |value| tachograph_history::format(value, &unit))
        };
        let alert = &mut self.alert;
        alert.value_text = text(alert.value);
        alert.threshold_text = text(threshold);
        if is_beyond {
            alert.message = alert.filled(&rule.message);
        }
    }
}

impl Condition {
    fn selector(&self) -> Option<&Selector> {
        match self {
            Self::Compare(comparison) => Some(&comparison.selector),
            Self::Stale { selector, .. } => selector.as_ref(),
            Self::Absent { .. } | Self::Heartbeat => None,
        }
    }

    /// Every metric that the rule reads, in the order of the windows.
    pub(crate) fn metrics(&self) -> impl Iterator<Item = &str> {
        let (minus, over): (&[_], &[_]) = match self {
            Self::Compare(comparison) => (&comparison.minus, &comparison.over),
            _ => (&[], &[]),
        };
        let first = self.selector().map(|selector| selector.metric.as_str());
        first.into_iter().chain(minus.iter().chain(over).map(String::as_str))
    }
}

impl Comparison {
    /// Why the comparison cannot use this series for the given window.
    pub(crate) fn problem(&self, window: usize, definition: &Definition) -> Option<String> {
        let (name, kind) = (&definition.name, definition.kind);
        if !self.statistic.fits(kind) {
            let names = Statistic::NAMES.iter().filter(|(_, it)| it.fits(kind));
            let names: Vec<_> = names.map(|(name, _)| *name).collect();
            return Some(format!(
                "`{name}` is a {}, which has no such statistic; it has {}",
                kind.name(),
                names.join(", ")
            ));
        }
        let unit = self.statistic.unit(&definition.unit);
        let misfit = |it: crate::Quantity| it.in_unit(&unit).err();
        let wanted = misfit(self.threshold).or_else(|| self.until.and_then(misfit));
        wanted
            .filter(|_| window == 0)
            .map(|wanted| format!("the threshold must be {wanted}, to compare it with `{name}`"))
    }
}
