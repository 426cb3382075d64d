//! Which clock timers read: the time-stamp counter while it keeps the monotonic clock's time.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use tachograph::{Clock, MetricsCollector, MockClock, Timing, Warning};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

struct Driven {
    metrics: MetricsCollector,
    timing: Timing,
    clock: Clock,
    mock: MockClock,
    warnings: Arc<Mutex<Vec<Warning>>>,
}

/// A collector driven by hand, on a mock clock with a time-stamp counter.
fn driven() -> Driven {
    let (clock, mock) = Clock::mock();
    mock.add_tsc();
    let warnings = Arc::<Mutex<Vec<Warning>>>::default();
    let seen = Arc::clone(&warnings);
    let metrics = MetricsCollector::builder()
        .manual()
        .clock(clock.clone())
        .on_warning(move |warning| seen.lock().expect("no panic").push(warning.clone()))
        .build();
    let timing = metrics.register_timing("t");
    Driven { metrics, timing, clock, mock, warnings }
}

impl Driven {
    fn pass_after(&self, by: Duration) {
        self.mock.advance(by);
        self.metrics.run_pass(self.clock.now(), self.clock.wall());
    }

    /// A collector whose timers read the counter.
    fn trusting() -> Self {
        let driven = driven();
        driven.pass_after(SECOND);
        driven.pass_after(SECOND);
        assert!(driven.times_by_counter());
        driven
    }

    /// Whether a timer sees the counter move alone.
    fn times_by_counter(&self) -> bool {
        let timer = self.timing.start();
        self.mock.advance_tsc(MS);
        let seen = timer.stop();
        self.mock.rewind_tsc(MS);
        assert!(seen == MS || seen.is_zero(), "{seen:?}");
        seen == MS
    }

    fn anomalies(&self) -> Option<i128> {
        self.metrics.get_counter("telemetry.clock.anomalies").map(|stats| stats.value)
    }

    fn uses_tsc(&self) -> Option<f64> {
        self.metrics.get_gauge("telemetry.clock.tsc").and_then(|gauge| gauge.current)
    }

    fn warnings(&self) -> Vec<Warning> {
        self.warnings.lock().expect("no panic").clone()
    }
}

#[test]
fn the_counter_is_used_once_it_has_kept_time_between_two_passes() {
    let driven = driven();
    assert!(!driven.times_by_counter(), "not before it was compared");
    driven.pass_after(SECOND);
    assert!(!driven.times_by_counter(), "one reading compares nothing");
    driven.pass_after(MS);
    assert!(!driven.times_by_counter(), "too soon after the last reading");
    assert_eq!(driven.uses_tsc(), Some(0.0));
    driven.pass_after(SECOND);
    assert!(driven.times_by_counter());
    assert_eq!(
        (driven.uses_tsc(), driven.anomalies(), driven.warnings().len()),
        (Some(1.0), Some(0), 0)
    );
}

#[test]
fn an_implausible_calibration_is_refused_before_any_timer_has_used_it() {
    let driven = driven();
    driven.pass_after(SECOND);
    driven.mock.advance_tsc(SECOND / 50);
    driven.pass_after(SECOND);
    assert!(!driven.times_by_counter());
    assert_eq!((driven.anomalies(), driven.warnings()), (Some(1), vec![Warning::ClockUntrusted]));
}

#[test]
fn a_counter_that_drifts_apart_is_given_up_for_good_with_one_warning() {
    let driven = Driven::trusting();
    // Within the tolerance, again and again: each comparison starts from the last.
    for _ in 0..10 {
        driven.mock.advance_tsc(SECOND / 200);
        driven.pass_after(SECOND);
    }
    assert!(driven.times_by_counter());
    driven.mock.advance_tsc(SECOND / 50);
    driven.pass_after(SECOND);
    assert!(!driven.times_by_counter());
    for _ in 0..10 {
        driven.pass_after(SECOND);
    }
    assert!(!driven.times_by_counter(), "for good");
    assert_eq!((driven.anomalies(), driven.warnings()), (Some(1), vec![Warning::ClockUntrusted]));
    assert_eq!(driven.uses_tsc(), Some(0.0));
    let timer = driven.timing.start();
    driven.mock.advance(3 * SECOND);
    assert_eq!(timer.stop(), 3 * SECOND, "on the monotonic clock");
}

#[test]
fn a_counter_that_runs_backwards_is_given_up() {
    let driven = Driven::trusting();
    driven.mock.rewind_tsc(2 * SECOND);
    driven.pass_after(SECOND);
    assert!(!driven.times_by_counter());
    assert_eq!((driven.anomalies(), driven.warnings()), (Some(1), vec![Warning::ClockUntrusted]));
}

#[test]
fn timers_that_run_during_the_fallback_end_sensibly() {
    let driven = Driven::trusting();
    let (plain, jumped, rewound) =
        (driven.timing.start(), driven.timing.start(), driven.timing.start());
    driven.mock.advance_tsc(SECOND / 20);
    driven.pass_after(SECOND);
    assert!(!driven.times_by_counter(), "fallen back");
    assert_eq!(plain.stop(), SECOND + SECOND / 20, "on the counter that it has started on");
    driven.mock.advance_tsc(1_000_000 * SECOND);
    assert_eq!(jumped.stop(), 3 * SECOND, "at most what the monotonic clock has seen of it");
    driven.mock.rewind_tsc(1_000_002 * SECOND);
    let before = driven.anomalies();
    assert_eq!(rewound.stop(), Duration::ZERO);
    assert_eq!((before, driven.anomalies()), (Some(1), Some(2)));
    assert_eq!(driven.metrics.get_timing("t").map(|stats| stats.count), Some(3 + 2));
}

#[test]
fn collectors_that_share_a_clock_give_its_counter_up_together() {
    let driven = Driven::trusting();
    let builder = MetricsCollector::builder().manual().clock(driven.clock.clone());
    let other = builder.build();
    let pass = || other.run_pass(driven.clock.now(), driven.clock.wall());
    pass();
    driven.mock.advance_tsc(SECOND / 20);
    driven.pass_after(SECOND);
    assert!(!driven.times_by_counter());
    for _ in 0..3 {
        driven.mock.advance(SECOND);
        pass();
        assert!(!driven.times_by_counter(), "refused for both");
    }
}

#[test]
fn without_a_counter_timers_read_the_monotonic_clock() {
    let (clock, mock) = Clock::mock();
    let metrics = MetricsCollector::builder().manual().clock(clock.clone()).build();
    for _ in 0..3 {
        mock.advance(SECOND);
        metrics.run_pass(clock.now(), clock.wall());
    }
    let timer = metrics.timer("t");
    mock.advance_tsc(SECOND);
    mock.advance(MS);
    assert_eq!(timer.stop(), MS);
}

/// Of a collector driven by hand, on the machine's clocks, whether its timers come to read the
/// counter.
#[cfg(target_os = "linux")]
fn times_by_counter(calibrate: bool) -> bool {
    let builder = MetricsCollector::builder().manual();
    let metrics = if calibrate { builder.calibrate_tsc() } else { builder }.build();
    // Comparisons are made 50 ms apart, and again where the thread was interrupted in one.
    (0..20).any(|_| {
        metrics.run_pass(Instant::now(), SystemTime::now());
        std::thread::sleep(60 * MS);
        metrics.run_pass(Instant::now(), SystemTime::now());
        metrics.get_gauge("telemetry.clock.tsc").and_then(|gauge| gauge.current) == Some(1.0)
    })
}

/// As the machine has it: the kernel says whether its own clock uses the counter.
#[cfg(target_os = "linux")]
#[test]
fn timers_of_a_manual_collector_read_the_counter_where_that_was_asked_for() {
    const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    let source = std::fs::read_to_string(SOURCE).unwrap_or_default();
    assert_eq!(times_by_counter(true), source.trim() == "tsc", "the kernel's clock: {source}");
    assert!(!times_by_counter(false), "nobody has asked for it");
}
