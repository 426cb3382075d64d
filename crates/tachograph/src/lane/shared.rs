//! The state that all recording threads of a collector share: the switch, the clock, the series, the
//! counts of refused samples, the lanes.
//!
//! # Synchronization
//! `mode` is written by the collector and copied into every lane; `lanes` is read through an
//! `ArcSwap` and grown under a mutex, which the mode is changed under too, so that no new lane
//! misses a change.

use std::time::{Duration, Instant};

use crate::drops::tallies::{Tallies, Tally};
use crate::lane::lane::{Gate, Lane, LaneSize, mode};
use crate::lane::trace::{Trace, TraceSource};
use crate::lane::writer::LaneWriter;
use crate::limits::CELLS_PER_CHUNK;
use crate::series::metric::Kind;
use crate::series::registry::{Cardinality, Registry};
use crate::sync::ColdPath;
use crate::sync::{
    Arc, ArcSwap, AtomicBool, AtomicU8, AtomicUsize, Mutex, MutexGuard, OnceBox, Ordering, lock,
};
use crate::time::clock::Clock;
use crate::time::on_time::OnTime;
use crate::time::stamp::Stamp;

/// Makes a collector start over.
struct Restart(Box<dyn Fn() + Send + Sync>);

impl std::fmt::Debug for Restart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Restart")
    }
}

#[derive(Debug)]
pub struct Shared {
    /// One of [`mode`]. Written by the collector; read before each record by name, wherever a stamp
    /// is taken or compared, and where a thread has no lane.
    mode: AtomicU8,
    /// The collector's index in every thread's table.
    seat: u8,
    pub(crate) clock: Clock,
    pub(crate) tallies: Arc<Tallies>,
    pub(crate) registry: Arc<Registry>,
    lanes: ArcSwap<Vec<Arc<Lane>>>,
    /// The number of times free lanes were announced, wrapping. Added to by the aggregator, read by
    /// recorders without a lane.
    announced: AtomicUsize,
    /// Whether this is the child of a fork that has not yet used the collector. Set by the fork,
    /// cleared when the first cold path has made the collector start over.
    forked: AtomicBool,
    /// Whether this is the child of a fork. Set by the fork.
    child: AtomicBool,
    /// How the collector starts over in the child of a fork. Set when the collector is created.
    restart: OnceBox<Restart>,
    /// Bytes of all threads' name caches. Updated by their threads, read by the aggregator.
    cached_bytes: AtomicUsize,
    growth: Mutex<Growth>,
    /// Returns the trace that the calling thread is in.
    current_trace: Option<TraceSource>,
    lane_size: LaneSize,
    lanes_max: usize,
}

/// What new lanes start with, and how long recording was on.
#[derive(Debug)]
pub(crate) struct Growth {
    /// Counters whose cells every lane has from the start.
    pinned: Vec<(Kind, u32)>,
    on_time: OnTime,
}

impl Shared {
    pub(crate) fn new(
        clock: Clock,
        mode: u8,
        seat: u8,
        current_trace: Option<TraceSource>,
        lane_size: LaneSize,
        lanes_max: usize,
        limits: Cardinality,
    ) -> Self {
        let tallies: Arc<Tallies> = Arc::default();
        let on_time = OnTime::new(mode == mode::ON);
        let growth = Growth { pinned: Vec::new(), on_time };
        Self {
            mode: AtomicU8::new(mode),
            seat,
            clock,
            registry: Arc::new(Registry::new(Arc::clone(&tallies), limits)),
            tallies,
            lanes: ArcSwap::from_pointee(Vec::new()),
            announced: AtomicUsize::new(0),
            forked: AtomicBool::new(false),
            child: AtomicBool::new(false),
            restart: OnceBox::new(),
            cached_bytes: AtomicUsize::new(0),
            growth: Mutex::new(growth),
            current_trace,
            lane_size,
            lanes_max,
        }
    }

    /// The trace that the calling thread is in, if the collector has a way to find out.
    pub(crate) fn current_trace(&self) -> Option<Trace> {
        self.current_trace?()
    }

    #[inline]
    pub(crate) fn mode(&self) -> u8 {
        // Relaxed: the switch orders nothing else.
        self.mode.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn seat(&self) -> u8 {
        self.seat
    }

    /// This moment, for a start or an end; none while recording is off.
    #[inline]
    pub(crate) fn now(&self) -> Stamp {
        if self.is_off() { Stamp::default() } else { self.clock.stamp() }
    }

    /// An instant, for a start or an end; none while recording is off.
    pub(crate) fn stamp_at(&self, at: Instant) -> Stamp {
        if self.is_off() { Stamp::default() } else { self.clock.stamp_at(at) }
    }

    /// Nanoseconds from a start to an end; `None` while recording is off, or if one of them is no
    /// moment. Time that runs backwards counts as 0 and as an anomaly.
    #[inline]
    pub(crate) fn nanos_between(&self, start: Stamp, end: Stamp) -> Option<u64> {
        if self.is_off() || end.is_none() {
            return None;
        }
        self.clock.nanos_between(start, end).or_else(|| self.unusual(start))
    }

    /// This moment, and the nanoseconds since a start; see `now` and `nanos_between`.
    // As a call, it would save five registers and return its result in memory: a third more
    // instructions for a whole timer.
    #[inline(always)]
    pub(crate) fn since(&self, start: Stamp) -> (Stamp, Option<u64>) {
        if self.is_off() {
            return (Stamp::default(), None);
        }
        let (now, nanos) = self.clock.since(start);
        let nanos = nanos.or_else(|| self.unusual(start));
        (now, nanos)
    }

    /// A start that is no moment, or time that ran backwards.
    #[cold]
    fn unusual(&self, start: Stamp) -> Option<u64> {
        if start.is_none() {
            return None;
        }
        self.tallies.add(Tally::ClockAnomaly, 1);
        Some(0)
    }

    /// Whether recording is off; a constant if it is compiled out.
    #[inline]
    pub(crate) fn is_off(&self) -> bool {
        !cfg!(feature = "record") || self.mode() == mode::OFF
    }

    /// Switches recording for every thread. After shutdown it cannot be switched on again.
    pub(crate) fn set_mode(&self, mode: u8) {
        let (_cold, mut growth) = self.growth();
        if self.mode() == mode::SHUTDOWN {
            return;
        }
        growth.on_time.switch(self.clock.now(), mode == mode::ON);
        // Relaxed: see `mode`.
        self.mode.store(mode, Ordering::Relaxed);
        let gate = self.gate();
        self.lanes.load().iter().for_each(|lane| lane.set_gate(gate));
    }

    /// How long recording was on, up to a time of the monotonic clock.
    pub(crate) fn on_time(&self, now: Instant) -> Duration {
        self.growth().1.on_time.up_to(now)
    }

    /// Whether recording was ever on.
    pub(crate) fn was_ever_on(&self) -> bool {
        self.growth().1.on_time.was_ever_on()
    }

    /// The gate of every lane in the current mode.
    fn gate(&self) -> Gate {
        let mode = self.mode();
        let forked = mode == mode::ON && self.is_forked();
        Gate::new(self.address(), if forked { mode::FORKED } else { mode })
    }

    /// The gate of a lane that accepts this collector's samples.
    pub(crate) fn open_gate(&self) -> Gate {
        Gate::new(self.address(), mode::ON)
    }

    #[inline]
    pub(crate) fn is_forked(&self) -> bool {
        // Acquire: pairs with the Release in `reopen`; everything that was started over is visible.
        self.forked.load(Ordering::Acquire)
    }

    pub(crate) fn is_child(&self) -> bool {
        // Relaxed: the flag guards no other data; it is set while there is one thread.
        self.child.load(Ordering::Relaxed)
    }

    /// Sets how the collector starts over in the child of a fork.
    pub(crate) fn set_restart(&self, restart: impl Fn() + Send + Sync + 'static) {
        // Err: impossible, a collector is created once.
        let _ = self.restart.set(Box::new(Restart(Box::new(restart))));
    }

    /// Makes the collector start over in the child of a fork that has not yet used it. Only called
    /// on cold paths; other callers wait meanwhile.
    pub(crate) fn resume(&self) {
        if self.is_forked() {
            let _cold = ColdPath::enter_again();
            self.restart.get().into_iter().for_each(|restart| (restart.0)());
            // If the collector is gone, only its handles remain.
            self.reopen();
        }
    }

    /// Called by a fork in the child, where only the calling thread exists: shuts the lanes, so
    /// that the first record takes a cold path. Does not allocate or lock.
    #[cfg(unix)]
    pub(crate) fn shut_by_fork(&self, lanes: &[Arc<Lane>]) {
        // Relaxed: see `is_child`.
        self.child.store(true, Ordering::Relaxed);
        // Relaxed: there is no other thread.
        self.forked.store(true, Ordering::Relaxed);
        let gate = self.gate();
        lanes.iter().for_each(|lane| lane.set_gate(gate));
    }

    /// Leaves every lane to the parent, because the child has at most one of their owners, and
    /// resets the counts.
    pub(crate) fn start_over(&self) {
        let _growth = self.growth();
        self.tallies.start_over();
        self.lanes.load().iter().for_each(|lane| lane.set_gate(Gate::ABANDONED));
        self.lanes.store(Arc::default());
        self.announce();
    }

    /// Marks the child as started over: lanes are open from now on.
    pub(crate) fn reopen(&self) {
        // Release: pairs with the Acquire in `is_forked`.
        self.forked.store(false, Ordering::Release);
    }

    #[cfg(unix)]
    pub(crate) fn lock(&self) -> MutexGuard<'_, Growth> {
        lock(&self.growth)
    }

    /// Unique as long as any part of the collector is alive.
    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    pub(crate) fn lanes(&self) -> Arc<Vec<Arc<Lane>>> {
        self.lanes.load_full()
    }

    /// Updates the size of a thread's name cache from `before` to `now` bytes.
    pub(crate) fn note_cached(&self, before: usize, now: usize) {
        // Relaxed: the count guards no other data.
        self.cached_bytes.fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
    }

    pub(crate) fn cached_bytes(&self) -> usize {
        // Relaxed: see `note_cached`.
        self.cached_bytes.load(Ordering::Relaxed)
    }

    /// A lane for the calling thread: a closed one, or else a new one. `None` if the maximum number
    /// of lanes exists.
    pub(crate) fn acquire(&self) -> Option<LaneWriter> {
        self.adopt().or_else(|| self.grow())
    }

    /// Locks the growth state, and turns records made by an allocator inside it into counted drops.
    fn growth(&self) -> (ColdPath, MutexGuard<'_, Growth>) {
        (ColdPath::enter_again(), lock(&self.growth))
    }

    /// Tells recorders without a lane to look again. Only for the aggregator.
    pub(crate) fn announce(&self) {
        // Relaxed: the count guards no other data.
        self.announced.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn announced(&self) -> usize {
        // Relaxed: see `announce`.
        self.announced.load(Ordering::Relaxed)
    }

    /// Adopts a closed lane in its current state.
    pub(crate) fn adopt(&self) -> Option<LaneWriter> {
        let lanes = self.lanes.load();
        lanes.iter().filter(|lane| lane.is_closed()).find_map(LaneWriter::adopt)
    }

    fn grow(&self) -> Option<LaneWriter> {
        let (_cold, growth) = self.growth();
        let lanes = self.lanes.load_full();
        if lanes.len() >= self.lanes_max {
            return None;
        }
        let lane = Arc::new(Lane::new(self.lane_size, self.gate()));
        growth.pinned.iter().for_each(|&(kind, slot)| lane.install(kind, slot));
        let writer = LaneWriter::adopt(&lane);
        self.lanes.store(Arc::new(lanes.iter().cloned().chain([lane]).collect()));
        writer
    }

    /// Creates the cell of a registered counter in every present and future lane. Other kinds do
    /// not need this.
    pub(crate) fn pin(&self, kind: Kind, slot: u32) {
        if !kind.is_counter() {
            return;
        }
        let (_cold, mut growth) = self.growth();
        let chunk = |slot: u32| slot as usize / CELLS_PER_CHUNK;
        if growth.pinned.iter().any(|&(_, known)| chunk(known) == chunk(slot)) {
            return;
        }
        growth.pinned.push((kind, slot));
        self.lanes.load().iter().for_each(|lane| lane.install(kind, slot));
    }

    /// Removes a retired lane from the list. Only for the aggregator.
    pub(crate) fn remove(&self, retired: &Arc<Lane>) {
        let _growth = self.growth();
        let lanes = self.lanes.load_full();
        let rest = lanes.iter().filter(|lane| !Arc::ptr_eq(lane, retired)).cloned().collect();
        self.lanes.store(Arc::new(rest));
    }
}
