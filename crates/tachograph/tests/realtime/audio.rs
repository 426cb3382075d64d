//! The callback of the example `audio`, as its readers copy it.

#[path = "../../../../examples/audio/synth.rs"]
mod synth;

use std::time::{Duration, Instant};

use self::synth::{RATE, Synth};
use crate::{exact, level, manual, nonblocking};

#[test]
fn the_examples_callback_never_blocks() {
    let metrics = manual();
    let mut synth = Synth::new(&metrics);
    let mut buffer = [0.0; 128];
    let deadline = Instant::now() + Duration::from_secs(3_600);
    nonblocking(|| {
        for _ in 0..RATE / 128 {
            synth.render(&mut buffer, deadline);
        }
    });
    assert_eq!(exact(metrics.get_timing("audio.callback.duration")).0, 375);
    let (_, peak, buffers) = level(metrics.get_gauge("audio.peak"));
    assert!(peak.is_some_and(|peak| (0.49..=0.5).contains(&peak)) && buffers == 375);
}
