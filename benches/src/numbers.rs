//! Numbers to record that look random but are the same every time.

/// The next number of a sequence: 31 bits.
pub fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Durations of a call in nanoseconds: around 200 us, most within a factor of two, the slowest five
/// times as long. Each is the product of four factors between 0.5 and 1.5.
pub fn durations(count: usize) -> Vec<u64> {
    let mut state = 1;
    let mut one = || {
        let factors = (0..4).map(|_| 0.5 + (next(&mut state) % 1_000) as f64 / 1_000.0);
        (200_000.0 * factors.product::<f64>()) as u64
    };
    (0..count).map(|_| one()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_the_same_each_time_and_within_their_bounds() {
        let durations = durations(1_000);
        assert_eq!(durations, super::durations(1_000));
        assert!(durations.iter().all(|nanos| (12_500..=1_012_500).contains(nanos)));
        let slow = durations.iter().filter(|nanos| **nanos > 400_000).count();
        assert!((10..300).contains(&slow));
    }
}
