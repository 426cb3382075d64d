//! Recordings with any content: each line is read or refused, the byte limit holds, and rules can
//! be evaluated over the result.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use tachograph_alert::{Engine, Rule, parse};
use tachograph_history::file::Reader;
use tachograph_history::{History, Line, Settings};

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let rule = |statistic: &str, threshold: &str| {
        format!(
            "[[rule]]\nname = \"{statistic}\"\nmetric = \"a\"\nstatistic = \"{statistic}\"\n\
             last = \"10s\"\nop = \">\"\nthreshold = {threshold}\nmessage = \"{{value}}\"\n"
        )
    };
    let rules = [("p99", "\"1ms\""), ("increase", "5"), ("current", "1"), ("mean", "\"1ms\"")];
    let text: String =
        rules.iter().map(|(statistic, threshold)| rule(statistic, threshold)).collect();
    parse(&text).expect("right rules")
});

fuzz_target!(|bytes: &[u8]| {
    let settings = Settings { bytes: 64 << 10, ..Settings::default() };
    let mut history = History::new(settings);
    let mut engine = Engine::new(RULES.clone(), Duration::from_secs(1));
    let mut largest = 0;
    for line in Reader::new(bytes) {
        match line {
            Ok(Line::Series(definition)) => {
                engine.define(&Arc::new(definition.clone()));
                history.define(definition);
            }
            Ok(Line::Frame(frame)) => {
                engine.frame(&frame, &[]);
                largest = largest.max(frame.bytes());
                history.push(&Arc::new(frame));
            }
            Ok(Line::Meta(_)) => {}
            Err(error) => assert!(error.to_string().contains("line ")),
        }
    }
    let all = history.merged(SystemTime::UNIX_EPOCH, SystemTime::now());
    for frame in all.iter().chain(history.newest().map(|frame| &**frame)) {
        for (_, timing) in &frame.timings {
            let quantiles = [0.0, 0.5, 0.99, 1.0].map(|q| timing.quantile(q));
            assert_eq!(quantiles[0].is_some(), timing.count > 0);
            assert!(quantiles.windows(2).all(|pair| pair[0] <= pair[1]), "{timing:?}");
        }
    }
    let definitions = history.definitions().map(|it| it.to_line().len() * 4 + 512).sum::<usize>();
    // Ten frames may be merging, and the newest of each depth stays.
    assert!(history.bytes() <= settings.bytes + 32 * largest + definitions + 4_096);
});
