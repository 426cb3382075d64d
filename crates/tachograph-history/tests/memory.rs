//! A history's own count of its bytes, beside the allocator's.

mod common;

use std::alloc::System;
use std::time::Duration;

use common::Recorded;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tachograph_history::Settings;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn held() -> f64 {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated as f64 - stats.bytes_deallocated as f64
}

#[test]
fn a_history_holds_the_bytes_that_it_counts() {
    for (tagged, frames) in [(0, 100), (1_000, 2), (1_000, 20)] {
        let mut world = Recorded::new(Settings::default());
        for frame in 1..=frames {
            for number in 0..tagged {
                let tags = [("number", &*format!("{number}")), ("kind", "of some length")];
                world.metrics.with_tags(&tags).increment("events");
                world
                    .metrics
                    .with_tags(&tags)
                    .timing("turn", Duration::from_micros(frame * number));
            }
            world.metrics.timing("turn", Duration::from_micros(frame));
            world.second();
        }
        let Recorded { history, metrics, .. } = world;
        let (counted, before) = (history.bytes() as f64, held());
        drop(history);
        let freed = before - held();
        let ratio = freed / counted;
        assert!((0.8..1.1).contains(&ratio), "{tagged}, {frames}: {freed} of {counted}");
        drop(metrics);
    }
}
