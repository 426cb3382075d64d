//! One process of the fleet: a collector with its series.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fastrand::Rng;
use tachograph::{
    Clock, Counter, Gauge, Histogram, MetricsCollector, MockClock, Recorder, Snapshot, Timing, Unit,
};

use crate::shapes::log_normal;

/// Seconds between two scrapes.
pub(crate) const SCRAPE_SECONDS: u64 = 15;

/// Scrape intervals between two passes: a lane has several times the room needed for them.
const PASS_EVERY: u32 = 8;

/// The number of routes that tag a family's series.
const ROUTES: usize = 40;

/// A process with a mix of series like `ast-server`'s: per hundred about 79 counters, 16 timings, 4
/// gauges and a histogram, each tagged with one of 40 routes.
///
/// Recording rates differ by up to a factor of a thousand between series.
#[derive(Debug)]
pub struct Process {
    metrics: MetricsCollector,
    clock: Clock,
    mock: MockClock,
    recorder: Recorder,
    series: Vec<Series>,
    random: Rng,
}

#[derive(Debug)]
struct Series {
    handle: Handle,
    /// Records between two scrapes, on average.
    records: f64,
}

#[derive(Debug)]
enum Handle {
    Counter(Counter),
    Gauge(Gauge),
    Timing { timing: Timing, median: f64, sigma: f64 },
    Histogram(Histogram),
}

impl Process {
    /// A process that has not recorded anything yet.
    pub fn new(series: usize, seed: u64) -> Self {
        let (clock, mock) = clock();
        let metrics = collector(clock.clone());
        let mut random = Rng::with_seed(seed);
        let recorder = metrics.recorder();
        let series = (0..series).map(|i| Series::new(&metrics, i, &mut random)).collect();
        Self { metrics, clock, mock, recorder, series, random }
    }

    /// Records for a number of scrape intervals without being scraped.
    pub fn work(&mut self, intervals: u32) {
        for interval in 1..=intervals {
            for series in &self.series {
                series.work(&self.recorder, &mut self.random);
            }
            let elapsed = Duration::from_secs(SCRAPE_SECONDS);
            self.mock.advance(elapsed);
            self.mock.advance_wall(elapsed);
            if interval.is_multiple_of(PASS_EVERY) || interval == intervals {
                self.metrics.run_pass(self.clock.now(), self.clock.wall());
            }
        }
    }

    /// A snapshot of everything so far.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.metrics.get_all_metrics()
    }
}

/// A clock that is stopped at a fixed moment, so that times take the same number of bytes in each
/// run.
pub(crate) fn clock() -> (Clock, MockClock) {
    let (clock, mock) = Clock::mock();
    let moment = SystemTime::UNIX_EPOCH + Duration::new(4_000_000_000, 123_456_789);
    // In 2096: later than any correctly set clock.
    mock.advance_wall(moment.duration_since(clock.wall()).unwrap_or_default());
    (clock, mock)
}

/// A collector with room for 16,384 samples between two passes, so none is coalesced.
pub(crate) fn collector(clock: Clock) -> MetricsCollector {
    MetricsCollector::builder().manual().no_window().clock(clock).lane_blocks(32, 32).build()
}

impl Series {
    fn new(metrics: &MetricsCollector, index: usize, random: &mut Rng) -> Self {
        let (family, route) = (index / ROUTES, format!("/api/v1/items/{}", index % ROUTES));
        let tags = [("route", route.as_str())];
        let tagged = metrics.with_tags(&tags);
        let describe = |name: &str, unit| metrics.describe(name, unit, "what a process does");
        let handle = match index % 100 {
            0..79 => {
                let name = format!("requests.served.by_route.{family}");
                describe(&name, Unit::None);
                Handle::Counter(tagged.register_counter(&name))
            }
            79..95 => {
                let name = format!("request.handling.duration.{family}");
                describe(&name, Unit::Seconds);
                let (median, sigma) = (2e4 * 1e3f64.powf(random.f64()), 0.3 + 0.7 * random.f64());
                Handle::Timing { timing: tagged.register_timing(&name), median, sigma }
            }
            95..99 => {
                let name = format!("requests.in_flight.{family}");
                describe(&name, Unit::None);
                Handle::Gauge(tagged.register_gauge(&name))
            }
            _ => {
                let name = format!("response.size.{family}");
                describe(&name, Unit::Bytes);
                Handle::Histogram(tagged.register_histogram(&name))
            }
        };
        Self { handle, records: 0.02 * 1e3f64.powf(random.f64()) }
    }

    fn work(&self, recorder: &Recorder, random: &mut Rng) {
        // Correct on average: 2.3 records are always 2, and a third in 3 of 10 intervals.
        for _ in 0..(self.records + random.f64()) as u64 {
            match &self.handle {
                Handle::Counter(counter) => recorder.increment(counter),
                Handle::Gauge(gauge) => recorder.set(gauge, random.u32(0..64).into()),
                Handle::Timing { timing, median, sigma } => {
                    recorder.record_ns(timing, log_normal(random, *median, *sigma) as u64);
                }
                Handle::Histogram(size) => {
                    recorder.record(size, log_normal(random, 2_000.0, 1.0) as u64);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_the_series_that_were_asked_for_and_the_collectors_own() {
        let mut process = Process::new(1_000, 3);
        process.work(8);
        let snapshot = process.snapshot();
        let own = |name: &str| name.starts_with("telemetry.");
        let series = snapshot.series().iter().filter(|series| !own(&series.metric.name));
        assert_eq!(series.clone().count(), 1_000);
        let timings = series.filter_map(|series| series.value.as_timing());
        let counts: Vec<_> = timings.map(|timing| timing.lifetime.count).collect();
        assert_eq!(counts.len(), 170);
        assert!(counts.contains(&0) && counts.iter().any(|count| *count > 100));
        let told = |name| snapshot.find(name, &[]).and_then(|it| it.value.as_counter());
        let value = |name| told(name).expect("told").lifetime.value;
        assert_eq!(value("telemetry.recorded"), value("telemetry.aggregated"));
        assert_eq!(value("telemetry.coalesced"), 0);
    }
}
