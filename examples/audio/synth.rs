//! The audio callback: it must not allocate, lock or wait, and is measured all the same.

use std::f32::consts::TAU;
use std::time::Instant;

use tachograph::{Counter, Gauge, MetricsCollector, Recorder, Timing};

/// Frames a second.
pub(crate) const RATE: u32 = 48_000;

/// A tone, and what is measured of rendering it.
pub(crate) struct Synth {
    phase: f32,
    metrics: MetricsCollector,
    recorder: Recorder,
    duration: Timing,
    late: Counter,
    peak: Gauge,
}

impl Synth {
    pub(crate) fn new(metrics: &MetricsCollector) -> Self {
        Self {
            phase: 0.0,
            metrics: metrics.clone(),
            recorder: metrics.recorder(),
            duration: metrics.register_timing("audio.callback.duration"),
            late: metrics.register_counter("audio.callback.late"),
            peak: metrics.register_gauge("audio.peak"),
        }
    }

    /// The callback: fills a buffer that is due at `deadline`.
    pub(crate) fn render(&mut self, buffer: &mut [f32], deadline: Instant) {
        let start = self.metrics.now();
        let mut peak = 0.0_f32;
        for sample in buffer {
            self.phase = (self.phase + 440.0 * TAU / RATE as f32) % TAU;
            *sample = 0.5 * self.phase.sin();
            peak = peak.max(sample.abs());
        }
        self.recorder.set(&self.peak, f64::from(peak));
        self.recorder.record_since(&self.duration, start);
        if Instant::now() > deadline {
            self.recorder.increment(&self.late);
        }
    }
}
