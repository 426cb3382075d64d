//! What does a scrape cost the recording thread, and what does a crowd of bad clients cost the
//! scraper?
//!
//! Three runs with the same records on one thread: with only the aggregator beside it; with a
//! scraper; and with the scraper and a crowd of a thousand clients that never end their request and
//! a hundred that never read their answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use benches::{Bed, Budgets, Case, Options, SharedClock, Table, Tail, calls, tails};
use hdrhistogram::Histogram;
use tachograph::MetricsCollector;
use tachograph_serve::Endpoint;

const SERIES: usize = 1_000;
const SCRAPE_EVERY: Duration = Duration::from_millis(20);
const SLOW: usize = 1_000;
const DEAF: usize = 100;
/// Gives the scraper a few hundred answers.
const CALLS: u64 = 30_000_000;
const SCRAPE_MILLIS: f64 = 50.0;
/// Upper bound for the slowest records with a scraper, as a multiple of the undisturbed run.
const RATIO: f64 = 1.1;

const CALLS_BY: [fn(&Bed) -> Case<'_>; 2] = [calls::counter_by_handle, calls::timing_by_handle];

/// Fills other series with a few samples each.
fn fill(metrics: &MetricsCollector) {
    for i in 0..SERIES / 2 {
        let name = i.to_string();
        let tags = [("i", name.as_str())];
        let tagged = metrics.with_tags(&tags);
        tagged.increment("other.counter");
        (0..20u64).for_each(|v| tagged.histogram("other.histogram", v * v * i as u64));
    }
}

const REQUEST: &[u8] =
    b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n";

/// One complete scrape.
fn scrape(addr: SocketAddr, answer: &mut Vec<u8>) {
    answer.clear();
    let mut stream = TcpStream::connect(addr).expect("connects");
    stream.write_all(REQUEST).expect("sends");
    stream.read_to_end(answer).expect("is not cut off");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = std::str::from_utf8(&answer[..end]).expect("ASCII");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    assert_eq!(length, Some((answer.len() - end - 4).to_string().as_str()), "whole");
}

/// Scrapes until `over`; returns the microseconds of each, including the connect.
fn scrapes(addr: SocketAddr, over: &AtomicBool) -> Histogram<u64> {
    let mut took = Histogram::new(3).expect("three digits are valid");
    let mut answer = Vec::new();
    // Relaxed: the flag guards no other data.
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        scrape(addr, &mut answer);
        // Not `saturating_record`: that would cap at 2 ms, where this histogram starts.
        took.record(begun.elapsed().as_micros() as u64).expect("it grows");
        thread::sleep(SCRAPE_EVERY.saturating_sub(begun.elapsed()));
    }
    took
}

/// Bad clients until `over`. A client that is closed reconnects.
fn crowd(addr: SocketAddr, over: &AtomicBool) {
    let pipelined = REQUEST.repeat(2);
    let deaf = String::from_utf8(pipelined).expect("ASCII").replace("Connection: close\r\n", "");
    let deaf = deaf.replace("Accept-Encoding: gzip\r\n", "").repeat(50);
    let hello = |i: usize| if i < DEAF { deaf.as_bytes() } else { b"GET / HTTP/1.1\r\nX: " };
    let mut clients: Vec<Option<TcpStream>> = (0..DEAF + SLOW).map(|_| None).collect();
    // Relaxed: the flag guards no other data.
    while !over.load(Ordering::Relaxed) {
        for (i, client) in clients.iter_mut().enumerate() {
            let sent = client.as_mut().is_some_and(|client| client.write_all(b"x").is_ok());
            if !sent {
                *client = TcpStream::connect(addr).ok();
                // Err: already closed, which the next round notices.
                let _ = client.as_mut().map(|client| client.write_all(hello(i)));
            }
        }
        thread::sleep(Duration::from_secs(1));
    }
}

/// One run: the records, and the scraper's times.
fn run(
    cases: &[Case<'_>],
    addr: SocketAddr,
    clients: usize,
) -> (Vec<Tail>, Option<Histogram<u64>>) {
    let calls = if Options::get().quick { CALLS / 10 } else { CALLS };
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        if clients > 1 {
            scope.spawn(|| crowd(addr, &over));
        }
        let scraper = (clients > 0).then(|| scope.spawn(|| scrapes(addr, &over)));
        let tails = tails(cases, calls);
        // Relaxed: the flag guards no other data.
        over.store(true, Ordering::Relaxed);
        (tails, scraper.map(|scraper| scraper.join().expect("every scrape is whole")))
    })
}

fn main() {
    let shared = SharedClock::new();
    let metrics = MetricsCollector::builder().clock(shared.clock()).build();
    fill(&metrics);
    let bed = Bed::of(metrics.clone());
    let endpoint = Endpoint::new(metrics).listen(SocketAddr::from(([127, 0, 0, 1], 0)));
    let server = endpoint.spawn().expect("starts");
    let cases: Vec<_> = CALLS_BY.iter().map(|make| make(&bed)).collect();
    let runs = ["undisturbed", "a scraper", "scraper and crowd"];
    let results: Vec<_> = (0..runs.len()).map(|i| run(&cases, server.addr(), i)).collect();
    assert_eq!(bed.dropped(), 0);
    server.shutdown();

    let mut budgets = Budgets::new("budget-serve");
    let title = "Single records while the endpoint serves: ns".to_owned();
    let header = ["operation", "run", "p50", "p99", "p99.9", "nothing's p99.9", "p99.9 ratio"];
    let mut table = Table::new("serve-record", title, &header);
    for (case, name) in cases.iter().map(Case::name).enumerate() {
        let undisturbed = results[0].0[case].of_calls(0.999);
        for (run, (tails, _)) in runs.iter().zip(&results) {
            let tail = &tails[case];
            let ratio = tail.of_calls(0.999) / undisturbed;
            let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|q| tail.of_calls(q).into());
            let nothing = tail.of_nothing(0.999).into();
            table.row([name.into(), (*run).into(), p50, p99, p999, nothing, ratio.into()]);
        }
        let scraped = results[1].0[case].of_calls(0.999) / undisturbed;
        budgets.at_most(&format!("{name}, p99.9 with a scraper"), scraped, RATIO, "x undisturbed");
    }
    table.print();
    let header = ["run", "scrapes", "p50", "p99", "max"];
    let mut table = Table::new("serve-scrape", "Scrapes, connecting included: ms", &header);
    for (run, (_, scrapes)) in runs.iter().zip(&results) {
        let Some(scrapes) = scrapes else { continue };
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|q| scrapes.value_at_quantile(q) as f64 / 1e3);
        let count = (scrapes.len() as f64).into();
        table.row([(*run).into(), count, p50.into(), p99.into(), max.into()]);
        budgets.at_most(&format!("{run}, scrape's p99"), p99, SCRAPE_MILLIS, "ms");
    }
    table.print();
    budgets.print();
}
