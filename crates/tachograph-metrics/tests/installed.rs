//! The process's recorder. A test of its own process: it can be installed once.

use std::panic::{AssertUnwindSafe, catch_unwind};

use metrics::counter;
use tachograph::MetricsCollector;
use tachograph_metrics::TachographRecorder;

#[test]
fn it_can_be_installed_once_and_hears_what_comes_after() {
    let early = counter!("early");
    early.increment(1);
    let collector = MetricsCollector::builder().manual().build();
    TachographRecorder::new(collector.clone()).install().expect("the first");
    early.increment(1);
    counter!("requests").increment(1);
    std::thread::spawn(|| counter!("requests").increment(2)).join().expect("no panic");

    // A recorder of one thread for a while, and then the process's again, also after a panic.
    let local = MetricsCollector::builder().manual().build();
    let scoped = TachographRecorder::new(local.clone());
    let ended = catch_unwind(AssertUnwindSafe(|| {
        metrics::with_local_recorder(&scoped, || {
            counter!("requests").increment(100);
            std::thread::scope(|scope| scope.spawn(|| counter!("requests").increment(8)).join())
                .expect("another thread has the process's");
            panic!("on purpose")
        })
    }));
    assert!(ended.is_err());
    counter!("requests").increment(16);
    assert_eq!(local.get_counter("requests").map(|stats| stats.value), Some(100));

    let other = MetricsCollector::builder().manual().build();
    let refused = TachographRecorder::new(other.clone()).install().expect_err("the second");
    assert!(!refused.to_string().is_empty());
    counter!("requests").increment(4);

    assert_eq!(collector.get_counter("requests").map(|stats| stats.value), Some(31));
    assert!(collector.get_counter("early").is_none(), "what came before is ignored");
    assert!(other.get_counter("requests").is_none());
}
