//! What a loop allows one drain to cost, and what the drain has done.

use std::time::{Duration, Instant};

/// What one [`drain`](crate::MetricsCollector::drain) may cost: time, samples, or whichever of both
/// is used up first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    time: Duration,
    pub(crate) samples: usize,
}

impl Budget {
    /// No limit.
    pub const UNLIMITED: Self = Self { time: Duration::MAX, samples: usize::MAX };

    /// This much time, by the collector's clock.
    pub const fn time(time: Duration) -> Self {
        Self { time, ..Self::UNLIMITED }
    }

    /// This many samples: it stops once they are drained, at the end of a block of up to 512.
    pub const fn samples(samples: usize) -> Self {
        Self { samples, ..Self::UNLIMITED }
    }

    /// The same time, and this many samples, as with [`Budget::samples`].
    pub const fn and_samples(self, samples: usize) -> Self {
        Self { samples, ..self }
    }

    /// When the time is used up; `None` if never.
    pub(crate) fn end(self, now: Instant) -> Option<Instant> {
        now.checked_add(self.time)
    }
}

impl From<Duration> for Budget {
    fn from(time: Duration) -> Self {
        Self::time(time)
    }
}

/// What a [`drain`](crate::MetricsCollector::drain) has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// The number of samples aggregated.
    pub samples: usize,
    /// The number of samples that were there too, and wait for the next drain or pass. Here one
    /// with a trace counts as three, in `samples` as one.
    pub left: usize,
    /// How long the next drain may wait, 1 to 100 ms; zero while samples are left.
    pub wait: Duration,
}
