//! The collector's own metrics: the `telemetry.*` series, part of every snapshot.
//!
//! | name | kind | unit | meaning |
//! |---|---|---|---|
//! | `telemetry.recorded` | counter | samples | recording calls, including dropped ones |
//! | `telemetry.aggregated` | counter | samples | folded into a series |
//! | `telemetry.dropped[reason=…]` | counter | samples | not aggregated, by [`DropReason`] |
//! | `telemetry.coalesced` | counter | samples | aggregated with 3.2 % resolution, under overload |
//! | `telemetry.exemplars_dropped` | counter | traces | lost under overload, without losing their samples |
//! | `telemetry.kind_conflicts` | counter | calls | refused: the name has another kind, or is the collector's own |
//! | `telemetry.monotonic_decrements` | counter | calls | decrements of a monotonic counter |
//! | `telemetry.overflowed` | counter | look-ups | tag sets sent to an overflow series |
//! | `telemetry.truncated` | counter | texts | names, keys and values that were cut |
//! | `telemetry.clock.anomalies` | counter | – | time that ran backwards, clocks that differ |
//! | `telemetry.clock.tsc` | gauge | – | 1 while timers read the time-stamp counter, else 0 |
//! | `telemetry.passes`, `telemetry.panics` | counter | – | passes made, passes that panicked |
//! | `telemetry.callback_panics` | counter | – | panics of the program's callbacks |
//! | `telemetry.pass.duration` | timing | seconds | a pass |
//! | `telemetry.pass.age` | gauge | seconds | between the last two passes |
//! | `telemetry.recorders`, `telemetry.lanes` | gauge | – | lanes with an owner, lanes |
//! | `telemetry.ring.occupancy` | gauge | ratio | fullness of the fullest lane at the last pass |
//! | `telemetry.series`, `telemetry.metrics` | gauge | – | that exist |
//! | `telemetry.memory` | gauge | bytes | held, estimated |
//!
//! Whenever nothing is being recorded, `recorded = aggregated + dropped`.

use std::iter::once;
use std::time::Duration;

use crate::aggregate::series_table::SeriesTable;
use crate::aggregate::window::Step;
use crate::drops::drop_reason::DropReason;
use crate::drops::tallies::{Tallies, Tally};
use crate::lane::cell::CounterReading;
use crate::series::metric::{Kind, Unit};
use crate::series::registry::Registry;
use crate::series::tags::Tags;
use crate::sync::{Arc, fault};
use crate::time::stamp::nanos;

/// The aggregator's own counts.
#[derive(Debug)]
pub(crate) struct Readings {
    pub(crate) read: u64,
    pub(crate) aggregated: u64,
    pub(crate) coalesced: u64,
    pub(crate) open_lanes: usize,
    pub(crate) lanes: usize,
    pub(crate) series: usize,
    pub(crate) metrics: usize,
    pub(crate) memory: usize,
    /// The part held by timings and histograms.
    pub(crate) distribution_bytes: usize,
    pub(crate) tsc: bool,
}

#[derive(Debug)]
pub(crate) struct Telemetry {
    tallies: Arc<Tallies>,
    /// Each counter's id, and the value reported so far.
    counters: Vec<(u32, u64)>,
    dropped: Vec<(u32, u64)>,
    gauges: Vec<u32>,
    pass_duration: u32,
    durations: Vec<Duration>,
    pub(crate) passes: u64,
    pub(crate) panics: u64,
    pub(crate) age: Duration,
    pub(crate) occupancy: f64,
}

/// A series: its name, its unit, what it tells, and its value.
struct Metered<T> {
    name: &'static str,
    unit: Unit,
    text: &'static str,
    value: fn(&Telemetry, &Readings) -> T,
}

const fn count(
    name: &'static str,
    text: &'static str,
    value: fn(&Telemetry, &Readings) -> u64,
) -> Metered<u64> {
    Metered { name, unit: Unit::None, text, value }
}

const fn level(
    name: &'static str,
    unit: Unit,
    text: &'static str,
    value: fn(&Telemetry, &Readings) -> f64,
) -> Metered<f64> {
    Metered { name, unit, text, value }
}

#[rustfmt::skip]
const COUNTERS: [Metered<u64>; 12] = [
    count("telemetry.recorded", "recording calls, dropped ones included",
        |own, readings| readings.read + own.tallies.dropped_total()),
    count("telemetry.aggregated", "samples folded into a series",
        |_, readings| readings.aggregated),
    count("telemetry.coalesced", "samples aggregated with 3.2 % resolution, under overload",
        |_, readings| readings.coalesced),
    count("telemetry.exemplars_dropped", "traces lost under overload, their samples were not",
        |own, _| own.tallies.get(Tally::ExemplarDropped)),
    count("telemetry.kind_conflicts",
        "calls refused: the name has another kind, or is the collector's own",
        |own, _| own.tallies.get(Tally::KindConflict)),
    count("telemetry.monotonic_decrements", "decrements of a monotonic counter",
        |own, _| own.tallies.get(Tally::MonotonicDecrement)),
    count("telemetry.overflowed", "tag sets sent to an overflow series",
        |own, _| own.tallies.get(Tally::Overflowed)),
    count("telemetry.truncated", "names, tag keys and tag values that were cut",
        |own, _| own.tallies.get(Tally::Truncated)),
    count("telemetry.clock.anomalies", "time that ran backwards, clocks that differ",
        |own, _| own.tallies.get(Tally::ClockAnomaly)),
    count("telemetry.passes", "passes of the aggregator",
        |own, _| own.passes),
    count("telemetry.panics", "passes of the aggregator that panicked",
        |own, _| own.panics),
    count("telemetry.callback_panics", "panics of the program's callbacks",
        |own, _| own.tallies.get(Tally::CallbackPanic)),
];

#[rustfmt::skip]
const GAUGES: [Metered<f64>; 8] = [
    level("telemetry.pass.age", Unit::Seconds, "time between the last two passes",
        |own, _| own.age.as_secs_f64()),
    level("telemetry.recorders", Unit::None, "lanes with an owner",
        |_, readings| readings.open_lanes as f64),
    level("telemetry.lanes", Unit::None, "lanes, with and without an owner",
        |_, readings| readings.lanes as f64),
    level("telemetry.ring.occupancy", Unit::Ratio, "fullness of the fullest lane at the last pass",
        |own, _| own.occupancy),
    level("telemetry.series", Unit::None, "series that exist",
        |_, readings| readings.series as f64),
    level("telemetry.metrics", Unit::None, "metrics that exist",
        |_, readings| readings.metrics as f64),
    level("telemetry.memory", Unit::Bytes, "bytes held, estimated",
        |_, readings| readings.memory as f64),
    level("telemetry.clock.tsc", Unit::None, "1 while timers read the time-stamp counter, else 0",
        |_, readings| f64::from(u8::from(readings.tsc))),
];

const DROPPED: &str = "telemetry.dropped";
const PASS_DURATION: &str = "telemetry.pass.duration";

/// The most pass durations that wait for a report; further ones are discarded.
const DURATIONS_MAX: usize = 1_024;

impl Telemetry {
    pub(crate) fn register(registry: &Registry) -> Self {
        let describe = |name: &str, unit: &Unit, text: &str| {
            registry.describe_any(name, unit.clone(), 1.0, text);
        };
        let series = |name: &str, tags: Tags, kind| registry.resolve_any(name, tags, kind).id;
        let counter = |row: &Metered<u64>| {
            describe(row.name, &row.unit, row.text);
            (series(row.name, Tags::default(), Kind::Counter), 0)
        };
        let gauge = |row: &Metered<f64>| {
            describe(row.name, &row.unit, row.text);
            series(row.name, Tags::default(), Kind::Gauge)
        };
        describe(DROPPED, &Unit::None, "samples that were not aggregated, by reason");
        describe(PASS_DURATION, &Unit::Seconds, "a pass of the aggregator");
        let dropped = |reason: &DropReason| {
            (series(DROPPED, Tags::new(&[("reason", reason.name())]), Kind::Counter), 0)
        };
        Self {
            tallies: Arc::clone(&registry.tallies),
            counters: COUNTERS.iter().map(counter).collect(),
            dropped: DropReason::ALL.iter().map(dropped).collect(),
            gauges: GAUGES.iter().map(gauge).collect(),
            pass_duration: series(PASS_DURATION, Tags::default(), Kind::Timing),
            durations: Vec::new(),
            passes: 0,
            panics: 0,
            age: Duration::ZERO,
            occupancy: 0.0,
        }
    }

    pub(crate) fn note_pass(&mut self, took: Duration) {
        if self.durations.len() < DURATIONS_MAX {
            self.durations.push(took);
        }
    }

    /// Discards all counts.
    pub(crate) fn start_over(&mut self) {
        let reported = self.counters.iter_mut().chain(&mut self.dropped);
        reported.for_each(|(_, reported)| *reported = 0);
        self.durations.clear();
        (self.passes, self.panics) = (0, 0);
    }

    /// Updates the series.
    pub(crate) fn report(&mut self, table: &mut SeriesTable, readings: &Readings, step: Step) {
        let totals = COUNTERS.map(|row| (row.value)(self, readings));
        let dropped = DropReason::ALL.map(|reason| self.tallies.dropped(reason));
        let counters = self.counters.iter_mut().zip(totals);
        for ((id, reported), total) in counters.chain(self.dropped.iter_mut().zip(dropped)) {
            // A total read while threads record may be lower than one read before.
            let gained = total.saturating_sub(*reported);
            if gained > 0
                && let Some(state) = table.state(*id)
            {
                fault::point("build: a counter is reported");
                state.fold_counter(CounterReading { value: gained, calls: 1 }, step);
            }
            *reported += gained;
        }
        let levels = GAUGES.map(|row| (row.value)(self, readings));
        for (&id, level) in self.gauges.iter().zip(levels) {
            if let Some(state) = table.state(id) {
                state.fold(once(level.to_bits()), step);
                state.settle_gauge(f64::NAN);
            }
        }
        for took in self.durations.drain(..) {
            if let Some(state) = table.state(self.pass_duration) {
                state.fold(once(nanos(took)), step);
            }
        }
    }
}
