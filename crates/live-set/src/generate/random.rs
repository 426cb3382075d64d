//! What documents need of random numbers beyond the library's.

use fastrand::Rng;

/// A number from 0 to 1 in steps that a decimal shows exactly.
pub(super) fn share(random: &mut Rng) -> f64 {
    f64::from(random.u16(..=1_000)) / 1_000.0
}

/// `count` positions of `among`, each as likely as any.
pub(super) fn choose(random: &mut Rng, count: usize, among: usize) -> Vec<bool> {
    let mut chosen: Vec<_> = (0..among).map(|at| at < count).collect();
    random.shuffle(&mut chosen);
    chosen
}
