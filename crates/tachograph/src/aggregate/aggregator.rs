//! One pass: drains the lanes, folds the samples, makes a snapshot.
//!
//! Owns no thread and reads no clock. The holder of its mutex runs it; recorders never do.

mod drain;

use std::time::{Duration, Instant};

use crate::aggregate::on_steps::OnSteps;
use crate::aggregate::pace::Pace;
use crate::aggregate::series_table::SeriesTable;
use crate::aggregate::telemetry::{Readings, Telemetry};
use crate::aggregate::window::Step;
use crate::drops::tallies::Tally;
use crate::lane::batch::Batch;
use crate::lane::lane::Lane;
use crate::lane::reader::LaneReader;
use crate::lane::shared::Shared;
use crate::limits::{LANES_ANNOUNCED_EVERY, LANES_SPARE};
use crate::prometheus_names::naming::Naming;
use crate::read::snapshot::{Recording, Snapshot, Value};
use crate::series::metric::Metric;
use crate::series::warning::Warning;
use crate::sync::{Arc, fault};
use crate::time::start::{self, PassTime, Start};
use crate::time::tsc::TscWatch;

/// The settings of an aggregator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// The sliding window's width and steps; `None`: no windows.
    pub(crate) window: Option<(Duration, u32)>,
    /// How long an idle series stays in the snapshots; `None`: forever.
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) blocks_initial: usize,
    pub(crate) blocks_max: usize,
}

#[derive(Debug)]
pub(crate) struct Aggregator {
    shared: Arc<Shared>,
    settings: Settings,
    /// The list of lanes when `readers` was last matched to it.
    lanes: Arc<Vec<Arc<Lane>>>,
    pub(crate) readers: Vec<LaneReader>,
    /// Samples recorded into lanes that no longer exist.
    of_gone_lanes: u64,
    pub(crate) table: SeriesTable,
    tsc: TscWatch,
    metrics: Vec<Arc<Metric>>,
    metrics_revision: u64,
    naming: Naming,
    /// When the collector was created; steps are counted from here.
    epoch: Instant,
    /// When it was created or reset; the uptime is counted from here.
    started: Start,
    /// The time of the last pass.
    now: PassTime,
    /// Increases with every reset of any values.
    generation: u64,
    /// How long recording was on: up to the last pass, which folds cells and rows, and up to the
    /// last drain.
    on_passes: OnSteps,
    on_drains: OnSteps,
    version: u64,
    pub(crate) telemetry: Telemetry,
    /// Published snapshots that a reader may still hold. They are kept here so that an event loop
    /// never has to free one.
    retired: Vec<Arc<Snapshot>>,
    snapshot_bytes: usize,
    batch: Batch,
    /// The lane that the next drain begins with, modulo their number.
    first_lane: usize,
    /// When recorders were last told of free lanes.
    announced: Instant,
    pace: Pace,
}

impl Aggregator {
    pub(crate) fn new(
        shared: Arc<Shared>,
        settings: Settings,
        naming: Naming,
        now: PassTime,
    ) -> Self {
        let telemetry = Telemetry::register(&shared.registry);
        shared.on_time(now.monotonic);
        let generation = start::first_generation();
        let mut aggregator = Self {
            lanes: shared.lanes(),
            table: SeriesTable::new(Arc::clone(&shared.registry)),
            shared,
            settings,
            readers: Vec::new(),
            of_gone_lanes: 0,
            tsc: TscWatch::default(),
            metrics: Vec::new(),
            metrics_revision: u64::MAX,
            naming,
            epoch: now.monotonic,
            started: Start { at: now, generation, on_before: Duration::ZERO },
            now,
            generation,
            on_passes: OnSteps::default(),
            on_drains: OnSteps::default(),
            version: 0,
            telemetry,
            retired: Vec::new(),
            snapshot_bytes: 0,
            batch: Batch::default(),
            first_lane: 0,
            announced: now.monotonic,
            pace: Pace::new(now.monotonic),
        };
        aggregator.refresh();
        aggregator
    }

    pub(crate) fn now(&self) -> PassTime {
        self.now
    }

    /// Advances the pass's time. Time that runs backwards stands still and is counted; if the wall
    /// clock was set, every start is converted again.
    pub(crate) fn set_time(&mut self, now: PassTime) {
        let expected = self.now.wall_at(now.monotonic);
        if now.monotonic < self.now.monotonic {
            self.shared.tallies.add(Tally::ClockAnomaly, 1);
        } else {
            self.now.monotonic = now.monotonic;
        }
        self.now.wall = now.wall;
        if start::was_set(expected, now.wall) {
            self.table.convert_starts(self.now);
            self.started.at.convert(self.now);
        }
    }

    /// A start that begins now, with a new generation.
    fn next_start(&mut self) -> Start {
        self.generation = self.generation.wrapping_add(1);
        Start { on_before: self.on_passes.total(), ..self.here() }
    }

    /// The current time and generation.
    fn here(&self) -> Start {
        let on_before = self.started.on_before;
        Start { at: self.now, generation: self.generation, on_before }
    }

    /// Compares the clocks that timers may read, and warns if one was found wrong.
    pub(crate) fn check_clock(&mut self) {
        if self.tsc.check(&self.shared.clock, self.now.monotonic) {
            self.shared.tallies.add(Tally::ClockAnomaly, 1);
            self.shared.registry.warn(Warning::ClockUntrusted);
        }
    }

    fn step(&self) -> Step {
        let wall = self.now.wall;
        let Some((span, steps)) = self.settings.window else {
            return Step { now: None, width: 0, wall };
        };
        let width = (span.as_nanos() / u128::from(steps.max(1))).max(1);
        let since = self.now.monotonic.saturating_duration_since(self.epoch).as_nanos();
        Step { now: Some((since / width) as u64), width: u64::from(steps.max(1)), wall }
    }

    /// Folds the gains of cells and rows, and determines the current values of gauges.
    fn fold_in_place(&mut self) {
        let step = self.step();
        self.table.refresh(self.here());
        for reader in &mut self.readers {
            self.table.fold_lane(reader, step);
            fault::point("fold: between lanes");
        }
        if self.shared.tallies.is_signalled() {
            self.table.fold_signals(step);
        }
    }

    /// Folds everything: blocks, cells, rows, gauges, metadata.
    pub(crate) fn pass(&mut self) {
        self.refresh();
        fault::point("pass: refreshed");
        self.table.load_gauges();
        fault::point("pass: gauges loaded");
        let occupancy = self.drain();
        self.fold_in_place();
        self.on_passes.fold(self.shared.on_time(self.now.monotonic), self.step());
        fault::point("pass: folded");
        // A trimmed lane may hold a gauge's first sample.
        self.trim();
        self.table.settle_gauges();
        fault::point("pass: settled");
        self.announce_lanes();
        self.table.warn_of_overload(self.now.monotonic);
        self.telemetry.passes += 1;
        self.telemetry.occupancy = occupancy;
    }

    /// How long recording was on, as of this step.
    fn recording(&mut self, step: Step) -> Recording {
        Recording {
            on: self.on_passes.total(),
            before_reset: self.started.on_before,
            in_window: self.on_passes.in_window(step),
            in_window_of_samples: self.on_drains.in_window(step),
        }
    }

    /// A new snapshot of everything folded.
    pub(crate) fn build(&mut self) -> Arc<Snapshot> {
        let step = self.step();
        self.table.settle_places();
        let timeout = self.settings.idle_timeout;
        let idle = timeout.map(|timeout| self.table.idle(timeout, self.now.monotonic));
        let idle = idle.unwrap_or_default();
        if !idle.is_empty() {
            let start = self.next_start();
            self.table.leave(&idle, &self.metrics, step, start);
        }
        let readings = self.readings();
        self.telemetry.report(&mut self.table, &readings, step);
        self.table.name_new(&self.metrics, &mut self.naming);
        self.version += 1;
        let (series, idle) = self.table.publish(&self.metrics, step);
        self.snapshot_bytes = series.len() * size_of::<usize>();
        self.shared.registry.note_distributions(readings.distribution_bytes);
        Arc::new(Snapshot {
            version: self.version,
            timestamp: self.now.wall,
            started: self.started.at.wall,
            generation: self.started.generation,
            uptime: self.now.monotonic.saturating_duration_since(self.started.at.monotonic),
            age: self.now.monotonic.saturating_duration_since(self.epoch),
            window_span: self.settings.window.map(|(span, _)| span),
            recording: self.recording(step),
            series,
            idle,
            names: Arc::clone(self.naming.names()),
        })
    }

    /// Keeps a snapshot that is no longer the published one until no reader holds it.
    pub(crate) fn retire(&mut self, snapshot: Arc<Snapshot>) {
        self.retired.push(snapshot);
        self.retired.retain(|snapshot| Arc::strong_count(snapshot) > 1);
    }

    /// The statistics of one series, including everything recorded so far.
    pub(crate) fn read_one(&mut self, id: u32) -> Option<Value> {
        let step = self.step();
        if self.table.is_of_all(id) {
            self.pass();
            let readings = self.readings();
            self.telemetry.report(&mut self.table, &readings, step);
        } else {
            self.refresh();
            self.table.load_gauge(id);
            self.drain();
            self.table.fold_series(id, &mut self.readers, step);
        }
        self.table.value(id, &self.metrics, step)
    }

    /// Discards all values and restarts the uptime.
    pub(crate) fn reset(&mut self) {
        self.pass();
        self.started = self.next_start();
        self.table.reset(self.started);
    }

    /// Removes a series from the snapshots, with everything recorded before the call. Returns
    /// whether it was there.
    pub(crate) fn remove(&mut self, id: u32) -> bool {
        self.pass();
        let start = self.next_start();
        self.table.remove(id, start)
    }

    /// Starts over in the child of a fork: the content of the lanes and all counts belong to the
    /// parent.
    pub(crate) fn start_over(&mut self) {
        self.of_gone_lanes = 0;
        self.readers.clear();
        self.lanes = self.shared.lanes();
        self.batch.clear();
        self.refresh();
        // A new one, not the parent's plus one.
        self.generation = start::first_generation();
        self.started = Start { on_before: self.on_passes.total(), ..self.here() };
        self.table.start_over(self.started);
        self.telemetry.start_over();
    }

    /// Sets every counter to 0.
    pub(crate) fn reset_counters(&mut self) {
        self.pass();
        let start = self.next_start();
        self.table.reset_counters(start);
    }

    /// Returns three counts: samples recorded, by the words of lanes and signal handlers, minus
    /// those dropped; samples in the values of series; lanes with an owner that may still record.
    /// The first two are counted independently, so that a sample lost in between would show.
    pub(crate) fn totals(&self) -> (u64, u64, usize) {
        let open = self.readers.iter().filter(|reader| reader.lane().is_owned()).count();
        let lanes = self.readers.iter().map(LaneReader::recorded);
        let recorded = lanes.fold(self.of_gone_lanes, u64::wrapping_add);
        let signals = if self.shared.tallies.is_signalled() { self.table.signals() } else { 0 };
        let recorded = recorded.wrapping_add(signals).wrapping_sub(self.table.lost);
        (recorded, self.table.aggregated(), open)
    }

    fn readings(&self) -> Readings {
        let (read, aggregated, open) = self.totals();
        let lanes: usize = self.readers.iter().map(LaneReader::bytes).sum();
        let series = self.table.bytes();
        Readings {
            read,
            aggregated,
            coalesced: self.table.coalesced,
            open_lanes: open,
            lanes: self.readers.len(),
            series: self.table.active(),
            metrics: self.metrics.len(),
            tsc: self.shared.clock.uses_tsc(),
            memory: lanes + series.all + self.snapshot_bytes + self.shared.cached_bytes(),
            distribution_bytes: series.distributions,
        }
    }

    /// Copies new series and metadata from the registry.
    fn refresh(&mut self) {
        self.match_readers();
        self.table.refresh(self.here());
        if let Some((revision, metrics)) = self.shared.registry.metrics_since(self.metrics_revision)
        {
            self.metrics = metrics;
            self.table.touch_all();
            self.metrics_revision = revision;
        }
    }

    /// Adds a reader for each new lane.
    pub(crate) fn match_readers(&mut self) {
        let lanes = self.shared.lanes();
        if Arc::ptr_eq(&lanes, &self.lanes) && lanes.len() == self.readers.len() {
            return;
        }
        // Lanes are appended, and only `trim` removes any, together with their readers.
        for lane in lanes.iter().skip(self.readers.len()) {
            self.readers.push(LaneReader::new(Arc::clone(lane)));
        }
        self.lanes = lanes;
    }

    /// Tells recorders without a lane if one is free now, which costs each of them one look.
    fn announce_lanes(&mut self) {
        let now = self.now.monotonic;
        let due = now.saturating_duration_since(self.announced) >= LANES_ANNOUNCED_EVERY;
        if due && self.readers.iter().any(|reader| reader.lane().is_closed()) {
            self.shared.announce();
            self.announced = now;
        }
    }

    /// The index of a retired lane: one left by a panic, or a surplus one.
    fn retire_one(&self) -> Option<usize> {
        let left = self.readers.iter().position(|reader| reader.lane().is_retired());
        let open = self.readers.iter().filter(|reader| reader.lane().is_owned()).count();
        if left.is_some() || self.readers.len() - open <= open + LANES_SPARE {
            return left;
        }
        let candidate = self.readers.iter().rposition(|reader| reader.lane().is_closed());
        candidate.filter(|&i| self.readers[i].lane().retire())
    }

    /// Removes one lane that no thread will want soon.
    fn trim(&mut self) {
        let Some(place) = self.retire_one() else { return };
        fault::point("trim: a lane is retired");
        // Nobody records into a retired lane, so these are its last samples, whatever their series.
        let step = self.step();
        self.table.refresh(self.here());
        self.drain_lane(place, step, |_| true);
        self.table.fold_lane(&mut self.readers[place], step);
        fault::point("trim: its samples are folded");
        // The lane and its reader are removed together, because readers are in the order of the
        // list.
        self.of_gone_lanes = self.of_gone_lanes.wrapping_add(self.readers[place].recorded());
        self.shared.remove(self.readers[place].lane());
        self.readers.remove(place);
        fault::point("trim: the lane is removed");
        self.lanes = self.shared.lanes();
        self.match_readers();
    }
}
