//! Fault 2: recording while a thread ends, from other thread-locals' destructors.

use std::cell::RefCell;
use std::thread;

use tachograph::{Counter, MetricsCollector, Timing};

/// Records when it is dropped, by handle and by name.
struct Farewell(MetricsCollector, Counter, Timing);

impl Drop for Farewell {
    fn drop(&mut self) {
        let Self(metrics, counter, timing) = self;
        counter.increment();
        timing.record_ns(5);
        metrics.increment("by.name");
        metrics.with_tags(&[("a", "b")]).gauge("gauge", 1.0);
        drop(metrics.timer("timer"));
    }
}

thread_local! {
    static FAREWELL: RefCell<Option<Farewell>> = const { RefCell::new(None) };
}

#[test]
fn fault_2_nothing_recorded_by_destructors_is_lost_in_either_order() {
    let metrics = MetricsCollector::new();
    let (counter, timing) = (metrics.register_counter("c"), metrics.register_timing("t"));
    for recorder_first in [true, false] {
        let (metrics, counter, timing) = (metrics.clone(), counter.clone(), timing.clone());
        let thread = thread::spawn(move || {
            if recorder_first {
                counter.increment();
            }
            let farewell = Farewell(metrics, counter.clone(), timing);
            FAREWELL.with(|place| *place.borrow_mut() = Some(farewell));
            if !recorder_first {
                counter.increment();
            }
        });
        thread.join().expect("no panic");
    }
    let count = |name: &str| metrics.get_counter(name).map(|stats| stats.value);
    assert_eq!((count("c"), count("by.name")), (Some(4), Some(2)));
    for name in ["t", "timer"] {
        assert_eq!(metrics.get_timing(name).map(|stats| stats.count), Some(2), "{name}");
    }
    let gauge = metrics.with_tags(&[("a", "b")]).get_gauge("gauge");
    assert_eq!(gauge.map(|stats| stats.count), Some(2));
}
