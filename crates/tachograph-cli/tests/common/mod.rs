//! A recording of a program with known samples.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use tachograph::{MetricsCollector, Unit};
use tachograph_history::file::Writer;
use tachograph_history::{FORMAT, History, Meta, Settings};

/// When recordings begin: 2025-11-30, 11:00:00 UTC.
pub(crate) const START_MS: u64 = 1_764_500_400_000;

pub(crate) const LATENCY: &str = "event.processing.duration";

/// All samples of the latency in nanoseconds, and the totals of all counters.
pub(crate) struct Known {
    pub(crate) samples: Vec<u64>,
    pub(crate) counts: BTreeMap<&'static str, u64>,
    /// The numbers of samples and the totals in the first frame, which is of all before it.
    pub(crate) first: (usize, BTreeMap<&'static str, u64>),
}

impl Known {
    /// Without the first frame.
    pub(crate) fn later(mut self) -> Self {
        let (samples, counts) = std::mem::take(&mut self.first);
        self.samples.drain(..samples);
        for (name, count) in counts {
            self.counts.entry(name).and_modify(|all| *all -= count);
        }
        self
    }

    /// The sample of rank `ceil(q * count)`, in seconds.
    pub(crate) fn quantile(&self, q: f64) -> f64 {
        let mut sorted = self.samples.clone();
        sorted.sort_unstable();
        let rank = (q * sorted.len() as f64).ceil() as usize;
        sorted[rank.max(1) - 1] as f64 * 1e-9
    }
}

/// Writes `seconds` of a server's metrics; equal seeds give equal metrics. After two thirds of the
/// time, some events are slow for twenty seconds.
pub(crate) fn write(path: &Path, seconds: u64, seed: u64) -> Result<Known, Box<dyn Error>> {
    let metrics = MetricsCollector::builder().manual().build();
    metrics.describe("websocket.message.size", Unit::Bytes, "bytes of a message to a viewer");
    metrics.describe("events.processed", Unit::None, "events that were applied to the set");
    let mut history = History::new(Settings::default());
    let mut writer = Writer::create(path)?;
    writer.meta(&Meta {
        format: FORMAT,
        program: "ast-server".to_owned(),
        version: "0.1.0".to_owned(),
        started_ms: START_MS,
        step_ms: 1_000,
        window_ms: Some(60_000),
    })?;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut known =
        Known { samples: Vec::new(), counts: BTreeMap::new(), first: Default::default() };
    let (began, wall) = (Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_millis(START_MS));
    metrics.run_pass(began, wall);
    for second in 0..seconds {
        let is_slow = (seconds * 2 / 3..seconds * 2 / 3 + 20).contains(&second);
        one_second(&metrics, &mut random, &mut known, is_slow);
        if second == 0 {
            known.first = (known.samples.len(), known.counts.clone());
        }
        let now = Duration::from_secs(second + 1);
        metrics.run_pass(began + now, wall + now);
        let (frame, new) = history.record(&metrics.snapshot()).ok_or("no newer snapshot")?;
        writer.frame(&frame, new.iter().map(|it| &**it))?;
    }
    Ok(known)
}

fn one_second(
    metrics: &MetricsCollector,
    random: &mut fastrand::Rng,
    known: &mut Known,
    is_slow: bool,
) {
    let mut count = |name: &'static str, amount: u64| {
        metrics.increment_by(name, amount);
        *known.counts.entry(name).or_default() += amount;
    };
    let events = random.u64(20..40);
    count("events.processed", events);
    count("udp.packet.received", events + 2);
    count("websocket.broadcast.success", events * 3);
    count("cache.hit", events * 7 / 8);
    count("cache.miss", events / 8);
    if is_slow {
        count("udp.packet.dropped", 1);
    }
    metrics.gauge("websocket.clients", 3.0);
    for _ in 0..events {
        // One in twenty is slower.
        let octaves = random.f64() * 3.0 + if random.u8(0..20) == 0 { 5.0 } else { 0.0 };
        let slow = if is_slow && random.bool() { 6.0 } else { 0.0 };
        let ns = (8_000.0 * 2f64.powf(octaves + slow)) as u64;
        let kind = ["/live/track/added", "/live/clip/moved", "/live/device/changed"];
        let kind = kind[random.usize(0..3)];
        metrics.timing(LATENCY, Duration::from_nanos(ns));
        let tagged = [("event_type", kind)];
        metrics.with_tags(&tagged).timing(LATENCY, Duration::from_nanos(ns));
        metrics.histogram("websocket.message.size", random.u64(60..4_000));
        known.samples.push(ns);
    }
}
