//! Where time comes from: the machine, or a test.
//!
//! # Synchronization
//! The time-stamp counter's scale is set once (`OnceBox`) by whoever has calibrated it; until
//! then timers use the monotonic clock, and a timer ends on the clock it has started on. A mock
//! clock is two relaxed words: it orders nothing.

use std::time::{Duration, Instant, SystemTime};

use crate::sync::{Arc, AtomicU64, OnceBox, Ordering};

/// A source of monotonic time, wall-clock time and timer stamps; cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System(Arc<OnceBox<quanta::Clock>>),
    Mock(MockClock),
}

/// A moment as a timer sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stamp {
    /// Recording was off: nothing was read, nothing will be recorded.
    Off,
    Monotonic(Instant),
    /// Cycles of the CPU's time-stamp counter.
    Tsc(u64),
    /// Nanoseconds of a mock clock.
    Mock(u64),
}

impl Clock {
    /// The machine's clocks. Timers read the monotonic clock, and the CPU's time-stamp counter
    /// once the background driver has found that the kernel trusts it.
    pub fn system() -> Self {
        Self(Source::System(Arc::new(OnceBox::new())))
    }

    /// A clock that stands still until the returned handle moves it.
    pub fn mock() -> (Self, MockClock) {
        let mock = MockClock {
            start: (Instant::now(), SystemTime::now()),
            nanos: Arc::new([AtomicU64::new(0), AtomicU64::new(0)]),
        };
        (Self(Source::Mock(mock.clone())), mock)
    }

    /// Monotonic time.
    pub fn now(&self) -> Instant {
        match &self.0 {
            Source::System(_) => Instant::now(),
            Source::Mock(mock) => mock.start.0 + Duration::from_nanos(mock.nanos(MONOTONIC)),
        }
    }

    /// Wall-clock time.
    pub fn wall(&self) -> SystemTime {
        match &self.0 {
            Source::System(_) => SystemTime::now(),
            Source::Mock(mock) => mock.start.1 + Duration::from_nanos(mock.nanos(WALL)),
        }
    }

    /// Switches timers to the time-stamp counter. Calibrating it takes up to 200 ms once a
    /// process, so this is for a thread that has nothing else to do.
    pub(crate) fn use_tsc(&self) {
        if let Source::System(tsc) = &self.0
            && tsc.get().is_none()
        {
            // Err: another thread has calibrated it meanwhile, which serves as well.
            let _ = tsc.set(Box::new(quanta::Clock::new()));
        }
    }

    #[inline]
    pub(crate) fn stamp(&self) -> Stamp {
        match &self.0 {
            Source::System(tsc) => match tsc.get() {
                Some(tsc) => Stamp::Tsc(tsc.raw()),
                None => Stamp::Monotonic(Instant::now()),
            },
            Source::Mock(mock) => Stamp::Mock(mock.nanos(MONOTONIC)),
        }
    }

    /// Nanoseconds since a stamp of this clock; `None` where time has run backwards.
    #[inline]
    pub(crate) fn nanos_since(&self, start: Stamp) -> Option<u64> {
        match (&self.0, start) {
            (Source::System(tsc), Stamp::Tsc(start)) => {
                let tsc = tsc.get()?;
                let end = tsc.raw();
                (end >= start).then(|| tsc.delta_as_nanos(start, end))
            }
            (Source::System(_), Stamp::Monotonic(start)) => {
                let elapsed = Instant::now().checked_duration_since(start)?;
                Some(nanos(elapsed))
            }
            (Source::Mock(mock), Stamp::Mock(start)) => mock.nanos(MONOTONIC).checked_sub(start),
            _ => None,
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

/// A duration in whole nanoseconds, at most `u64::MAX` (584 years).
#[inline]
pub(crate) fn nanos(duration: Duration) -> u64 {
    // Not `as_nanos`: its 128-bit product costs more than this one and is never needed.
    duration
        .as_secs()
        .checked_mul(1_000_000_000)
        .and_then(|nanos| nanos.checked_add(u64::from(duration.subsec_nanos())))
        .unwrap_or(u64::MAX)
}

const MONOTONIC: usize = 0;
const WALL: usize = 1;

/// Moves a mock [`Clock`]; clones move the same one.
#[derive(Clone, Debug)]
pub struct MockClock {
    start: (Instant, SystemTime),
    /// Nanoseconds since `start`, monotonic and wall. Written by the test, read by all.
    nanos: Arc<[AtomicU64; 2]>,
}

impl MockClock {
    fn nanos(&self, which: usize) -> u64 {
        // Relaxed: a mock of a clock; it orders nothing.
        self.nanos[which].load(Ordering::Relaxed)
    }

    fn add(&self, which: usize, nanos: u64) {
        // Relaxed: see `nanos`.
        self.nanos[which].fetch_add(nanos, Ordering::Relaxed);
    }

    /// Moves both clocks forward.
    pub fn advance(&self, by: Duration) {
        self.add(MONOTONIC, nanos(by));
        self.add(WALL, nanos(by));
    }

    /// Moves the wall clock alone, as an administrator would.
    pub fn advance_wall(&self, by: Duration) {
        self.add(WALL, nanos(by));
    }

    /// Moves the monotonic clock backwards, as broken hardware would; at most to its start.
    pub fn rewind(&self, by: Duration) {
        let back = nanos(by).min(self.nanos(MONOTONIC));
        self.add(MONOTONIC, back.wrapping_neg());
    }
}
