//! The error of the fleet's quantiles, by the way they were aggregated.

use std::thread;

use fastrand::Rng;
use tachograph::Snapshot;
use tachograph_export::otlp::Settings;
use tachograph_export::prometheus::{Bounds, Form, Prometheus, Schema};

use crate::Fleet;
use crate::classic::Classic;
use crate::decode::{distributions, families};
use crate::exponential::Exponential;
use crate::oracle::quantile;
use crate::process::{clock, collector};
use crate::shapes::{Place, Shape};
use crate::table::{Table, duration, percent};

/// The quantiles to compare, in permille.
const QUANTILES: [usize; 4] = [500, 950, 990, 999];

/// A scrape's bucket limit, chosen so that schemas differ within the fleet.
const BUCKET_LIMIT: usize = 50;

/// The Collector's bucket limit, which is the default of OpenTelemetry's SDKs.
const OTLP_BUCKETS: usize = 160;

/// The errors of a fleet.
#[derive(Clone, Debug, PartialEq)]
pub struct Accuracy {
    rows: Vec<Row>,
    resolutions: Vec<Resolution>,
}

/// One quantile of one shape: the exact value, and the relative error of each way of aggregating.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The shape's name.
    pub shape: &'static str,
    /// The quantile, in permille.
    pub permille: usize,
    /// The exact quantile over all samples of all processes, in seconds.
    pub exact: f64,
    /// Native histograms of schema 5, aggregated by Prometheus.
    pub native: f64,
    /// The same with a scrape limit of 50 buckets.
    pub limited: f64,
    /// Exponential histograms, aggregated by a Collector within 160 buckets.
    pub otlp: f64,
    /// Classic histograms, aggregated by Prometheus.
    pub classic: f64,
    /// The mean of the processes' own summary quantiles.
    pub mean: f64,
    /// The maximum of the processes' own summary quantiles.
    pub greatest: f64,
}

/// The resolution that remains for one shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolution {
    /// The shape's name.
    pub shape: &'static str,
    /// The total number of samples.
    pub samples: usize,
    /// Non-empty buckets at schema 5: the mean per process, and the sum's.
    pub native_buckets: (f64, usize),
    /// The coarsest schema of a limited scrape, which is also the sum's.
    pub limited_schema: i32,
    /// The finest and the coarsest scale of the processes' exponential histograms.
    pub otlp_scales: (i32, i32),
    /// The scale of their sum.
    pub otlp_scale: i32,
}

impl Accuracy {
    /// Runs all processes, reads and aggregates them, and compares.
    pub fn of(fleet: &Fleet) -> Self {
        Self::by(fleet, thread::available_parallelism().map_or(1, usize::from))
    }

    fn by(fleet: &Fleet, threads: usize) -> Self {
        let mut sums = new_sums();
        for part in in_parts(fleet, threads) {
            sums.iter_mut().zip(part).for_each(|(sum, part)| sum.merge(part));
        }
        sums.iter_mut().for_each(|sum| sum.samples.sort_unstable());
        let named = || Shape::ALL.iter().zip(&sums);
        Self {
            rows: named().flat_map(|(shape, sum)| sum.rows(shape.name)).collect(),
            resolutions: named().map(|(shape, sum)| sum.resolution(shape.name)).collect(),
        }
    }

    /// One row per shape and quantile.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    /// One row per shape.
    pub fn resolutions(&self) -> impl Iterator<Item = &Resolution> {
        self.resolutions.iter()
    }

    /// The errors as a table.
    pub fn table(&self) -> Table {
        let header = [
            "latencies",
            "quantile",
            "exact",
            "native, schema 5",
            "native, 50 buckets",
            "OTLP",
            "classic",
            "mean of the processes'",
            "greatest of them",
        ];
        let mut table = Table::new(2, header);
        for row in self.rows() {
            let errors = [row.native, row.limited, row.otlp, row.classic, row.mean, row.greatest];
            let named = [row.shape.to_owned(), format!("p{}", row.permille as f64 / 10.0)];
            let cells = named.into_iter().chain([duration(row.exact)]);
            table.row(cells.chain(errors.map(percent)));
        }
        table
    }
}

/// Parts of the fleet, each computed on its own thread, in the order of the processes.
fn in_parts(fleet: &Fleet, threads: usize) -> Vec<Vec<Sum>> {
    let size = fleet.processes.div_ceil(threads).max(1);
    let starts = (0..fleet.processes).step_by(size);
    thread::scope(|scope| {
        let part = |start: usize| {
            let end = (start + size).min(fleet.processes);
            scope.spawn(move || {
                let mut sums = new_sums();
                (start..end).for_each(|index| read(fleet, index, &mut sums));
                sums
            })
        };
        let threads: Vec<_> = starts.map(part).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// An empty sum for each shape.
fn new_sums() -> Vec<Sum> {
    Shape::ALL.iter().map(|_| Sum::default()).collect()
}

/// Has one process record all shapes, and adds what is read from it to the sums.
fn read(fleet: &Fleet, index: usize, sums: &mut [Sum]) {
    let metrics = collector(clock().0);
    let recorder = metrics.recorder();
    let place = Place { index, of: fleet.processes };
    for (number, (shape, sum)) in Shape::ALL.iter().zip(&mut *sums).enumerate() {
        // One seed per process and shape, so that none depends on the others.
        let stream = (index * Shape::ALL.len() + number) as u64;
        let mut random = Rng::with_seed(fleet.seed.wrapping_add(stream.wrapping_mul(ODD)));
        let timing = metrics.register_timing(shape.name);
        let drawn = shape.draw(&mut random, place);
        drawn.iter().for_each(|nanos| recorder.record_ns(&timing, *nanos));
        sum.samples.extend(drawn);
    }
    let snapshot = metrics.get_all_metrics();
    for (shape, sum) in Shape::ALL.iter().zip(&mut *sums) {
        sum.own.push(own_quantiles(&snapshot, shape.name));
    }
    read_prometheus(&snapshot, sums);
    read_otlp(&snapshot, sums);
}

/// Spreads the seeds: 2^64 divided by the golden ratio, made odd.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The quantiles in the process's summary.
fn own_quantiles(snapshot: &Snapshot, name: &str) -> [f64; 4] {
    let stats = snapshot.find(name, &[]).and_then(|series| series.value.as_timing());
    let stats = &stats.expect("recorded above").lifetime;
    assert_eq!(stats.buckets().coalesced(), 0, "the lane has room for every sample");
    QUANTILES.map(|permille| stats.quantile(permille as f64 / 1e3).unwrap_or(f64::NAN))
}

fn read_prometheus(snapshot: &Snapshot, sums: &mut [Sum]) {
    let form = Form::NativeAndClassic(Schema::default(), Bounds::default());
    let mut bytes = Vec::new();
    Prometheus::new().timings(form).protobuf(snapshot, &mut bytes);
    let families = families(&bytes);
    for (shape, sum) in Shape::ALL.iter().zip(sums) {
        let family = tachograph_export::prometheus::family_name(
            shape.name,
            tachograph::Kind::Timing,
            &tachograph::Unit::Seconds,
        );
        let found = families.iter().find(|found| found.name == family);
        let histogram = found.and_then(|found| found.metric.first()?.histogram.as_ref());
        let histogram = histogram.expect("a timing is a histogram here");
        let native = histogram.native();
        let mut limited = native.clone();
        limited.limit_buckets(BUCKET_LIMIT);
        sum.buckets += native.buckets().count();
        sum.native.add(&native);
        sum.limited.add(&limited);
        sum.classic.add(&histogram.classic());
    }
}

fn read_otlp(snapshot: &Snapshot, sums: &mut [Sum]) {
    let mut bytes = Vec::new();
    Settings::new("fleet").max_buckets(OTLP_BUCKETS).encoder().encode(snapshot, &mut bytes);
    let distributions = distributions(&bytes);
    for (shape, sum) in Shape::ALL.iter().zip(sums) {
        let found = distributions.iter().find(|(name, _)| name == shape.name);
        let (_, distribution) = found.expect("a timing is an exponential histogram");
        sum.scales.push(distribution.scale());
        sum.otlp.add_within(distribution, OTLP_BUCKETS);
    }
}

/// One shape, aggregated over all processes so far.
#[derive(Debug, Default)]
struct Sum {
    samples: Vec<u64>,
    /// Each process's own quantiles.
    own: Vec<[f64; 4]>,
    /// The non-empty buckets of all processes' native histograms.
    buckets: usize,
    scales: Vec<i32>,
    native: Exponential,
    limited: Exponential,
    otlp: Exponential,
    classic: Classic,
}

impl Sum {
    /// Adds the sum of later processes.
    fn merge(&mut self, other: Self) {
        self.samples.extend(other.samples);
        self.own.extend(other.own);
        self.buckets += other.buckets;
        self.scales.extend(other.scales);
        self.native.add(&other.native);
        self.limited.add(&other.limited);
        self.otlp.add_within(&other.otlp, OTLP_BUCKETS);
        self.classic.add(&other.classic);
    }

    fn rows(&self, shape: &'static str) -> impl Iterator<Item = Row> {
        QUANTILES.iter().enumerate().map(move |(i, permille)| {
            let exact = quantile(&self.samples, *permille).map_or(f64::NAN, |nanos| nanos as f64);
            let exact = exact / 1e9;
            let own = self.own.iter().map(|own| own[i]);
            let q = *permille as f64 / 1e3;
            let error = |estimate: f64| estimate / exact - 1.0;
            Row {
                shape,
                permille: *permille,
                exact,
                native: error(self.native.quantile(q)),
                limited: error(self.limited.quantile(q)),
                otlp: error(self.otlp.quantile(q)),
                classic: error(self.classic.quantile(q)),
                mean: error(own.clone().sum::<f64>() / self.own.len() as f64),
                greatest: error(own.fold(0.0, f64::max)),
            }
        })
    }

    fn resolution(&self, shape: &'static str) -> Resolution {
        let finest = self.scales.iter().max().copied().unwrap_or_default();
        let coarsest = self.scales.iter().min().copied().unwrap_or_default();
        Resolution {
            shape,
            samples: self.samples.len(),
            native_buckets: (
                self.buckets as f64 / self.own.len() as f64,
                self.native.buckets().count(),
            ),
            limited_schema: self.limited.scale(),
            otlp_scales: (finest, coarsest),
            otlp_scale: self.otlp.scale(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_threads_makes_no_difference() {
        let fleet = Fleet { processes: 7, series: 1, seed: 2 };
        let alone = Accuracy::by(&fleet, 1);
        assert_eq!(Accuracy::by(&fleet, 3), alone);
        assert_eq!(Accuracy::by(&fleet, 100), alone);
    }

    // Compares the sum of three processes' bytes with one process that recorded all their samples.
    #[test]
    fn added_up_bytes_are_those_of_one_process_with_all_samples() {
        let place = |index| Place { index, of: 3 };
        let (mut sums, mut whole) = (new_sums(), new_sums());
        let all = collector(clock().0);
        for index in 0..3 {
            let metrics = collector(clock().0);
            for (number, shape) in Shape::ALL.iter().enumerate() {
                let mut random = Rng::with_seed((index * 10 + number) as u64);
                for nanos in shape.draw(&mut random, place(index)) {
                    let duration = std::time::Duration::from_nanos(nanos);
                    metrics.timing(shape.name, duration);
                    all.timing(shape.name, duration);
                }
            }
            read_prometheus(&metrics.get_all_metrics(), &mut sums);
            read_otlp(&metrics.get_all_metrics(), &mut sums);
        }
        read_prometheus(&all.get_all_metrics(), &mut whole);
        read_otlp(&all.get_all_metrics(), &mut whole);
        for (sum, whole) in sums.iter().zip(&whole) {
            assert!(sum.native.buckets().eq(whole.native.buckets()), "{:?}", sum.native);
            assert_eq!(sum.classic, whole.classic);
            // The whole may keep a finer scale than one of its parts. Beyond scale 5 edges are so
            // close that a process's own minimum and maximum may shift a neighbouring bucket.
            let (mut sum, mut whole) = (sum.otlp.clone(), whole.otlp.clone());
            let scale = sum.scale().min(5);
            sum.coarsen_to(scale);
            whole.coarsen_to(scale);
            assert!(sum.buckets().eq(whole.buckets()), "{sum:?}");
        }
    }
}
