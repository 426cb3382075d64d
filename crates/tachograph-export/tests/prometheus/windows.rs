//! Window quantiles beside lifetime counts.

use std::sync::Arc;
use std::time::Duration;

use tachograph::{Clock, MetricsCollector, MockClock, Snapshot};
use tachograph_export::prometheus::{Form, Prometheus};

use super::parse::parse;
use super::wire;

const NAME: &str = "event.processing.duration";
const FAMILY: &str = "event_processing_duration_seconds";
const SECOND: Duration = Duration::from_secs(1);

struct Driven {
    metrics: MetricsCollector,
    clock: Clock,
    mock: MockClock,
}

impl Driven {
    /// Records a duration each second, followed by a pass.
    fn run(&self, seconds: u32, duration: Option<Duration>) -> Arc<Snapshot> {
        for _ in 0..seconds {
            self.mock.advance(SECOND);
            duration.into_iter().for_each(|duration| self.metrics.timing(NAME, duration));
            self.metrics.run_pass(self.clock.now(), self.clock.wall());
        }
        self.metrics.snapshot()
    }
}

fn driven(windows: bool) -> Driven {
    let (clock, mock) = Clock::mock();
    let builder = MetricsCollector::builder().manual().clock(clock.clone());
    let builder = if windows { builder } else { builder.no_window() };
    Driven { metrics: builder.build(), clock, mock }
}

/// Whether all values are as expected, within the 0.1 % of quantiles.
fn is_close(told: &[f64], expected: &[f64]) -> bool {
    let close = |(told, expected): (&f64, &f64)| {
        (told.is_nan() && expected.is_nan()) || (told - expected).abs() <= expected * 1e-3
    };
    told.len() == expected.len() && told.iter().zip(expected).all(close)
}

/// The values of the family: its quantiles, its sum, its count.
fn told(prometheus: &mut Prometheus, snapshot: &Snapshot) -> Vec<f64> {
    let mut text = String::new();
    prometheus.text(snapshot, &mut text);
    let families = parse(&text).expect("valid");
    let family = families.iter().find(|family| family.name == FAMILY).expect("recorded");
    let values: Vec<_> = family.samples.iter().map(|sample| sample.float()).collect();
    let mut bytes = Vec::new();
    prometheus.clone().timings(Form::Summary).protobuf(snapshot, &mut bytes);
    let families = wire::decode(&bytes);
    let mut metrics = families.into_iter().filter(|family| family.name == FAMILY);
    let summary = metrics.next().and_then(|mut family| family.metrics.remove(0).summary);
    let summary = summary.expect("a summary");
    let quantiles = summary.quantiles.iter().map(|(_, value)| *value);
    let binary: Vec<_> = quantiles.chain([summary.sum, summary.count as f64]).collect();
    assert!(values.len() == 7 && is_close(&values, &binary), "{values:?}, {binary:?}");
    values
}

/// 3,600 samples of 1 ms and 120 of 2 s: 96.8 % are fast, and their sum is 243.6 s.
const LIFETIME: [f64; 7] = [0.001, 0.001, 0.001, 2.0, 2.0, 243.6, 3_720.0];

#[test]
fn after_an_hour_at_1_ms_two_minutes_at_2_s_are_what_is_told() {
    let driven = driven(true);
    driven.run(3_600, Some(Duration::from_millis(1)));
    let slow = driven.run(120, Some(2 * SECOND));
    let mut window = Prometheus::new();
    let mut lifetime = Prometheus::new().lifetime_quantiles(true);
    assert!(is_close(&told(&mut window, &slow), &[2.0, 2.0, 2.0, 2.0, 2.0, 243.6, 3_720.0]));
    assert!(is_close(&told(&mut lifetime, &slow), &LIFETIME));

    let quiet = driven.run(120, None);
    let nan = f64::NAN;
    assert!(is_close(&told(&mut window, &quiet), &[nan, nan, nan, nan, nan, 243.6, 3_720.0]));
    assert!(is_close(&told(&mut lifetime, &quiet), &LIFETIME));
}

#[test]
fn a_collector_without_windows_tells_of_its_lifetime() {
    let driven = driven(false);
    driven.run(3_600, Some(Duration::from_millis(1)));
    let slow = driven.run(120, Some(2 * SECOND));
    assert!(is_close(&told(&mut Prometheus::new(), &slow), &LIFETIME));
}
