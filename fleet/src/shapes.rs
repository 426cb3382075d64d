//! How long requests take, by the shape of their distribution.

use fastrand::Rng;

/// A process's place in its fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) index: usize,
    pub(crate) of: usize,
}

/// A distribution of latencies over a fleet; docs/FLEET.md describes each.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The shape's name in tables.
    pub name: &'static str,
    /// Samples of one process, in nanoseconds.
    draw: fn(&mut Rng, Place) -> Vec<u64>,
}

/// Samples per process, except in the shape whose load varies.
const SAMPLES: usize = 200;

const MS: f64 = 1e6;

impl Shape {
    /// All shapes.
    pub const ALL: [Self; 6] = [
        Self {
            name: "alike",
            draw: |random, _| many(SAMPLES, || log_normal(random, 2.0 * MS, 0.7)),
        },
        Self {
            name: "narrow",
            draw: |random, _| many(SAMPLES, || log_normal(random, 3.2 * MS, 0.02)),
        },
        Self {
            name: "two ways",
            draw: |random, _| {
                many(SAMPLES, || match random.f64() {
                    draw if draw < 0.97 => log_normal(random, 0.06 * MS, 0.3),
                    _ => log_normal(random, 18.0 * MS, 0.2),
                })
            },
        },
        Self {
            name: "long tail",
            draw: |random, _| many(SAMPLES, || 0.4 * MS * (1.0 - random.f64()).powf(-1.0 / 1.3)),
        },
        Self {
            name: "1 % slow",
            draw: |random, place| {
                let slower = if place.index.is_multiple_of(100) { 20.0 } else { 1.0 };
                many(SAMPLES, || log_normal(random, 2.0 * MS * slower, 0.7))
            },
        },
        Self {
            name: "unequal load",
            draw: |random, _| {
                let samples = 20.0 * 50f64.powf(random.f64());
                let median = MS * (samples / 200.0).sqrt();
                many(samples as usize, || log_normal(random, median, 0.7))
            },
        },
    ];

    /// Samples of one process, in nanoseconds, unsorted.
    pub(crate) fn draw(&self, random: &mut Rng, place: Place) -> Vec<u64> {
        (self.draw)(random, place)
    }
}

fn many(samples: usize, mut draw: impl FnMut() -> f64) -> Vec<u64> {
    // The cast saturates; the longest are minutes.
    (0..samples).map(|_| draw() as u64).collect()
}

/// A log-normally distributed value, by the Box-Muller method.
pub(crate) fn log_normal(random: &mut Rng, median: f64, sigma: f64) -> f64 {
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
    median * (sigma * radius * (std::f64::consts::TAU * random.f64()).cos()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_normal_samples_have_the_median_and_the_spread_asked_for() {
        let mut random = Rng::with_seed(7);
        let mut drawn = many(20_000, || log_normal(&mut random, 1e6, 0.5));
        drawn.sort_unstable();
        let at = |permille: usize| drawn[drawn.len() * permille / 1_000] as f64 / 1e6;
        // In a normal distribution 15.87 % lie more than one sigma above the median.
        assert!((at(500) - 1.0).abs() < 0.02, "{}", at(500));
        assert!((at(841) / 0.5f64.exp() - 1.0).abs() < 0.02, "{}", at(841));
    }

    #[test]
    fn one_process_in_a_hundred_is_slow() {
        let slow = Shape::ALL.iter().find(|shape| shape.name == "1 % slow").expect("the shape");
        let mean = |index| {
            let drawn = slow.draw(&mut Rng::with_seed(1), Place { index, of: 1_000 });
            drawn.iter().sum::<u64>() as f64 / drawn.len() as f64
        };
        assert!((mean(100) / mean(101) - 20.0).abs() < 1e-3);
    }
}
