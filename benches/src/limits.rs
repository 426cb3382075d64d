//! The least that the machine could do: the baselines of figures.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use tachograph::{Clock, MetricsCollector};

use crate::case::Case;

/// The loop alone.
pub fn empty<'a>() -> Case<'a> {
    Case::new("the loop alone", || (), |(), _| ())
}

type Word = CachePadded<AtomicU64>;

const fn word() -> Word {
    CachePadded::new(AtomicU64::new(0))
}

/// Adds 1 as the only writer: a load and a store.
#[inline]
fn add_one(word: &Word) {
    // Relaxed: only this thread uses the word.
    word.store(word.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// A load and a store of a word on its own cache line: the limit of a counter.
pub fn own_word<'a>() -> Case<'a> {
    Case::new("limit: own load + store", word, |word, _| add_one(word))
}

thread_local! {
    static WORD: Word = const { word() };
}

/// Like [`own_word`], reached through a thread-local: the limit of a counter's handle.
pub fn own_word_of_thread<'a>() -> Case<'a> {
    Case::new("limit: the same, thread-local", || (), |(), _| WORD.with(add_one))
}

/// Two reads of the time-stamp counter: the limit of a timer.
pub fn two_stamps<'a>() -> Case<'a> {
    Case::new("limit: two rdtsc", quanta::Clock::new, |clock, _| {
        black_box(clock.raw().wrapping_sub(clock.raw()));
    })
}

/// Two reads of the monotonic clock: what a timer costs without the time-stamp counter.
pub fn two_instants<'a>() -> Case<'a> {
    Case::new(
        "two Instant::now",
        || (),
        |(), _| {
            black_box(Instant::now().elapsed());
        },
    )
}

/// A thread-local word with a destructor that runs at thread exit.
struct Guarded(Cell<u64>);

impl Drop for Guarded {
    fn drop(&mut self) {
        black_box(self.0.get());
    }
}

thread_local! {
    static GUARDED: Guarded = const { Guarded(Cell::new(0)) };
}

/// A thread-local with a destructor that runs at thread exit: the limit of a thread's first record.
pub fn word_of_thread_with_exit<'a>() -> Case<'a> {
    Case::new(
        "limit: a thread-local's first touch",
        || (),
        |(), i| GUARDED.with(|word| word.0.set(i)),
    )
}

/// A clock with which timers read the time-stamp counter if the machine allows it.
///
/// A collector calibrates it when its driver starts, so one is kept running. Manual collectors
/// created with this clock then use the counter too.
#[derive(Debug)]
pub struct SharedClock {
    clock: Clock,
    _driven: MetricsCollector,
}

impl Default for SharedClock {
    fn default() -> Self {
        Self::new()
    }
}

impl SharedClock {
    /// Waits until the clock's counter is trusted, which it never is on some machines: up to three
    /// seconds.
    pub fn new() -> Self {
        // Calibrates once per process, on this thread, so that the driver's own calibration takes
        // no time.
        let _ = quanta::Clock::new();
        let clock = Clock::system();
        let driven = MetricsCollector::builder()
            .clock(clock.clone())
            .publish_every(Duration::from_secs(3_600))
            .build();
        let start = Instant::now();
        let trusts = || {
            let gauge = driven.get_gauge("telemetry.clock.tsc");
            gauge.and_then(|stats| stats.current) == Some(1.0)
        };
        while start.elapsed() < Duration::from_secs(3) && !trusts() {
            thread::sleep(Duration::from_millis(20));
        }
        Self { clock, _driven: driven }
    }

    /// The clock.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Plan, measure};

    #[test]
    fn words_count_and_every_limit_takes_time() {
        let own = word();
        (0..7).for_each(|_| add_one(&own));
        // Relaxed: only this thread uses the word.
        assert_eq!(own.load(Ordering::Relaxed), 7);

        let cases = [own_word(), own_word_of_thread(), two_stamps(), two_instants()];
        let plan = Plan { threads: 2, rounds: 3, bursts: 2, burst: 1_000 };
        assert!(measure(&cases, plan).iter().all(|figures| figures.min > 0.0));
    }
}
