//! A thousand clients that never end their request and a hundred that never read their answer,
//! beside one that scrapes: what it gets, and how much memory the server takes.
//!
//! The server is a process of its own, this program once more, so that the memory is its alone.

#![allow(clippy::print_stdout, reason = "a program of its own, without a test harness")]

mod clients;
mod listeners;
mod scarce;
mod server;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::interval;

use self::clients::Scraper;
use self::server::Server;

const SLOW: usize = 1_000;
const DEAF: usize = 100;
const SCRAPES: u32 = 200;
const RESIDENT_MAX: u64 = 64 << 20;

fn main() -> ExitCode {
    if std::env::var_os(server::ASKED).is_some() {
        server::serve();
        return ExitCode::SUCCESS;
    }
    raise_open_files();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(every_good_scrape_is_whole_in_bounded_memory_among_a_crowd());
    println!("every_good_scrape_is_whole_in_bounded_memory_among_a_crowd ... ok");
    runtime.block_on(scarce::idle_connections_beyond_the_limit_of_open_files_keep_nobody_waiting());
    println!("idle_connections_beyond_the_limit_of_open_files_keep_nobody_waiting ... ok");
    runtime.block_on(scarce::no_request_needs_a_thread_more());
    println!("no_request_needs_a_thread_more ... ok");
    runtime.block_on(listeners::a_hundred_listeners_lose_nothing_among_900_that_never_read());
    println!("a_hundred_listeners_lose_nothing_among_900_that_never_read ... ok");
    ExitCode::SUCCESS
}

/// The usual limit of 1,024 is less than the crowd needs.
fn raise_open_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    let wanted = hard.min(4_096);
    assert!(wanted as usize > SLOW + DEAF + 100, "only {hard} files may be open: raise the limit");
    setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).expect("below the hard limit");
}

async fn every_good_scrape_is_whole_in_bounded_memory_among_a_crowd() {
    let server = Server::start();
    let addr = server.addr;
    let before = Scraper::new(addr).scrape(0).await;
    let mut crowd = JoinSet::new();
    // One after the other, so that each holds on to another snapshot.
    for i in 0..DEAF {
        crowd.spawn(clients::deaf(addr, Duration::from_millis(40) * i as u32));
    }
    for i in 0..SLOW {
        crowd.spawn(clients::slow(addr, Duration::from_millis(1) * i as u32));
    }
    let mut scraper = Scraper::new(addr);
    let mut took = Vec::new();
    let mut pace = interval(Duration::from_millis(50));
    for i in 0..SCRAPES {
        pace.tick().await;
        // Whole, and everything that there was before is still there.
        let begun = Instant::now();
        let lines = scraper.scrape(i).await;
        took.push(begun.elapsed());
        assert!(lines >= before, "{lines} lines, {before} before");
        assert!(crowd.try_join_next().is_none(), "the crowd stays");
    }
    let resident_max = server.resident_max();
    took.sort_unstable();
    let evicted = scraper.counter("metrics.scrape.evicted").await;
    println!(
        "{SCRAPES} scrapes whole, p99 {:.1} ms, at most {:.1} MiB resident, {evicted} connections \
         evicted",
        took[took.len() * 99 / 100].as_secs_f64() * 1e3,
        resident_max as f64 / f64::from(1 << 20)
    );
    assert!(resident_max < RESIDENT_MAX, "{resident_max} bytes resident");
    assert!(evicted as usize > SLOW / 2, "{evicted} evicted: there was no crowd");
    crowd.shutdown().await;
}
