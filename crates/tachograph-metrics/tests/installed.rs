//! The process's recorder. A test of its own process: it can be installed once.

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

    let other = MetricsCollector::builder().manual().build();
    let refused = TachographRecorder::new(other.clone()).install().expect_err("the second");
    assert!(!refused.to_string().is_empty());
    counter!("requests").increment(4);

    assert_eq!(collector.get_counter("requests").map(|stats| stats.value), Some(7));
    assert!(collector.get_counter("early").is_none(), "what came before is ignored");
    assert!(other.get_counter("requests").is_none());
}
