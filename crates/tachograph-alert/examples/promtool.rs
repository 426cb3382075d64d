//! Writes random rules over random gauges, with the states that the engine computes, as a test for
//! `promtool test rules`: `promtool FOLDER COUNT`.
#![allow(clippy::print_stdout, reason = "a command-line program")]

use std::error::Error;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use tachograph::MetricsCollector;
use tachograph_alert::{
    Comparison, Condition, Engine, Op, Quantity, Rule, Selector, State, Statistic, TagMatch,
};
use tachograph_history::{History, Settings};

/// Both sides evaluate once a minute.
const STEP: Duration = Duration::from_secs(60);
const STEPS: usize = 60;
const SERIES: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder: PathBuf = arguments.next().ok_or("which folder?")?.into();
    let count: u64 = arguments.next().ok_or("how many rules?")?.parse()?;
    std::fs::create_dir_all(&folder)?;
    let mut random = fastrand::Rng::with_seed(7);
    let mut rules = String::from("groups:\n- name: random\n  interval: 1m\n  rules:\n");
    let (mut series, mut alerts, mut states) = (String::new(), String::new(), String::new());
    for number in 0..count {
        let case = Case::random(number, &mut random);
        rules += &case.rule_text();
        case.test_text(&mut series, &mut alerts, &mut states);
    }
    let test = format!(
        "rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n- interval: 1m\n  input_series:\n\
         {series}  alert_rule_test:\n{alerts}  promql_expr_test:\n{states}"
    );
    std::fs::write(folder.join("rules.yml"), rules)?;
    std::fs::write(folder.join("test.yml"), test)?;
    println!("{count} rules over {STEPS} minutes of {SERIES} series each");
    Ok(())
}

struct Case {
    rule: Rule,
    op: &'static str,
    threshold: i32,
    values: [Vec<i32>; SERIES],
}

impl Case {
    fn random(number: u64, random: &mut fastrand::Rng) -> Self {
        let (op, parsed) = Op::NAMES[random.usize(0..Op::NAMES.len())];
        let threshold = random.i32(2..8);
        let mut selector = Selector::metric(format!("gauge{number}"));
        selector.tags.insert("n".to_owned(), TagMatch::Each);
        let condition = Condition::Compare(Comparison {
            selector,
            statistic: Statistic::Current,
            minus: Vec::new(),
            over: Vec::new(),
            last: None,
            op: parsed,
            threshold: Quantity::number(f64::from(threshold)),
            until: None,
        });
        let mut rule = Rule::new(format!("Alert{number}"), condition);
        rule.hold = STEP * random.u32(0..6);
        rule.keep_firing = STEP * random.u32(0..5);
        // Values that persist for a while: a condition has to hold before it fires.
        let values = std::array::from_fn(|_| {
            let mut value = random.i32(0..10);
            let mut next = || {
                if random.u8(0..4) == 0 {
                    value = random.i32(0..10);
                }
                value
            };
            (0..STEPS).map(|_| next()).collect()
        });
        Self { rule, op, threshold, values }
    }

    fn rule_text(&self) -> String {
        let Self { rule, op, threshold, .. } = self;
        let (hold, keep) = (rule.hold.as_secs(), rule.keep_firing.as_secs());
        let gauge = rule.name.replace("Alert", "gauge");
        let name = &rule.name;
        format!(
            "  - alert: {name}\n    expr: {gauge} {op} {threshold}\n    for: {hold}s\n    \
             keep_firing_for: {keep}s\n"
        )
    }

    /// The state of each series at each minute.
    fn states(&self) -> Vec<[State; SERIES]> {
        let metrics = MetricsCollector::builder().manual().build();
        let mut history = History::new(Settings { step: STEP, ..Settings::default() });
        let mut engine = Engine::new(vec![self.rule.clone()], STEP);
        let gauge = self.rule.name.replace("Alert", "gauge");
        let mut states = Vec::new();
        for minute in 0..STEPS {
            for (n, values) in self.values.iter().enumerate() {
                let n = n.to_string();
                metrics.with_tags(&[("n", &*n)]).gauge(&gauge, f64::from(values[minute]));
            }
            let now = STEP * (minute as u32 + 1);
            metrics.run_pass(Instant::now() + now, SystemTime::UNIX_EPOCH + now);
            if let Some((frame, new)) = history.record(&metrics.snapshot()) {
                engine.frame(&frame, &new);
            }
            let alerts = engine.statuses().flat_map(|status| status.alerts);
            let found: Vec<_> = alerts.map(|alert| alert.state).collect();
            states.push(std::array::from_fn(|n| found.get(n).copied().unwrap_or_default()));
        }
        states
    }

    fn test_text(&self, series: &mut String, alerts: &mut String, states: &mut String) {
        let name = &self.rule.name;
        let gauge = name.replace("Alert", "gauge");
        // Infallible, like all writes below: memory accepts every write.
        for (n, values) in self.values.iter().enumerate() {
            let values: Vec<_> = values.iter().map(i32::to_string).collect();
            let values = values.join(" ");
            let _ = write!(series, "  - series: {gauge}{{n=\"{n}\"}}\n    values: {values}\n");
        }
        for (minute, found) in self.states().iter().enumerate() {
            let are = |state| (0..SERIES).filter(move |&n| found[n] == state);
            let _ = write!(
                alerts,
                "  - eval_time: {minute}m\n    alertname: {name}\n    exp_alerts: ["
            );
            for n in are(State::Firing) {
                let _ = write!(alerts, "{{exp_labels: {{n: \"{n}\"}}}}, ");
            }
            alerts.push_str("]\n");
            let _ = write!(
                states,
                "  - eval_time: {minute}m\n    expr: ALERTS{{alertname=\"{name}\",\
                 alertstate=\"pending\"}}\n    exp_samples: ["
            );
            for n in are(State::Pending) {
                let labels = format!(
                    "ALERTS{{alertname=\\\"{name}\\\",alertstate=\\\"pending\\\",n=\\\"{n}\\\"}}"
                );
                let _ = write!(states, "{{labels: \"{labels}\", value: 1}}, ");
            }
            states.push_str("]\n");
        }
    }
}
