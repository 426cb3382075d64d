//! How a push ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tachograph::MetricsCollector;
use tachograph_serve::Push;
use tokio::time::{Instant, sleep};

use super::stub::{Reply, Stub, reply};
use super::{SECOND, URL, assert_settled, made, manual, numbers, numbers_of};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test(start_paused = true)]
async fn the_last_payload_holds_everything_recorded_before() {
    let metrics = manual();
    let stub = Stub::new(|_| reply(200, "", b""));
    let pusher = stub.receives(events(&metrics)).start().expect("starts");
    metrics.increment_by("events", 41);
    metrics.increment("events");
    let report = pusher.shutdown(SECOND).await;
    assert_eq!(numbers_of(&stub), [42]);
    assert_eq!((report.payloads, report.delivered), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn at_the_end_there_is_no_waiting_for_the_own_back_off() {
    let metrics = manual();
    let stub = Stub::new(|_| reply(200, "", b""));
    stub.set_down(true);
    let push = numbers(&metrics, URL).backoff(HOUR, HOUR);
    let pusher = stub.receives(push).start().expect("starts");
    made(&pusher, 3).await;
    stub.set_down(false);
    let begun = Instant::now();
    let report = pusher.shutdown(5 * SECOND).await;
    assert_eq!(numbers_of(&stub), [0, 1, 2, 3]);
    assert_eq!((report.delivered, report.dropped), (4, 0));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_kept_and_what_is_left_is_counted() {
    for script in [
        (|_: &_| Reply::Silence) as fn(&_) -> Reply,
        |_| reply(503, "", b""),
        |_| reply(429, "Retry-After: 100\r\n", b""),
    ] {
        let metrics = manual();
        let stub = Stub::new(script);
        let push = numbers(&metrics, URL).queue_max(3, usize::MAX).timeout(HOUR);
        let pusher = stub.receives(push).start().expect("starts");
        made(&pusher, 10).await;
        let begun = Instant::now();
        let report = pusher.shutdown(5 * SECOND).await;
        assert_eq!(begun.elapsed(), 5 * SECOND);
        assert_eq!((report.payloads, report.delivered, report.dropped), (11, 0, 11));
        assert_settled(&metrics, report);
        let shutdown = metrics.with_tags(&[("reason", "shutdown")]);
        let left = shutdown.get_counter("metrics.push.dropped").expect("registered").value;
        assert!((3..=4).contains(&left), "{left}: what waited and was under way");
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_wants_to_be_left_alone_is_so_even_at_the_end() {
    let stub = Stub::new(|_| reply(503, "Retry-After: 100\r\n", b""));
    let pusher = stub.receives(numbers(&manual(), URL)).start().expect("starts");
    made(&pusher, 4).await;
    pusher.shutdown(50 * SECOND).await;
    assert_eq!(numbers_of(&stub), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_handle_that_is_dropped_ends_the_push() {
    let stub = Stub::new(|_| reply(200, "", b""));
    let pusher = stub.receives(numbers(&manual(), URL)).start().expect("starts");
    made(&pusher, 2).await;
    drop(pusher);
    let sent = numbers_of(&stub).len();
    sleep(HOUR).await;
    assert_eq!(numbers_of(&stub).len(), sent);
}

#[tokio::test(start_paused = true)]
async fn while_recording_is_off_nothing_is_pushed() {
    let metrics = manual();
    let stub = Stub::new(|_| reply(200, "", b""));
    let pusher = stub.receives(numbers(&metrics, URL)).start().expect("starts");
    made(&pusher, 2).await;
    metrics.set_enabled(false);
    sleep(HOUR).await;
    assert_eq!(pusher.report().payloads, 3, "one more, of the time until then");
}

/// How many events a payload tells of.
fn events(metrics: &MetricsCollector) -> Push {
    let encode = |snapshot: &tachograph::Snapshot, out: &mut Vec<u8>| {
        let counter = snapshot.find("events", &[]).and_then(|it| it.value.as_counter().cloned());
        out.extend(counter.map_or(0, |it| it.lifetime.value as u64).to_be_bytes());
    };
    Push::with_encoder(metrics.clone(), URL, encode).expect("a target").every(HOUR)
}

#[tokio::test(start_paused = true)]
async fn a_collector_may_be_shut_down_before_its_push() {
    let metrics = manual();
    let stub = Stub::new(|_| reply(200, "", b""));
    let pusher = stub.receives(events(&metrics)).start().expect("starts");
    metrics.increment_by("events", 42);
    metrics.shutdown(SECOND);
    let report = pusher.shutdown(SECOND).await;
    assert_eq!(numbers_of(&stub), [42]);
    assert_eq!((report.payloads, report.delivered), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_says_now_is_fine_gets_all_at_the_end_too() {
    let is_ready = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_ready);
    let stub = Stub::new(move |_| match seen.load(Ordering::SeqCst) {
        true => reply(200, "", b""),
        false => reply(503, "Retry-After: 0\r\n", b""),
    });
    let metrics = manual();
    let push = numbers(&metrics, URL).backoff(HOUR, HOUR);
    let pusher = stub.receives(push).start().expect("starts");
    made(&pusher, 13).await;
    is_ready.store(true, Ordering::SeqCst);
    let report = pusher.shutdown(5 * SECOND).await;
    assert_eq!((report.payloads, report.delivered), (14, 14));
}

#[tokio::test(start_paused = true)]
async fn an_encoder_that_panics_costs_one_payload() {
    let metrics = manual();
    let stub = Stub::new(|_| reply(200, "", b""));
    let number = AtomicU64::new(0);
    let encode = move |_: &tachograph::Snapshot, out: &mut Vec<u8>| {
        let number = number.fetch_add(1, Ordering::SeqCst);
        assert!(number != 1, "as a bug would");
        out.extend(number.to_be_bytes());
    };
    let push = Push::with_encoder(metrics.clone(), URL, encode).expect("a target").every(SECOND);
    let pusher = stub.receives(push).start().expect("starts");
    made(&pusher, 4).await;
    let report = pusher.shutdown(SECOND).await;
    assert_settled(&metrics, report);
    assert_eq!(numbers_of(&stub), [0, 2, 3, 4]);
    let panicked = metrics.with_tags(&[("reason", "panicked")]);
    assert_eq!(panicked.get_counter("metrics.push.dropped").map(|it| it.value), Some(1));
}

#[test]
fn a_program_that_ends_pushes_once() {
    let metrics = manual();
    let stub = Stub::new(|_| reply(200, "", b""));
    metrics.increment_by("events", 42);
    let report = stub.receives(events(&metrics)).once(10 * SECOND).expect("starts");
    assert_eq!((report.payloads, report.delivered), (1, 1));
    assert_eq!(numbers_of(&stub), [42]);
}
