//! Rule files: valid ones are read; errors are reported by line and column with a fix.

use std::time::Duration;

use tachograph::{Kind, Unit};
use tachograph_alert::{
    Condition, Dimension, EXAMPLE, Op, Quantity, Statistic, TagMatch, check, parse,
};
use tachograph_history::Definition;

#[test]
fn every_field_is_read() {
    let rules = parse(
        r#"
        [[rule]]
        name = "PacketLoss"
        metric = "udp.packet.dropped"
        minus = ["udp.packet.recovered"]
        over = ["udp.packet.received", "udp.packet.dropped"]
        statistic = "ratio"
        last = "5m"
        op = ">"
        threshold = "1%"
        until = 0.005
        tags = { port = "9002", host = ["a", "b"], zone = "*" }
        for = "5s"
        keep_firing_for = "1m"
        severity = "critical"
        labels = { team = "audio" }
        message = "{value} of {labels.port}, above {threshold}"
        runbook = "https://example.org/loss"

        [[rule]]
        name = "Off"
        enabled = false
        statistic = "heartbeat"
        "#,
    )
    .expect("right");
    let [rule, off] = &rules[..] else { panic!("two rules: {rules:?}") };
    assert_eq!((&*off.name, off.enabled, rule.enabled), ("Off", false, true));
    let Condition::Compare(comparison) = &rule.condition else { panic!("{rule:?}") };
    assert_eq!(comparison.statistic, Statistic::Ratio);
    assert_eq!(comparison.last, Some(Duration::from_secs(300)));
    assert_eq!((comparison.op, comparison.minus.len(), comparison.over.len()), (Op::Above, 1, 2));
    assert_eq!(comparison.threshold, Quantity { value: 0.01, dimension: Dimension::Share });
    assert_eq!(comparison.until, Some(Quantity::number(0.005)));
    let tags = &comparison.selector.tags;
    assert_eq!(tags["port"], TagMatch::OneOf(vec!["9002".to_owned()]));
    assert_eq!(tags["host"], TagMatch::OneOf(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(tags["zone"], TagMatch::Each);
    assert_eq!((rule.hold, rule.keep_firing), (Duration::from_secs(5), Duration::from_secs(60)));
    assert_eq!((&*rule.severity, &*rule.labels["team"]), ("critical", "audio"));
}

/// The file that explains the keys: it has each of them, and what it says of defaults is so.
#[test]
fn the_example_has_every_key_and_is_right() {
    let rules = parse(EXAMPLE).unwrap_or_else(|invalid| panic!("{invalid}"));
    let unknown = parse("[[rule]]\nnothing = 1\n").expect_err("no such key");
    let (_, known) = unknown.errors()[0].message.split_once("expected one of ").expect("the keys");
    for key in known.split('`').skip(1).step_by(2) {
        let mut lines = EXAMPLE.lines();
        let at = lines.position(|line| line.starts_with(&format!("{key} = ")));
        let before = at.and_then(|at| EXAMPLE.lines().nth(at.saturating_sub(1)));
        assert!(at.is_some(), "{key} is in no line of its own");
        let is_told = EXAMPLE.contains(&format!("`{key}`"));
        assert!(is_told || before.is_some_and(|it| it.starts_with('#')), "{key} is not explained");
    }
    for (name, _) in Statistic::NAMES {
        assert!(EXAMPLE.contains(name), "{name} is missing");
    }
    for (name, _) in Op::NAMES {
        assert!(EXAMPLE.contains(name), "{name} is missing");
    }
    let defaults = &parse("[[rule]]\nname = \"A\"\nstatistic = \"heartbeat\"\n").expect("right")[0];
    assert_eq!((defaults.hold, defaults.keep_firing), (Duration::ZERO, Duration::ZERO));
    assert_eq!((&*defaults.severity, &*defaults.message, &*defaults.runbook), ("warning", "", ""));
    assert!(defaults.enabled && defaults.labels.is_empty());
    let off: Vec<_> = rules.iter().filter(|it| !it.enabled).map(|it| &*it.name).collect();
    assert_eq!(off, ["Silent", "Heartbeat"]);
}

/// A rule in which `line` replaces the line that starts with the same word, or is added.
fn with(line: &str) -> String {
    let right = [
        "name = \"A\"",
        "metric = \"m\"",
        "statistic = \"p95\"",
        "last = \"30s\"",
        "op = \">\"",
        "threshold = \"100ms\"",
    ];
    let word = line.split(' ').next().unwrap_or_default();
    let other = right.iter().filter(|other| !other.starts_with(word));
    // The line under test is the second one.
    let lines: Vec<_> = ["[[rule]]", line].into_iter().chain(other.copied()).collect();
    lines.join("\n") + "\n"
}

#[test]
fn wrong_files_are_told_by_line_and_column_with_the_way_out() {
    // The file, the line and column, and part of the message.
    let cases = [
        (with("statistic = \"p96\""), (2, 13), "there are p50, p90"),
        (with("op = \"=>\""), (2, 6), "there are >, >="),
        (with("threshold = \"100 parsecs\""), (2, 13), "\"100ms\""),
        (with("threshold = inf"), (2, 13), "write a number"),
        (with("threshold = [1]"), (2, 13), ""),
        (with("until = \"soon\""), (2, 9), "\"100ms\""),
        (with("until = \"300ms\""), (2, 9), "at most 100 ms"),
        (with("op = \"<\"") + "until = \"80ms\"", (8, 9), "at least 100 ms"),
        (
            with("statistic = \"ratio\"").replace("\"100ms\"", "\"1%\"")
                + "over = [\"x\"]\nuntil = 0.5",
            (9, 9),
            "at most 1 %",
        ),
        (with("op = \"==\"") + "until = \"100ms\"", (8, 9), ">, >=, < and <="),
        (with("name = \"\""), (2, 8), "needs a name"),
        (with("metric = \" \""), (2, 10), "no metric"),
        (with("minus = [\"x\", \"\"]"), (2, 15), "no metric"),
        (with("last = \"0s\""), (2, 8), "from \"1s\" to \"24h\""),
        (with("last = \"25h\""), (2, 8), "from \"1s\" to \"24h\""),
        (with("last = \"half a day\""), (2, 8), "\"30s\""),
        (with("last = 30"), (2, 8), "string"),
        (with("for = \"5 elephants\""), (2, 7), "\"30s\""),
        (with("keep_firing_for = \"-1s\""), (2, 19), "\"30s\""),
        (with("treshold = 5"), (2, 1), "threshold"),
        (with("over = [\"x\"]"), (5, 13), "only applies to the statistic `ratio`"),
        (with("message = \"{value} {host}\""), (2, 11), "{labels.NAME}"),
        (with("message = \"{labels.host}\""), (2, 11), "{labels.NAME}"),
        ("[[rule]]\nname = \"A\"\n".to_owned(), (1, 1), "statistic"),
        ("[[rule]]\nname = \"A\"\nstatistic = \"p50\"\n".to_owned(), (3, 13), "`metric`"),
        (
            "[[rule]]\nname = \"A\"\nmetric = \"m\"\nstatistic = \"p50\"\n".to_owned(),
            (4, 13),
            "`op` and `threshold`",
        ),
        ("[[rule]]\nname = \"A\"\nstatistic = \"stale\"\n".to_owned(), (3, 13), "`last`"),
        ("[[rule]]\nname = \"A\"\nstatistic = \"absent\"\n".to_owned(), (3, 13), "`metric`"),
        (with("statistic = \"ratio\""), (2, 13), "needs `over`"),
        (with("# right") + &with("name = \"A\""), (10, 8), "two rules are called `A`"),
        ("[[rule]\n".to_owned(), (1, 8), ""),
        ("rule = 5\n".to_owned(), (1, 8), ""),
        ("[rules]\n".to_owned(), (1, 2), "rule"),
    ];
    for (text, (line, column), way) in cases {
        let invalid = parse(&text).map(|rules| format!("{rules:?}")).expect_err(&text);
        let errors = invalid.errors();
        let error = &errors[0];
        assert_eq!((error.line, error.column), (line, column), "{error}\n{text}");
        assert!(error.message.contains(way), "{error}\n{text}");
        assert_eq!(errors.len(), 1, "{errors:?}\n{text}");
    }
}

#[test]
fn every_error_of_a_file_is_told_in_order() {
    let text = with("op = \"=>\"") + &with("statistic = \"p96\"").replace("\"A\"", "\"B\"");
    let read = || -> Result<_, Box<dyn std::error::Error>> { Ok(parse(&text)?) };
    let told = read().expect_err("two are wrong").to_string();
    let lines: Vec<_> = told.lines().collect();
    let [first, second] = lines[..] else { panic!("two lines: {told}") };
    assert!(first.starts_with("2:6: ") && first.contains("there are >, >="), "{told}");
    assert!(second.starts_with("9:13: ") && second.contains("there are p50, p90"), "{told}");
}

#[test]
fn what_a_metric_does_not_have_is_told_before_anything_runs() {
    let definition = |kind, unit| Definition {
        number: 0,
        key: "m".into(),
        name: "m".into(),
        tags: Default::default(),
        kind,
        unit,
        description: "".into(),
        exported_name: String::new(),
        labels: Default::default(),
    };
    let told = |text: &str, kind, unit| {
        let invalid = check(text, &[definition(kind, unit)]).err();
        invalid.map(|it| it.errors()[0].message.clone()).unwrap_or_default()
    };
    let right = with("# right");
    assert_eq!(told(&right, Kind::Timing, Unit::Seconds), "");
    assert!(told(&right, Kind::Counter, Unit::None).contains("increase, rate, ratio"));
    assert!(told(&right, Kind::Histogram, Unit::Bytes).contains("\"5MiB\""));
    assert!(told(&right, Kind::Histogram, Unit::None).contains("1000"));
    let bytes = with("threshold = \"5MiB\"");
    assert_eq!(told(&bytes, Kind::Histogram, Unit::Bytes), "");
    let share = with("threshold = \"5%\"").replace("p95", "current");
    assert_eq!(told(&share, Kind::Gauge, Unit::Percent), "");
    assert!(told(&share, Kind::Timing, Unit::Seconds).contains("p50"));
}

#[test]
fn amounts_are_read_with_their_units() {
    let cases = [
        ("100ms", 0.1, Dimension::Time),
        ("1.5 s", 1.5, Dimension::Time),
        ("1h 30m", 5_400.0, Dimension::Time),
        ("250us", 250e-6, Dimension::Time),
        ("1%", 0.01, Dimension::Share),
        ("5MiB", 5_242_880.0, Dimension::Bytes),
        ("2 kB/s", 2_000.0, Dimension::Bytes),
        ("7/s", 7.0, Dimension::Number),
        ("-3.5", -3.5, Dimension::Number),
    ];
    for (text, value, dimension) in cases {
        let read = Quantity::parse(text).expect(text);
        assert!((read.value - value).abs() < 1e-12 * value.abs(), "{text}: {read:?}");
        assert_eq!(read.dimension, dimension, "{text}");
    }
    for nonsense in ["", "x", "1 parsec", "nan", "inf", "%", "B", "1e999", "--1"] {
        assert_eq!(Quantity::parse(nonsense), None, "{nonsense:?}");
    }
}

#[test]
fn a_condition_reads_as_one_would_write_it_down() {
    let text = |lines: &str| {
        let rules = parse(&format!("[[rule]]\nname = \"A\"\n{lines}")).expect("a right rule");
        rules[0].condition.to_string()
    };
    for (lines, told) in [
        (
            "metric = \"turn\"\nstatistic = \"p95\"\nlast = \"30s\"\nop = \">\"\n\
             threshold = \"100ms\"\nuntil = \"80ms\"",
            "p95(turn, last 30 s) > 100 ms, until 80 ms",
        ),
        (
            "metric = \"lost\"\nminus = [\"found\"]\nover = [\"got\", \"lost\"]\nlast = \"5m\"\n\
             statistic = \"ratio\"\nop = \">=\"\nthreshold = \"1%\"\n\
             tags = { port = [\"1\", \"2\"], to = \"*\" }",
            "ratio(lost[port=1|2,to=*] \u{2212} found of got + lost, last 5 min) >= 1 %",
        ),
        (
            "metric = \"depth\"\nstatistic = \"current\"\nop = \"<\"\nthreshold = 1000",
            "current(depth) < 1000",
        ),
        ("metric = \"m\"\nstatistic = \"absent\"", "absent(m)"),
        (
            "metric = \"m\"\nstatistic = \"stale\"\nlast = \"90s\"",
            "nothing recorded(m, last 1.50 min)",
        ),
        ("statistic = \"stale\"\nlast = \"10s\"", "no frame(last 10 s)"),
        ("statistic = \"heartbeat\"", "always"),
    ] {
        assert_eq!(text(lines), told);
    }
}
