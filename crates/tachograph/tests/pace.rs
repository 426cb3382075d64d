//! Passes at the pace that `run_pass` asks for, which is the background thread's: what ordinary
//! rates need, without a real clock.

use std::time::{Duration, SystemTime};

use tachograph::{Clock, MetricsCollector};

const PUBLISH_EVERY: Duration = Duration::from_millis(100);

/// A load of one thread, after a second of quiet.
#[derive(Clone, Copy)]
struct Load {
    per_second: u64,
    lasts: Duration,
    /// How long after a pass it begins.
    begins: Duration,
    /// How late each pass comes.
    late: Duration,
}

/// Samples that were coalesced, and passes that were made in the second of quiet.
fn coalesced_and_passes(load: Load, blocks: usize) -> (u64, u32) {
    let (clock, hand) = Clock::mock();
    let metrics =
        MetricsCollector::builder().manual().clock(clock.clone()).lane_blocks(blocks, 256).build();
    let timing = metrics.register_timing("t");
    let start = clock.now();
    let pass = || metrics.run_pass(clock.now(), SystemTime::UNIX_EPOCH);
    let (mut wait, mut publish_at) = (pass(), start + PUBLISH_EVERY);
    let quiet = start + Duration::from_secs(1) + load.begins;
    let end = quiet + load.lasts;
    let (mut sent, mut passes) = (0, 0);
    let due = |now: std::time::Instant| {
        let busy = now.min(end).saturating_duration_since(quiet);
        (busy.as_secs_f64() * load.per_second as f64).round() as u64
    };
    while clock.now() < end + PUBLISH_EVERY {
        hand.advance(wait.min(publish_at.saturating_duration_since(clock.now())) + load.late);
        let now = clock.now();
        let all = due(now);
        (sent..all).for_each(|i| timing.record_ns(3_000 + i % 1_000));
        sent = all;
        wait = pass();
        passes += u32::from(now <= start + Duration::from_secs(1));
        if now >= publish_at {
            publish_at = (publish_at + PUBLISH_EVERY).max(now);
        }
    }
    let stats = metrics.get_timing("t").expect("registered");
    let all = (load.lasts.as_secs_f64() * load.per_second as f64).round() as u64;
    assert_eq!(stats.count, all, "every sample is there");
    (stats.buckets().coalesced(), passes)
}

#[test]
fn from_quiet_no_sample_is_coalesced_at_ordinary_rates() {
    let ms = Duration::from_millis;
    for (per_second, lasts) in [(60_000, ms(1_000)), (100_000, ms(1_000)), (250_000, ms(400))] {
        for begins in (0..100).step_by(7).map(ms) {
            for late in [ms(0), ms(5), ms(20)] {
                let load = Load { per_second, lasts, begins, late };
                let (coalesced, _) = coalesced_and_passes(load, 64);
                assert_eq!(coalesced, 0, "{per_second}/s, {begins:?} after a pass, {late:?} late");
            }
        }
    }
}

#[test]
fn a_lane_with_less_room_would_coalesce() {
    let lasts = Duration::from_secs(1);
    let load = Load { per_second: 60_000, lasts, begins: Duration::ZERO, late: Duration::ZERO };
    assert!(coalesced_and_passes(load, 8).0 > 0, "the tests above can fail");
}

#[test]
fn an_idle_collector_asks_for_ten_passes_a_second() {
    let load =
        Load { per_second: 0, lasts: Duration::ZERO, begins: Duration::ZERO, late: Duration::ZERO };
    assert_eq!(coalesced_and_passes(load, 64), (0, 10));
}

#[test]
fn a_read_between_two_passes_does_not_mislead_the_pace() {
    let (clock, hand) = Clock::mock();
    let metrics = MetricsCollector::builder().manual().clock(clock.clone()).build();
    let timing = metrics.register_timing("t");
    let pass = || metrics.run_pass(clock.now(), SystemTime::UNIX_EPOCH);
    pass();
    (0..16_384).for_each(|i| timing.record_ns(i));
    // Takes what is there, at a time that stands still.
    metrics.get_timing("t");
    hand.advance(Duration::from_millis(100));
    // Half of the room in 100 ms: a quarter of it in 50.
    assert_eq!(pass(), Duration::from_millis(50));
}
