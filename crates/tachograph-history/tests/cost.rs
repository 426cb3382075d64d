//! What a frame costs, counted in allocations.

mod common;

use std::alloc::System;
use std::time::Duration;

use common::Recorded;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tachograph_history::Settings;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn a_frame_costs_as_much_as_what_changed_however_many_series_there_are() {
    let allocations = [10, 1_000].map(|series: u64| {
        let mut world = Recorded::new(Settings::default());
        for number in 0..series {
            let number = number.to_string();
            let tags = [("number", &*number)];
            world.metrics.with_tags(&tags).increment("events");
            world.metrics.with_tags(&tags).timing("turn", Duration::from_micros(1));
        }
        world.second();
        world.metrics.increment("events");
        world.metrics.timing("turn", Duration::from_micros(1));
        world.second();
        world.metrics.increment("events");
        world.metrics.timing("turn", Duration::from_micros(1));
        world.pass(Duration::from_secs(1));
        let snapshot = world.metrics.snapshot();
        let region = Region::new(ALLOCATOR);
        let (frame, _) = world.history.record(&snapshot).expect("a newer snapshot");
        let allocations = region.change().allocations;
        assert!(frame.counter(world.number("events")).is_some());
        allocations
    });
    assert_eq!(allocations[0], allocations[1], "with 10 idle series, and with 1,000");
}
