//! Sources of time: the machine, or a test.
//!
//! # Synchronization
//! The time-stamp counter and its scale are set once (`OnceBox`) by the thread that calibrates it.
//! So is the instant that stamps count from. Which clock stamps are read on is one relaxed word,
//! which passes change after comparing the counter with the monotonic clock; each stamp tells its
//! own. A mock clock is a few relaxed words. None of this orders anything.

use std::time::{Duration, Instant, SystemTime};

use crate::sync::{Arc, AtomicBool, AtomicU8, AtomicU64, OnceBox, Ordering};
use crate::time::stamp::{Stamp, nanos};

/// A source of monotonic time, wall-clock time and timer stamps; cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Sources>);

#[derive(Debug)]
struct Sources {
    /// The clock that timers read, one of [`timers`]. Written by passes, read by timers.
    timers: AtomicU8,
    tsc: OnceBox<Tsc>,
    /// What monotonic stamps count from; one for all clocks of the process.
    origin: Instant,
    mock: Option<MockClock>,
}

/// What all monotonic stamps of the process count from. Set by whoever creates the first clock.
#[cfg(not(tachograph_loom))]
static ORIGIN: OnceBox<Instant> = OnceBox::new();

#[cfg(not(tachograph_loom))]
fn origin() -> Instant {
    *ORIGIN.get_or_init(|| Box::new(Instant::now()))
}

/// Models have no statics, and one clock each.
#[cfg(tachograph_loom)]
fn origin() -> Instant {
    Instant::now()
}

/// The clock that timers read.
mod timers {
    pub(super) const MONOTONIC: u8 = 0;
    pub(super) const TSC: u8 = 1;
    /// The monotonic clock, permanently: the counter did not keep its time.
    pub(super) const REFUSED: u8 = 2;
    pub(super) const MOCK: u8 = 3;
    pub(super) const MOCK_TSC: u8 = 4;
    pub(super) const MOCK_REFUSED: u8 = 5;
}

#[derive(Debug)]
struct Tsc {
    counter: quanta::Clock,
    /// Nanoseconds in 2^32 cycles.
    scale: u64,
    /// No timer has read the counter before this.
    since: Instant,
}

impl Tsc {
    fn calibrate() -> Self {
        let counter = quanta::Clock::new();
        let scale = counter.delta_as_nanos(0, 1 << 32);
        Self { counter, scale, since: Instant::now() }
    }

    /// Not by quanta, which decides anew whether there is a counter and takes 9 to 14 instructions
    /// more. Rounding the scale adds an error of at most two parts in 10^9, up to 8 GHz: far less
    /// than the calibration's.
    #[inline]
    fn nanos(&self, cycles: u64) -> u64 {
        let nanos = (u128::from(cycles) * u128::from(self.scale)) >> 32;
        nanos as u64
    }
}

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) monotonic: Instant,
    pub(crate) counter: Stamp,
}

/// If readings of two clocks are further apart, the thread was interrupted and they are useless.
const READING_MAX: Duration = Duration::from_micros(50);

impl Clock {
    /// The machine's clocks.
    ///
    /// Timers read the CPU's time-stamp counter, at half the cost, if it can be trusted: the
    /// kernel's own clock uses it, the CPU reports it as invariant, and it has kept the monotonic
    /// clock's time over the background driver's first passes. Later passes keep comparing the two.
    /// If they ever differ by more than 1 %, for example after a suspend or a migration, timers
    /// read the monotonic clock permanently; this is counted in `telemetry.clock.anomalies` and
    /// reported as a warning. A timer running at that moment still records what the counter has
    /// counted, but at most the time since the counter was first used.
    pub fn system() -> Self {
        Self::new(timers::MONOTONIC, None)
    }

    /// A clock that stands still until the returned handle moves it.
    pub fn mock() -> (Self, MockClock) {
        let mock = MockClock {
            start: (Instant::now(), SystemTime::now()),
            words: Arc::new(MockWords::default()),
        };
        (Self::new(timers::MOCK, Some(mock.clone())), mock)
    }

    fn new(timers: u8, mock: Option<MockClock>) -> Self {
        let (timers, tsc) = (AtomicU8::new(timers), OnceBox::new());
        Self(Arc::new(Sources { timers, tsc, origin: origin(), mock }))
    }

    /// Monotonic time.
    pub fn now(&self) -> Instant {
        match &self.0.mock {
            None => Instant::now(),
            Some(mock) => mock.start.0 + Duration::from_nanos(mock.nanos(MONOTONIC)),
        }
    }

    /// Wall-clock time.
    pub fn wall(&self) -> SystemTime {
        match &self.0.mock {
            None => SystemTime::now(),
            Some(mock) => mock.start.1 + Duration::from_nanos(mock.nanos(WALL)),
        }
    }

    /// Whether there is a counter that has not been calibrated yet.
    pub(crate) fn is_to_be_calibrated(&self) -> bool {
        self.0.mock.is_none() && self.0.tsc.get().is_none()
    }

    /// Sets up the time-stamp counter, so that passes can compare it. Calibrating takes up to 200
    /// ms once per process, so call this on a thread that has nothing else to do.
    pub(crate) fn calibrate_tsc(&self) {
        if self.is_to_be_calibrated() {
            // Err: another thread has calibrated it meanwhile, which is just as good.
            let _ = self.0.tsc.set(Box::new(Tsc::calibrate()));
        }
    }

    #[inline]
    fn timers(&self) -> u8 {
        // Relaxed: a switch; the counter itself is behind a `OnceBox`.
        self.0.timers.load(Ordering::Relaxed)
    }

    /// Whether timers read the time-stamp counter.
    pub(crate) fn uses_tsc(&self) -> bool {
        matches!(self.timers(), timers::TSC | timers::MOCK_TSC)
    }

    /// Switches timers to the time-stamp counter, unless it was refused before; or away from it
    /// permanently.
    pub(crate) fn trust_tsc(&self, trusted: bool) {
        let [from, to, refused] = match &self.0.mock {
            None => [timers::MONOTONIC, timers::TSC, timers::REFUSED],
            Some(_) => [timers::MOCK, timers::MOCK_TSC, timers::MOCK_REFUSED],
        };
        let switch = &self.0.timers;
        if trusted {
            // Err: it is in use already, or another collector's pass has refused it. Relaxed both
            // ways: see `timers`.
            let _ = switch.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
        } else {
            // Relaxed: see `timers`.
            switch.store(refused, Ordering::Relaxed);
        }
    }

    /// Both clocks at one moment; `None` if there is no trusted counter, or if the thread was
    /// interrupted between the readings.
    pub(crate) fn tsc_reading(&self) -> Option<Reading> {
        if matches!(self.timers(), timers::REFUSED | timers::MOCK_REFUSED) {
            return None;
        }
        let before = self.now();
        let counter = self.counter()?;
        let monotonic = self.now();
        let sharp = monotonic.saturating_duration_since(before) <= READING_MAX;
        sharp.then_some(Reading { monotonic, counter })
    }

    /// The counter, if there is one.
    fn counter(&self) -> Option<Stamp> {
        match &self.0.mock {
            None => Some(Stamp::counter(self.0.tsc.get()?.counter.raw())),
            Some(mock) => mock.has_tsc().then(|| Stamp::mock_counter(mock.nanos(TSC))),
        }
    }

    /// Nanoseconds between two readings of the counter; `None` if it ran backwards, or if one of
    /// them is another clock's.
    pub(crate) fn counted(&self, start: Stamp, end: Stamp) -> Option<u64> {
        let counted = end.counted_since(start)?;
        match &self.0.mock {
            None if start.is_counter() && end.is_counter() => {
                Some(self.0.tsc.get()?.nanos(counted))
            }
            Some(_) if start.is_mock_counter() && end.is_mock_counter() => Some(counted),
            _ => None,
        }
    }

    /// The counter, while timers read it.
    #[inline]
    fn trusted(&self) -> Option<&Tsc> {
        if self.timers() == timers::TSC { self.0.tsc.get() } else { None }
    }

    /// This moment.
    #[inline]
    pub(crate) fn stamp(&self) -> Stamp {
        self.read(self.trusted())
    }

    /// An instant of the monotonic clock.
    pub(crate) fn stamp_at(&self, at: Instant) -> Stamp {
        Stamp::monotonic(at, self.0.origin)
    }

    /// Nanoseconds between two stamps; `None` if time ran backwards, if one of them is from a
    /// counter that this clock cannot read, or if the start is no moment.
    #[inline]
    pub(crate) fn nanos_between(&self, start: Stamp, end: Stamp) -> Option<u64> {
        self.between(self.trusted(), start, end)
    }

    /// This moment, and the nanoseconds that have passed since a start; see `nanos_between`.
    #[inline]
    pub(crate) fn since(&self, start: Stamp) -> (Stamp, Option<u64>) {
        let trusted = self.trusted();
        let now = self.read(trusted);
        (now, self.between(trusted, start, now))
    }

    #[inline]
    fn read(&self, trusted: Option<&Tsc>) -> Stamp {
        match trusted {
            Some(tsc) => Stamp::counter(tsc.counter.raw()),
            None => self.read_elsewhere(),
        }
    }

    fn read_elsewhere(&self) -> Stamp {
        let counter = if self.uses_tsc() { self.counter() } else { None };
        counter.unwrap_or_else(|| self.stamp_at(self.now()))
    }

    #[inline]
    fn between(&self, trusted: Option<&Tsc>, start: Stamp, end: Stamp) -> Option<u64> {
        match trusted {
            Some(tsc) if start.is_counter() && end.is_counter() => {
                end.counted_since(start).map(|counted| tsc.nanos(counted))
            }
            _ => self.between_elsewhere(start, end),
        }
    }

    fn between_elsewhere(&self, start: Stamp, end: Stamp) -> Option<u64> {
        if start.is_none() {
            return None;
        }
        if start.is_monotonic() && end.is_monotonic() {
            return end.counted_since(start);
        }
        if !start.is_monotonic() && !end.is_monotonic() {
            let counted = self.counted(start, end)?;
            return Some(if self.uses_tsc() { counted } else { counted.min(self.tsc_age()) });
        }
        // Each on its own clock, the end first, so that the time between these readings does not
        // make it seem to be before the start. Of an end that has not come this finds no time.
        let since_end = self.passed_since(end)?;
        self.passed_since(start)?.checked_sub(since_end)
    }

    /// The nanoseconds that have passed since a stamp, on its own clock.
    fn passed_since(&self, start: Stamp) -> Option<u64> {
        let now = if start.is_monotonic() { self.stamp_at(self.now()) } else { self.counter()? };
        self.between_elsewhere(start, now)
    }

    /// The monotonic time since the counter was first used, in nanoseconds: an upper bound for
    /// every timer that uses it.
    fn tsc_age(&self) -> u64 {
        let since = match &self.0.mock {
            None => self.0.tsc.get().map(|tsc| tsc.since),
            Some(mock) => Some(mock.start.0),
        };
        since.map_or(u64::MAX, |since| nanos(self.now().saturating_duration_since(since)))
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

const MONOTONIC: usize = 0;
const WALL: usize = 1;
const TSC: usize = 2;

/// Moves a mock [`Clock`]; clones move the same one.
#[derive(Clone, Debug)]
pub struct MockClock {
    start: (Instant, SystemTime),
    words: Arc<MockWords>,
}

/// Written by the test, read by every thread.
#[derive(Debug, Default)]
struct MockWords {
    /// Nanoseconds since the start: monotonic, wall, time-stamp counter.
    nanos: [AtomicU64; 3],
    has_tsc: AtomicBool,
}

impl MockClock {
    fn nanos(&self, which: usize) -> u64 {
        // Relaxed: a mock clock orders nothing.
        self.words.nanos[which].load(Ordering::Relaxed)
    }

    fn add(&self, which: usize, nanos: u64) {
        // Relaxed: see `nanos`.
        self.words.nanos[which].fetch_add(nanos, Ordering::Relaxed);
    }

    fn has_tsc(&self) -> bool {
        // Relaxed: see `nanos`.
        self.words.has_tsc.load(Ordering::Relaxed)
    }

    /// Gives the clock a time-stamp counter with one cycle per nanosecond, which timers read once
    /// passes trust it.
    pub fn add_tsc(&self) {
        // Relaxed: see `nanos`.
        self.words.has_tsc.store(true, Ordering::Relaxed);
    }

    /// Moves all clocks forward.
    pub fn advance(&self, by: Duration) {
        [MONOTONIC, WALL, TSC].iter().for_each(|&clock| self.add(clock, nanos(by)));
    }

    /// Moves only the time-stamp counter, like a suspend.
    pub fn advance_tsc(&self, by: Duration) {
        self.add(TSC, nanos(by));
    }

    /// Moves only the time-stamp counter backwards, like a migration to another machine; at most to
    /// its start.
    pub fn rewind_tsc(&self, by: Duration) {
        let back = nanos(by).min(self.nanos(TSC));
        self.add(TSC, back.wrapping_neg());
    }

    /// Moves only the wall clock, like an administrator.
    pub fn advance_wall(&self, by: Duration) {
        self.add(WALL, nanos(by));
    }

    /// Moves the monotonic clock backwards, like broken hardware; at most to its start.
    pub fn rewind(&self, by: Duration) {
        let back = nanos(by).min(self.nanos(MONOTONIC));
        self.add(MONOTONIC, back.wrapping_neg());
    }
}

#[cfg(all(test, not(tachograph_loom)))]
mod tests {
    use super::*;

    #[test]
    fn cycles_are_converted_as_quanta_does() {
        let tsc = Tsc::calibrate();
        for cycles in (0..62).flat_map(|bits| [1 << bits, (1 << bits) + 12_345]) {
            let expected = tsc.counter.delta_as_nanos(0, cycles);
            let tolerance = 1 + expected / 500_000_000;
            assert!(tsc.nanos(cycles).abs_diff(expected) <= tolerance, "{cycles} cycles");
        }
    }
}
