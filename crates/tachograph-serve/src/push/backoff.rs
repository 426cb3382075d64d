//! The wait after failed attempts.

use std::time::Duration;

/// The wait doubles with every consecutive failure, up to a limit. Half of it is random, so that
/// many processes do not return to a receiver at the same moment.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    max: Duration,
    failures: u32,
    random: fastrand::Rng,
}

impl Backoff {
    pub(crate) fn new(first: Duration, max: Duration, random: fastrand::Rng) -> Self {
        Self { first, max, failures: 0, random }
    }

    /// The wait after one more failure.
    pub(crate) fn next(&mut self) -> Duration {
        let factor = 2u32.saturating_pow(self.failures);
        self.failures = self.failures.saturating_add(1);
        let whole = self.first.saturating_mul(factor).min(self.max);
        whole.mul_f64(0.5 + self.random.f64() / 2.0)
    }

    /// Starts over after a success.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_to_its_limit_with_half_of_it_random() {
        let seconds = Duration::from_secs;
        let mut backoff = Backoff::new(seconds(1), seconds(20), fastrand::Rng::with_seed(7));
        for _ in 0..2 {
            for whole in [1, 2, 4, 8, 16, 20, 20, 20] {
                let wait = backoff.next();
                assert!(
                    wait >= seconds(whole) / 2 && wait <= seconds(whole),
                    "{wait:?} of {whole}"
                );
            }
            backoff.reset();
        }
        backoff.failures = u32::MAX;
        assert!(backoff.next() <= seconds(20));
        let waits: std::collections::HashSet<_> = (0..100).map(|_| backoff.next()).collect();
        assert!(waits.len() > 90, "{} different waits of 100", waits.len());
    }
}
