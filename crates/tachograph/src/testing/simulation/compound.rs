//! Special records: with a trace, or from a signal handler.

use std::time::Duration;

use crate::drops::tallies::Tally;
use crate::lane::lane::mode;
use crate::series::metric::Kind;
use crate::testing::simulation::handle::Handle;
use crate::testing::simulation::model::{Outcome, Pending, Target, tags};
use crate::testing::simulation::recording::Route;
use crate::testing::simulation::trace::trace;
use crate::testing::simulation::world::World;

/// A traced value ends with its trace's number, so that no two are equal, and none is small.
const NUMBER_BITS: u32 = 16;
const FIRST_NUMBER: u64 = 1 << 10;

impl World {
    pub(super) fn record_compound(&mut self) {
        let route = self.any_route();
        let kind = match route {
            Route::Handle(held) | Route::Recorder(_, held) => self.held[held].handle.kind(),
            Route::Name(_, _, kind) => kind,
        };
        let by_handle = !matches!(route, Route::Name(..));
        match (self.rng.u8(0..3), kind) {
            (0, Kind::Timing | Kind::Histogram) if by_handle => {
                self.say(|| format!("record by {route:?}"));
                self.record(route);
            }
            (_, Kind::Timing | Kind::Histogram) => {
                let times = if self.rng.bool() { 1 } else { self.rng.usize(2..30) };
                self.say(|| format!("record {times} times with a trace by {route:?}"));
                (0..times).for_each(|_| self.record_traced(route));
            }
            (_, Kind::Counter) if by_handle => self.record_from_signal(route),
            _ => self.record_some(),
        }
    }

    fn record_traced(&mut self, route: Route) {
        self.model.traces += 1;
        let number = FIRST_NUMBER + self.model.traces;
        let raw = self.rng.u64(..) >> self.rng.u32(0..64);
        let value = (raw >> NUMBER_BITS << NUMBER_BITS) | number;
        self.record_samples(route, &[value], Some(number), |world| {
            let (trace, duration) = (trace(number), Duration::from_nanos(value));
            match route {
                Route::Name(name, tag, kind) => {
                    let tags = tags(tag);
                    let tagged = world.metrics.with_tags(&tags);
                    match kind {
                        Kind::Timing => tagged.timing_traced(name, duration, trace),
                        _ => tagged.histogram_traced(name, value, trace),
                    }
                }
                Route::Handle(held) => match &world.held[held].handle {
                    Handle::Timing(timing) => timing.record_traced(duration, trace),
                    Handle::Histogram(histogram) => histogram.record_traced(value, trace),
                    _ => unreachable!("the route leads to a distribution"),
                },
                Route::Recorder(recorder, held) => {
                    let recorder = &world.recorders[recorder];
                    match &world.held[held].handle {
                        Handle::Timing(timing) => recorder.record_ns_traced(timing, value, trace),
                        Handle::Histogram(size) => recorder.record_traced(size, value, trace),
                        _ => unreachable!("the route leads to a distribution"),
                    }
                }
            }
        });
    }

    /// Through any handle: no recorder is involved.
    fn record_from_signal(&mut self, route: Route) {
        let (Route::Handle(held) | Route::Recorder(_, held)) = route else { return };
        let times = self.rng.usize(1..10);
        self.say(|| format!("{times} increments from a signal handler by {held}"));
        for _ in 0..times {
            self.record_samples(Route::Handle(held), &[1], None, |world| {
                let Handle::Counter(counter) = &world.held[held].handle else { return };
                counter.increment_from_signal();
            });
        }
    }

    /// Makes one call that records several values, in this order, and enters them into the model.
    fn record_samples(
        &mut self,
        route: Route,
        values: &[u64],
        trace: Option<u64>,
        act: impl FnOnce(&Self),
    ) {
        if self.mode() == mode::OFF {
            return act(self);
        }
        let (target, _) = self.target(route);
        let lost_traces =
            |world: &Self| world.metrics.core().shared.tallies.get(Tally::ExemplarDropped);
        let (before, lost_before) = (self.probe(&target), lost_traces(self));
        act(self);
        self.adopt_named(route, &target);
        let (after, lost) = (self.probe(&target), lost_traces(self) - lost_before);
        assert!(lost <= u64::from(trace.is_some()), "a trace that was never given is lost");
        self.model.traces_dropped += lost;
        let Target::Series(key) = target else {
            self.model.refused += values.len() as u64;
            return;
        };
        let [dropped, in_place] = [after.0 - before.0, after.1 - before.1].map(|n| n as usize);
        let samples = values.len().checked_sub(dropped + in_place);
        let samples = samples.unwrap_or_else(|| panic!("{key}: more than was recorded"));
        assert!(in_place == 0 || trace.is_none() || lost == 1, "{key}: where is the trace?");
        let series = self.model.series.get_mut(&key).expect("adopted");
        for (i, &value) in values.iter().enumerate() {
            // The last samples are the ones without room in the lane.
            let outcome = match i {
                i if i < samples => Outcome::Sample,
                i if i < samples + in_place => Outcome::InPlace,
                _ => Outcome::Dropped,
            };
            let kept = outcome == Outcome::Sample && lost == 0;
            series.note(Pending { value, outcome, trace: trace.filter(|_| kept) });
        }
    }
}
