//! Reports overload: the series that lost resolution, at most once a minute.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// The minimum interval between overload warnings.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// Samples coalesced since the last warning.
#[derive(Debug, Default)]
pub(crate) struct OverloadWarning {
    by_series: HashMap<u32, u64>,
    warned: Option<Instant>,
}

impl OverloadWarning {
    pub(crate) fn note(&mut self, series: u32, samples: u64) {
        *self.by_series.entry(series).or_default() += samples;
    }

    /// Takes what a warning tells, if one is due: the number of samples, the series with the most
    /// of them, and its number.
    pub(crate) fn take(&mut self, now: Instant) -> Option<(u64, u32, u64)> {
        if self.warned.is_some_and(|warned| now < warned + WARN_EVERY) {
            return None;
        }
        let worst = self.by_series.iter().max_by_key(|&(&series, &samples)| (samples, !series));
        let (worst, of_worst) = worst.map(|(&series, &samples)| (series, samples))?;
        let samples = self.by_series.drain().map(|(_, samples)| samples).sum();
        self.warned = Some(now);
        Some((samples, worst, of_worst))
    }
}
