//! Reads of the machine's fastest clock around single operations.

/// The time-stamp counter; each read waits for the instructions before it.
#[derive(Debug, Default)]
pub struct Stamps {
    clock: quanta::Clock,
}

impl Stamps {
    /// Calibrates the counter; up to 200 ms, once per process.
    pub fn new() -> Self {
        Self::default()
    }

    /// Now, in ticks: after every earlier operation and before every later one.
    #[inline]
    pub(crate) fn now(&self) -> u64 {
        fence();
        let ticks = self.clock.raw();
        fence();
        ticks
    }

    /// Ticks as nanoseconds.
    pub(crate) fn nanos(&self, ticks: f64) -> f64 {
        // Uses many ticks, because the conversion rounds to whole nanoseconds.
        const MANY: u64 = 1 << 32;
        ticks * self.clock.delta_as_nanos(0, MANY) as f64 / MANY as f64
    }
}

/// Starts no instruction before all earlier ones have ended; earlier stores may still be on their
/// way to the cache.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "no safe function of the standard library is this fence")]
#[inline]
fn fence() {
    // SAFETY: SSE2 is part of every x86-64.
    unsafe { std::arch::x86_64::_mm_lfence() };
}

/// On other architectures, clock reads may be reordered slightly against what they time.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn fence() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_as_long_as_the_clock_says() {
        let stamps = Stamps::new();
        let (start, before) = (std::time::Instant::now(), stamps.now());
        while start.elapsed().as_millis() < 20 {}
        let ticks = stamps.now() - before;
        // Checks the unit, not a figure, so it holds however busy the machine is.
        assert!(stamps.nanos(ticks as f64) > 19e6);
        assert!(stamps.nanos(ticks as f64) < 20e9);
    }
}
