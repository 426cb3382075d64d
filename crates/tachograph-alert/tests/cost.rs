//! What an evaluation costs, counted in allocations.

use std::alloc::System;
use std::time::{Duration, Instant, SystemTime};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tachograph::MetricsCollector;
use tachograph_alert::{Engine, State, parse};
use tachograph_history::{Frame, History, Settings};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const RULES: &str = r#"
    [[rule]]
    name = "Slow"
    metric = "turn"
    tags = { n = "*" }
    statistic = "max"
    last = "60s"
    op = ">"
    threshold = "1ms"
    message = "{labels.n}: {value}"

    [[rule]]
    name = "Errors"
    metric = "errors"
    tags = { n = "*" }
    statistic = "increase"
    last = "60s"
    op = ">"
    threshold = 0
    message = "{labels.n}: {value}"
"#;

#[test]
fn alerts_that_stay_as_they_are_cost_no_allocation() {
    let allocations = [1, 300].map(|series: u64| {
        let metrics = MetricsCollector::builder().manual().build();
        let (start, wall) = (Instant::now(), SystemTime::now());
        let mut history = History::new(Settings::default());
        let mut engine = Engine::new(parse(RULES).expect("right"), Duration::from_secs(1));
        let mut end_ms = 0;
        for second in 1..=30 {
            for number in 0..series {
                let number = number.to_string();
                let tags = [("n", &*number)];
                metrics.with_tags(&tags).timing("turn", Duration::from_millis(5));
                metrics.with_tags(&tags).increment("errors");
            }
            let now = Duration::from_secs(second);
            metrics.run_pass(start + now, wall + now);
            let (frame, new) = history.record(&metrics.snapshot()).expect("newer");
            engine.frame(&frame, &new);
            end_ms = frame.end_ms;
        }
        let alerts = engine.statuses().flat_map(|it| it.alerts);
        let firing = alerts.filter(|it| it.state == State::Firing).count() as u64;
        assert_eq!(firing, 2 * series);
        let idle = Frame { end_ms: end_ms + 1_000, span_ms: 1_000, ..Frame::default() };
        let region = Region::new(ALLOCATOR);
        assert_eq!(engine.frame(&idle, &[]), []);
        region.change().allocations
    });
    assert_eq!(allocations, [0, 0], "with 2 alerts, and with 600");
}
