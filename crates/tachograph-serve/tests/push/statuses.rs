//! What is sent again, when, and what never is.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::time::sleep;

use super::stub::{Reply, Stub, reply};
use super::{SECOND, URL, assert_settled, made, manual, number, numbers, numbers_of};

/// `partial_success { rejected_data_points: 3, error_message: "no" }`
const PARTIAL: &[u8] = b"\x0a\x06\x08\x03\x12\x02no";

const WAIT: Duration = Duration::from_secs(7);

#[derive(Clone, Copy, Debug)]
struct Case {
    status: u16,
    retry_after: RetryAfter,
    is_partial: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum RetryAfter {
    None,
    Seconds,
    Date,
    Nonsense,
}

impl Case {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for status in 100..600 {
            use RetryAfter::{Date, None, Nonsense, Seconds};
            for retry_after in [None, Seconds, Date, Nonsense] {
                for is_partial in [false, true] {
                    all.push(Self { status, retry_after, is_partial });
                }
            }
        }
        all
    }

    fn is_tried_again(self) -> bool {
        [429, 502, 503, 504].contains(&self.status)
    }

    /// 101 ends HTTP on the connection; the other interim answers are followed by the real one.
    fn is_taken(self) -> bool {
        self.is_tried_again() || (100..300).contains(&self.status) && self.status != 101
    }

    fn reply(self) -> Reply {
        let date = |wait| httpdate::fmt_http_date(SystemTime::now() + wait);
        let header = match self.retry_after {
            RetryAfter::None => String::new(),
            RetryAfter::Seconds => format!("Retry-After: {}\r\n", WAIT.as_secs()),
            RetryAfter::Date => format!("Retry-After: {}\r\n", date(WAIT)),
            RetryAfter::Nonsense => "Retry-After: soon\r\n".to_owned(),
        };
        let body = if self.is_partial { PARTIAL } else { b"" };
        let status = self.status;
        match status {
            101 | 204 | 304 => Reply::Bytes(format!("HTTP/1.1 {status} x\r\n{header}\r\n").into()),
            100..200 => {
                let interim = format!("HTTP/1.1 {status} x\r\n{header}\r\n");
                let Reply::Bytes(last) = reply(200, "", body) else { unreachable!("it is") };
                Reply::Bytes([interim.as_bytes(), &last[..]].concat())
            }
            _ => reply(status, &header, body),
        }
    }

    /// How much of the body is there to be believed.
    fn rejected(self) -> u64 {
        let is_read = (100..300).contains(&self.status) && ![101, 204].contains(&self.status);
        if self.is_partial && is_read { 3 } else { 0 }
    }
}

#[tokio::test(start_paused = true)]
async fn every_status_is_sent_again_or_not_as_the_specification_says() {
    let cases = Case::all();
    let script = cases.clone();
    let mut seen = HashSet::new();
    let stub = Stub::new(move |received| {
        let number = number(received);
        match script.get(number as usize) {
            Some(case) if seen.insert(number) => case.reply(),
            _ => reply(200, "", b""),
        }
    });
    let metrics = manual();
    let push = numbers(&metrics, URL).queue_max(1_000, usize::MAX);
    let pusher = stub.receives(push).start().expect("starts");
    made(&pusher, cases.len() as u64).await;
    let report = pusher.shutdown(1_000 * SECOND).await;

    let sent = stub.received();
    let mut next = sent.iter().peekable();
    for (i, case) in cases.iter().enumerate() {
        let first = next.next_if(|it| number(it) == i as u64).expect("sent, in order");
        let again = next.next_if(|it| number(it) == i as u64);
        assert_eq!(again.is_some(), case.is_tried_again(), "{case:?}");
        if let Some(again) = again {
            // A date has no fractions of a second.
            let least = match case.retry_after {
                RetryAfter::Seconds => WAIT,
                RetryAfter::Date => WAIT - SECOND,
                RetryAfter::None | RetryAfter::Nonsense => SECOND / 2,
            };
            assert!(again.at - first.at >= least, "{case:?}: {:?}", again.at - first.at);
        }
        assert!(next.peek().is_none_or(|it| number(it) != i as u64), "{case:?}: a third time");
    }
    assert_eq!(next.map(number).collect::<Vec<_>>(), [cases.len() as u64], "the last one");
    let count = |is: fn(Case) -> bool| cases.iter().filter(|case| is(**case)).count() as u64;
    assert_eq!(report.payloads, cases.len() as u64 + 1);
    assert_eq!(report.attempts, report.payloads + count(Case::is_tried_again));
    assert_eq!(report.delivered, count(Case::is_taken) + 1);
    assert_eq!(report.rejected_data_points, cases.iter().map(|it| it.rejected()).sum::<u64>());
    assert_settled(&metrics, report);
}

#[tokio::test(start_paused = true)]
async fn nothing_at_all_is_sent_while_the_receiver_wants_to_be_left_alone() {
    let mut is_first = true;
    let stub = Stub::new(move |_| match std::mem::take(&mut is_first) {
        true => reply(503, "Retry-After: 280\r\n", b""),
        false => reply(200, "", b""),
    });
    let metrics = manual();
    let pusher = stub.receives(numbers(&metrics, URL)).start().expect("starts");
    made(&pusher, 250).await;
    assert_eq!(numbers_of(&stub), [0]);
    let waiting = pusher.report();
    assert_eq!((waiting.waiting(), waiting.dropped), (16, 234), "the newest sixteen wait");
    sleep(100 * SECOND).await;
    let sent = numbers_of(&stub);
    // After 280 s the oldest of the newest sixteen, give or take the ticks at the edges.
    assert!((264..=266).contains(&sent[1]), "{}", sent[1]);
    assert!(sent[1..].windows(2).all(|two| two[0] + 1 == two[1]), "in order, without a gap");
    assert_settled(&metrics, pusher.shutdown(SECOND).await);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_down_costs_a_bounded_queue_and_counted_drops() {
    let stub = Stub::new(|_| reply(200, "", b""));
    stub.set_down(true);
    let metrics = manual();
    let push = numbers(&metrics, URL).queue_max(5, usize::MAX).backoff(SECOND, 8 * SECOND);
    let pusher = stub.receives(push).start().expect("starts");
    for payloads in 1..=500 {
        made(&pusher, payloads).await;
        assert!(pusher.report().waiting() <= 5, "{:?}", pusher.report());
    }
    let report = pusher.report();
    assert_eq!((report.delivered, report.dropped), (0, 495));
    // Every 4 to 8 s, after the first few.
    assert!((60..=130).contains(&report.attempts), "{} attempts in 500 s", report.attempts);
    stub.set_down(false);
    made(&pusher, 520).await;
    let sent = numbers_of(&stub);
    assert!(sent[0] >= 495 && sent.windows(2).all(|two| two[0] + 1 == two[1]), "{sent:?}");
    assert_settled(&metrics, pusher.shutdown(SECOND).await);
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_the_same_payload_is_sent_again() {
    let mut answers = 0;
    let stub = Stub::new(move |_| {
        answers += 1;
        match answers {
            1 => Reply::Close,
            2 => Reply::Silence,
            3 => Reply::Bytes(b"nonsense\r\n\r\n".to_vec()),
            4 => Reply::Bytes(b"HTTP/1.1 200 x\r\nContent-Le".to_vec()),
            // The status came: what is missing of the body changes nothing.
            5 => Reply::Bytes(b"HTTP/1.1 200 x\r\nContent-Length: 99\r\n\r\nx".to_vec()),
            6 => reply(200, "", &[0; 1_000_000]),
            _ => reply(200, "", b""),
        }
    });
    let metrics = manual();
    let push = numbers(&metrics, URL).every(1_000 * SECOND).timeout(3 * SECOND);
    let pusher = stub.receives(push).start().expect("starts");
    made(&pusher, 4).await;
    assert_settled(&metrics, pusher.shutdown(100 * SECOND).await);
    assert_eq!(numbers_of(&stub), [0, 0, 0, 0, 0, 1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_is_left_alone_for_five_minutes_at_most() {
    for wait in ["99999999999", "Fri, 06 Nov 2099 08:50:37 GMT"] {
        let mut is_first = true;
        let stub = Stub::new(move |_| match std::mem::take(&mut is_first) {
            true => reply(429, &format!("Retry-After: {wait}\r\n"), b""),
            false => reply(200, "", b""),
        });
        let metrics = manual();
        let pusher = stub.receives(numbers(&metrics, URL)).start().expect("starts");
        made(&pusher, 400).await;
        let sent = stub.received();
        let pause = sent[1].at - sent[0].at;
        assert!(pause >= 300 * SECOND && pause <= 301 * SECOND, "{wait}: {pause:?}");
    }
}

/// What is logged while it exists.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_runs_it_is_told_that_nothing_arrives_at_once_and_every_ten_minutes() {
    for (script, told) in [
        ((|_: &_| reply(301, "", b"")) as fn(&_) -> Reply, "301 Moved Permanently; redirects are"),
        (|_| reply(400, "", b""), "400 Bad Request; such payloads are dropped"),
        (|_| reply(503, "", b""), "no time for them"),
        (|_| Reply::Close, "they are sent again"),
    ] {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        let _logged = tracing::subscriber::set_default(subscriber);
        let stub = Stub::new(script);
        let pusher = stub.receives(numbers(&manual(), URL)).start().expect("starts");
        let said = || {
            let log = String::from_utf8(log.0.lock().expect("no panic").clone()).expect("UTF-8");
            assert!(log.is_empty() || log.contains("receiver.example"), "{log}");
            log.lines().filter(|line| line.contains(told)).count()
        };
        made(&pusher, 5).await;
        assert_eq!(said(), 1, "{told}");
        sleep(500 * SECOND).await;
        assert_eq!(said(), 1, "{told}");
        sleep(200 * SECOND).await;
        assert_eq!(said(), 2, "{told}");
    }
}
