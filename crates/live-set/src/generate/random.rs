//! Numbers that look random and are the same each time.

/// The generator of Sebastiano Vigna's SplitMix64: good enough for test data, eight lines.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0. The bias is no matter for bounds this small.
    pub(super) const fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// A number from 0 to 1 in steps that a decimal shows exactly.
    pub(super) fn share(&mut self) -> f64 {
        self.below(1_001) as f64 / 1_000.0
    }

    /// `count` positions of `among`, each as likely as any.
    pub(super) fn choose(&mut self, count: usize, among: usize) -> Vec<bool> {
        let mut left = count.min(among);
        let chosen = (0..among).rev().map(|others| {
            let is_chosen = self.below(others + 1) < left;
            left -= usize::from(is_chosen);
            is_chosen
        });
        chosen.collect()
    }
}
