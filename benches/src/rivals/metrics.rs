//! `metrics` with the recorder of `metrics-exporter-prometheus`.

use std::sync::OnceLock;
use std::time::Instant;

use metrics::Level;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::{Rival, TAG};
use crate::case::Case;

const NAME: &str = "metrics";

/// The process's only recorder, which the macros require.
fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).expect("the first");
        handle
    })
}

fn shown(metric: &str) -> Option<f64> {
    super::shown(&recorder().render(), metric)
}

pub(super) fn counter() -> Rival {
    recorder();
    let counter = metrics::counter!(level: Level::INFO, "counter");
    let case = Case::new(NAME, move || counter.clone(), |counter, _| counter.increment(1))
        .check(|done| assert_eq!(shown("counter"), Some(done.operations as f64)));
    Rival::new(case, "one shared word")
}

pub(super) fn counter_by_macro() -> Rival {
    recorder();
    let call = |(): &(), _| metrics::counter!("counter.macro").increment(1);
    let case = Case::new("metrics, macro", || (), call)
        .check(|done| assert_eq!(shown("counter_macro"), Some(done.operations as f64)));
    Rival::new(case, "looks up the name, which is known when compiled")
}

pub(super) fn tagged() -> Rival {
    recorder();
    let case = Case::new(
        NAME,
        || TAG.1,
        |value, _| {
            metrics::counter!("tagged", TAG.0 => *value).increment(1);
        },
    )
    .check(|done| {
        let metric = format!("tagged{{{}=\"{}\"}}", TAG.0, TAG.1);
        assert_eq!(shown(&metric), Some(done.operations as f64));
    });
    Rival::new(case, "looks up name and tag, as ours does")
}

pub(super) fn gauge() -> Rival {
    recorder();
    let gauge = metrics::gauge!("gauge");
    let case = Case::new(NAME, move || gauge.clone(), |gauge, i| gauge.set(i as f64))
        .check(|_| assert!(shown("gauge").is_some()));
    Rival::new(case, super::PLAIN_GAUGE)
}

pub(super) fn timing() -> Rival {
    recorder();
    let timing = metrics::histogram!("timing");
    let case = Case::new(NAME, move || timing.clone(), |timing, i| timing.record(i as f64))
        .between(|| recorder().run_upkeep())
        .check(|done| {
            assert_eq!(shown("timing_count"), Some(done.operations as f64));
            assert_eq!(shown("timing_sum"), Some(done.sum as f64));
        });
    Rival::new(case, "allocates a block every 64 samples")
        .seen("when rendered; until then every sample is kept")
        .within("0.01 %, of the last minute")
}

pub(super) fn timer() -> Rival {
    recorder();
    let timing = metrics::histogram!("timer");
    let case = Case::new(
        NAME,
        move || timing.clone(),
        |timing, _| {
            let start = Instant::now();
            timing.record(start.elapsed());
        },
    )
    .between(|| recorder().run_upkeep())
    .check(|done| assert_eq!(shown("timer_count"), Some(done.operations as f64)));
    Rival::new(case, "two reads of the monotonic clock")
        .seen("when rendered; until then every sample is kept")
        .within("0.01 %, of the last minute")
}
