//! Every key of a rule file and every setting of an engine, at its least, at 0, at 1 and at its
//! greatest: it works, or is refused with the reason.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tachograph::MetricsCollector;
use tachograph_alert::{Engine, Report, Rule, State, Transition, parse};
use tachograph_history::{Definition, Frame, History, Settings};

/// The expected effect of a value.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// The rule fires.
    Fires,
    /// The rule is evaluated, and does not fire.
    Silent,
    /// Refused with a reason that contains these words.
    Refused(&'static str),
}
use Fate::{Fires, Refused, Silent};

/// The rule that a value is put into: it fires with the first event.
const RULE: [(&str, &str); 5] = [
    ("name", "\"A\""),
    ("metric", "\"events\""),
    ("statistic", "\"increase\""),
    ("op", "\">=\""),
    ("threshold", "1"),
];

const I64: &str = "9223372036854775807";
const F64: &str = "1.7976931348623157e308";
/// The longest duration that can be written, in whole seconds.
const LONGEST: &str = "\"18446744073709551615s\"";
const NO_TIME: Fate = Refused("not a duration");
const NO_TEXT: Fate = Refused("string");
const NO_WINDOW: Fate = Refused("from \"1s\" to \"24h\"");

const KEYS: &[(&str, &[(&str, Fate)])] = &[
    ("name", &[("\"\"", Refused("needs a name")), ("\"\\u0000\"", Fires), ("0", NO_TEXT)]),
    ("enabled", &[("true", Fires), ("false", Silent), ("0", Refused("boolean"))]),
    ("metric", &[("\"\"", Refused("no metric")), ("\"\\u0000\"", Silent), ("0", NO_TEXT)]),
    (
        "tags",
        &[
            ("{}", Fires),
            ("{ a = \"\" }", Refused("empty value")),
            ("{ a = [] }", Refused("empty value")),
            ("{ a = [\"1\", \"\"] }", Refused("empty value")),
            ("{ a = \"1\" }", Silent),
            ("{ \"\" = \"1\" }", Silent),
            ("{ a = 0 }", Refused("not a tag's value")),
            ("0", Refused("map")),
        ],
    ),
    (
        "statistic",
        &[
            ("\"increase\"", Fires),
            ("\"rate\"", Fires),
            ("\"ratio\"", Refused("`over`")),
            ("\"p50\"", Silent),
            ("\"heartbeat\"", Fires),
            ("\"absent\"", Silent),
            ("\"stale\"", Refused("`last`")),
            ("\"\"", Refused("there are p50")),
            ("0", NO_TEXT),
        ],
    ),
    (
        "minus",
        &[
            ("[]", Fires),
            ("[\"\"]", Refused("no metric")),
            ("[\"events\"]", Silent),
            ("0", NO_SEQUENCE),
        ],
    ),
    ("over", &[("[]", Fires), ("[\"a\"]", Refused("`ratio`")), ("0", NO_SEQUENCE)]),
    (
        "last",
        &[
            ("\"0s\"", NO_WINDOW),
            ("\"1ns\"", NO_WINDOW),
            ("\"999ms\"", NO_WINDOW),
            ("\"1s\"", Fires),
            ("\"24h\"", Fires),
            ("\"86401s\"", NO_WINDOW),
            (LONGEST, NO_WINDOW),
            ("\"\"", NO_TIME),
            ("1", NO_TEXT),
        ],
    ),
    ("op", &[("\">=\"", Fires), ("\"<\"", Silent), ("\"\"", Refused("there are >, >="))]),
    (
        "threshold",
        &[
            ("0", Fires),
            ("1", Fires),
            ("-1.7976931348623157e308", Fires),
            (I64, Silent),
            (F64, Silent),
            ("\"0\"", Fires),
            ("\"1e308GiB\"", NO_AMOUNT),
            ("\"1e308m\"", NO_AMOUNT),
            ("inf", NO_AMOUNT),
            ("nan", NO_AMOUNT),
            ("\"\"", NO_AMOUNT),
            ("\"1%\"", Silent),
            ("[1]", NO_AMOUNT),
            ("true", NO_AMOUNT),
        ],
    ),
    (
        "until",
        &[
            ("0", Fires),
            ("-1.7976931348623157e308", Fires),
            ("1", Fires),
            (I64, Refused("at most 1")),
            (F64, Refused("at most 1")),
            ("inf", NO_AMOUNT),
        ],
    ),
    (
        "for",
        &[
            ("\"0s\"", Fires),
            ("\"1ns\"", Fires),
            ("\"1s\"", Fires),
            (LONGEST, Silent),
            ("\"18446744073709551616s\"", NO_TIME),
            ("\"\"", NO_TIME),
            ("0", NO_TEXT),
        ],
    ),
    (
        "keep_firing_for",
        &[("\"0s\"", Fires), ("\"1s\"", Fires), (LONGEST, Fires), ("\"-1s\"", NO_TIME)],
    ),
    ("severity", &[("\"\"", Fires), ("\"\\u0000\"", Fires), ("0", NO_TEXT)]),
    (
        "labels",
        &[
            ("{}", Fires),
            ("{ a = \"\" }", Fires),
            ("{ severity = \"a\" }", Fires),
            ("{ \"\" = \"a\" }", Refused("a label needs a name")),
            ("{ a = 0 }", NO_TEXT),
        ],
    ),
    ("message", &[("\"\"", Fires), ("\"{\"", Refused("{value}")), ("\"}\"", Fires)]),
    ("runbook", &[("\"\"", Fires), ("\"\\u0000\"", Fires), ("0", NO_TEXT)]),
];
const NO_AMOUNT: Fate = Refused("not an amount");
const NO_SEQUENCE: Fate = Refused("sequence");

/// A file whose rule has the key at this value.
fn file(key: &str, value: &str) -> String {
    let others = RULE.iter().filter(|(other, _)| *other != key);
    let lines =
        others.copied().chain([(key, value)]).map(|(key, value)| format!("{key} = {value}\n"));
    format!("[[rule]]\n{}", lines.collect::<String>())
}

/// The frames of ten seconds in which one event a second is counted, each with what is new in it.
fn frames(step: Duration) -> Vec<(Arc<Frame>, Vec<Arc<Definition>>)> {
    let metrics = MetricsCollector::builder().manual().build();
    let mut history = History::new(Settings { step, ..Settings::default() });
    let (began, wall) = (Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000));
    let second = |second| {
        metrics.increment("events");
        metrics.run_pass(began + second, wall + second);
        history.record(&metrics.snapshot()).expect("newer")
    };
    (0..10).map(Duration::from_secs).map(second).collect()
}

/// What changes while an engine is fed.
fn feed(engine: &mut Engine, step: Duration) -> Vec<Transition> {
    frames(step).iter().flat_map(|(frame, new)| engine.frame(frame, new)).collect()
}

fn fires(engine: &Engine) -> bool {
    let mut alerts = engine.statuses().flat_map(|status| status.alerts);
    alerts.any(|alert| alert.state == State::Firing)
}

fn rules(text: &str) -> Vec<Rule> {
    parse(text).unwrap_or_else(|invalid| panic!("{text}: {invalid}"))
}

#[test]
fn no_key_is_left_out() {
    let invalid = parse(&(file("op", "\">\"") + "nothing = 1\n")).expect_err("no such key");
    let errors = invalid.errors();
    let (_, known) = errors[0].message.split_once("expected one of ").expect("it names the keys");
    let mut known: Vec<_> = known.split('`').skip(1).step_by(2).collect();
    let mut rows: Vec<_> = KEYS.iter().map(|(key, _)| *key).collect();
    known.sort_unstable();
    rows.sort_unstable();
    assert_eq!(rows, known, "a key without its extremes");
}

#[test]
fn a_rule_is_evaluated_with_every_value_of_a_key_or_refused_with_the_reason() {
    for &(key, values) in KEYS {
        for &(value, fate) in values {
            let text = file(key, value);
            match (fate, parse(&text)) {
                (Refused(told), Err(invalid)) => {
                    let errors = invalid.errors();
                    assert_eq!(errors.len(), 1, "{text}{errors:?}");
                    assert!(errors[0].message.contains(told), "{text}{}", errors[0]);
                }
                (Fires | Silent, Ok(rules)) => {
                    let mut engine = Engine::new(rules, Duration::from_secs(1));
                    let changes = feed(&mut engine, Duration::from_secs(1));
                    let fired = changes.iter().any(|it| it.alert.state == State::Firing);
                    assert_eq!(fired, matches!(fate, Fires), "{text}");
                }
                (fate, parsed) => panic!("{text}{fate:?}: {parsed:?}"),
            }
        }
    }
}

/// Without a limit on its length, a name would be one of a whole file.
#[test]
fn texts_of_any_length_are_told_whole() {
    let long = "é".repeat(100_000);
    for key in ["name", "severity", "runbook", "message"] {
        let mut engine = Engine::new(rules(&file(key, &format!("{long:?}"))), Duration::ZERO);
        feed(&mut engine, Duration::from_secs(1));
        let status = engine.statuses().next().expect("a rule");
        let message = &status.alerts[0].message;
        let told = [("name", status.name), ("severity", status.severity), ("message", message)];
        let told = told.into_iter().chain([("runbook", status.runbook)]);
        assert!(told.into_iter().any(|(of, text)| of == key && text == long), "{key}");
        assert!(fires(&engine), "{key}");
    }
}

#[test]
fn an_engine_and_a_report_work_with_every_setting() {
    for step in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        let mut engine = Engine::new(rules(&file("op", "\">=\"")), step);
        feed(&mut engine, step);
        assert!(fires(&engine), "{step:?}");
        for now_ms in [0, 1, u64::MAX] {
            engine.tick(now_ms);
        }
    }
    for changes_max in [0, 1, usize::MAX] {
        let mut engine = Engine::new(rules(&file("for", "\"1s\"")), Duration::from_secs(1));
        let mut report = Report::new(changes_max);
        let changes = feed(&mut engine, Duration::from_secs(1));
        assert_eq!(changes.len(), 2, "pending and firing");
        changes.iter().for_each(|change| report.note(change));
        report.update(&engine, u64::MAX, u64::MAX);
        let told = serde_json::to_value(&report).expect("JSON");
        assert_eq!(told["changes"].as_array().map(Vec::len), Some(2.min(changes_max)));
    }
}
