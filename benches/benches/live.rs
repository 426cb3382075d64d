//! What do people who look on cost: live listeners, and the host's slowest events while everything
//! is watched?
//!
//! Listeners: the processor time of the endpoint's threads for each frame of 1,000 changed series,
//! with none, one and a hundred that read it all. The host: single events in process, with nothing
//! beside them and with a history, a recording, 100 rules and a listener, in turns; pairs share
//! what the machine does.

use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ast_server::{Arg, AstServer, Outcome};
use benches::host::SetFile;
use benches::{Budgets, Figures, Options, Table};
use hdrhistogram::Histogram;
use tachograph::{Counter, MetricsCollector, Timing};
use tachograph_history::Settings;
use tachograph_serve::{Alerts, Endpoint, ServerThread};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime;

const SERIES: usize = 1_000;
/// More often than a program has frames, so that few seconds give good figures.
const STEP: Duration = Duration::from_millis(200);
const RULES: usize = 100;
const PAIRS: usize = 9;

/// A listener may take a hundredth of a core.
const LISTENER_PERCENT: f64 = 1.0;
const RATIO: f64 = 1.1;

const FRAME: &[u8] = b"event: frame";

/// Threads of this program that are not the server's.
const OURS: [&str; 3] = ["live-", "listeners", "load"];

/// The processor time so far of all threads but ours, in seconds.
fn server_time() -> Result<f64, Box<dyn Error>> {
    let mut nanos = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        let folder = thread?.path();
        // Err: the thread has just ended.
        let (Ok(name), Ok(times)) =
            (fs::read_to_string(folder.join("comm")), fs::read_to_string(folder.join("schedstat")))
        else {
            continue;
        };
        if !OURS.iter().any(|ours| name.starts_with(ours)) {
            let spent = times.split(' ').next().ok_or("the kernel tells no times")?;
            nanos += spent.parse::<u64>()?;
        }
    }
    Ok(nanos as f64 / 1e9)
}

/// Reads the live stream until `over`, and counts frames; asks for the alerts as a terminal does.
async fn listen(addr: SocketAddr, over: &AtomicBool, frames: &AtomicU64) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.write_all(b"GET /live?since=0 HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
    let mut bytes = vec![0; 1 << 20];
    // Relaxed: the flag guards no other data.
    while !over.load(Ordering::Relaxed) {
        let read = stream.read(&mut bytes).await?;
        assert!(read > 0, "the stream ended");
        // One that is cut in two is missed, which is rare.
        let begun = bytes[..read].windows(FRAME.len()).filter(|it| *it == FRAME).count();
        // Relaxed: the count guards no other data.
        frames.fetch_add(begun as u64, Ordering::Relaxed);
    }
    Ok(())
}

/// Runs `work` beside so many listeners; also returns the number of frames that they read.
fn beside<T>(addr: SocketAddr, listeners: usize, work: impl FnOnce() -> T) -> (T, u64) {
    let (over, frames) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let reading = || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            let all = (0..listeners).map(|_| listen(addr, &over, &frames));
            let read = futures_util::future::try_join_all(all);
            runtime.expect("starts").block_on(read).expect("all read to the end");
        };
        let thread = thread::Builder::new().name("listeners".to_owned());
        thread.spawn_scoped(scope, reading).expect("starts");
        let done = work();
        // Relaxed: see above.
        over.store(true, Ordering::Relaxed);
        (done, frames.load(Ordering::Relaxed))
    })
}

/// Changes every series in every frame until `over`.
fn load(counters: &[Counter], timings: &[Timing], over: &AtomicBool) {
    // Relaxed: the flag guards no other data.
    while !over.load(Ordering::Relaxed) {
        counters.iter().for_each(Counter::increment);
        timings.iter().zip(1..).for_each(|(timing, i)| timing.record_ns(i * i));
        thread::sleep(STEP / 4);
    }
}

/// The endpoint's processor time, in milliseconds a frame, with so many listeners.
fn listeners() -> Result<(), Box<dyn Error>> {
    let metrics = MetricsCollector::builder().publish_every(STEP).build();
    let tag = |i: usize| i.to_string();
    let counters: Vec<_> = (0..SERIES / 2)
        .map(|i| metrics.with_tags(&[("i", &tag(i))]).register_counter("other.counter"))
        .collect();
    let timings: Vec<_> = (0..SERIES / 2)
        .map(|i| metrics.with_tags(&[("i", &tag(i))]).register_timing("other.timing"))
        .collect();
    let settings = Settings { step: STEP, ..Settings::default() };
    let endpoint = Endpoint::new(metrics.clone()).listen(SocketAddr::from(([127, 0, 0, 1], 0)));
    let server = endpoint.history(settings).spawn()?;
    let lasts = Duration::from_secs(if Options::get().quick { 1 } else { 10 });
    let over = AtomicBool::new(false);
    let header =
        ["listeners", "frames read by each", "ms a frame", "more a listener", "% of a core at 1/s"];
    let mut table = Table::new("live-listeners", "Frames of 1,000 changed series", &header);
    let mut budgets = Budgets::new("budget-live-listeners");
    thread::scope(|scope| -> Result<(), Box<dyn Error>> {
        let loading = || load(&counters, &timings, &over);
        thread::Builder::new().name("load".to_owned()).spawn_scoped(scope, loading)?;
        let mut alone = 0.0;
        for listeners in [0, 1, 100] {
            let measured = || -> Result<f64, Box<dyn Error>> {
                thread::sleep(2 * STEP);
                let begun = (server_time()?, Instant::now());
                thread::sleep(lasts);
                let frames = begun.1.elapsed().as_secs_f64() / STEP.as_secs_f64();
                Ok((server_time()? - begun.0) * 1e3 / frames)
            };
            let (spent, read) = beside(server.addr(), listeners, measured);
            let spent = spent?;
            // They keep up: whoever loses frames costs less.
            let wanted = lasts.as_secs_f64() / STEP.as_secs_f64() * 0.8;
            let read = (listeners > 0).then(|| read as f64 / listeners as f64);
            assert!(read.is_none_or(|read| read >= wanted), "{read:?} frames read, not {wanted}");
            if listeners == 0 {
                alone = spent;
            }
            let each = (listeners > 0).then(|| (spent - alone) / listeners as f64);
            let percent = each.map(|each| each / 10.0);
            let cells = [read.into(), spent.into(), each.into(), percent.into()];
            table.row([listeners.to_string().into()].into_iter().chain(cells));
            if let Some(percent) = percent {
                let what = format!("a listener, one of {listeners}");
                budgets.at_most(&what, percent, LISTENER_PERCENT, "% of a core");
            }
        }
        // Relaxed: the flag guards no other data.
        over.store(true, Ordering::Relaxed);
        Ok(())
    })?;
    server.shutdown();
    table.print();
    budgets.print();
    Ok(())
}

/// Nanoseconds of single events, for so long.
fn events(server: &AstServer, lasts: Duration, seq: &mut u32) -> Histogram<u64> {
    let mut took = Histogram::new_with_max(1 << 40, 3).expect("three digits are valid");
    let begun = Instant::now();
    while begun.elapsed() < lasts {
        for _ in 0..1_000 {
            *seq += 1;
            // A new volume each time, so that each changes the set.
            let args = [Arg::from(0), Arg::from((*seq % 100_000) as f32 / 1e5)];
            let start = Instant::now();
            let outcome = server.process_live_event("/live/track/volume", &args, *seq, 0.0);
            took.saturating_record(start.elapsed().as_nanos() as u64);
            assert_eq!(outcome, Outcome::Processed);
        }
    }
    took
}

/// Everything that can watch a server.
fn watched(
    server: &AstServer,
    recording: &std::path::Path,
) -> Result<ServerThread, Box<dyn Error>> {
    let rules: String = (0..RULES)
        .map(|i| {
            let (metric, statistic, threshold) = match i % 3 {
                0 => ("event.processing.duration", "p95", "\"100ms\""),
                1 => ("events.received", "rate", "1e12"),
                _ => ("websocket.clients", "max", "1e6"),
            };
            format!(
                "[[rule]]\nname = \"Rule{i}\"\nmetric = \"{metric}\"\nstatistic = \"{statistic}\"\n\
                 last = \"30s\"\nop = \">\"\nthreshold = {threshold}\n"
            )
        })
        .collect();
    let rules = tachograph_alert::parse(&rules)?;
    let endpoint = Endpoint::new(server.metrics().clone());
    let endpoint = endpoint.listen(SocketAddr::from(([127, 0, 0, 1], 0)));
    let endpoint = endpoint.history(Settings::default()).record(recording)?;
    Ok(endpoint.alerts(Alerts::new(rules)).spawn()?)
}

/// The slowest events of the host while it is watched, beside those while it is not.
fn host() -> Result<(), Box<dyn Error>> {
    let set = SetFile::write()?;
    let server = set.server(true)?;
    let folder = tempfile::tempdir()?;
    let recording = folder.path().join("run.jsonl.gz");
    let lasts = Duration::from_secs(if Options::get().quick { 1 } else { 5 });
    let mut seq = 0;
    events(&server, lasts / 5, &mut seq);
    let [mut off, mut on] = [Vec::new(), Vec::new()];
    for pair in 0..PAIRS {
        let mut run = |is_on: bool| -> Result<(), Box<dyn Error>> {
            let took = if is_on {
                let watched = watched(&server, &recording)?;
                let (took, read) = beside(watched.addr(), 1, || events(&server, lasts, &mut seq));
                assert!(read > 0, "a listener is there");
                watched.shutdown();
                on.push(took);
                return Ok(());
            } else {
                events(&server, lasts, &mut seq)
            };
            off.push(took);
            Ok(())
        };
        // Whatever follows the other may find warmer caches, so they alternate.
        run(pair % 2 == 1)?;
        run(pair % 2 == 0)?;
    }
    let header = ["quantile", "undisturbed, ns", "watched, ns", "ratio"];
    let title = format!("Events of the host, watched and not; {PAIRS} pairs");
    let mut table = Table::new("live-host", title, &header);
    let mut budgets = Budgets::new("budget-live-host");
    for q in [0.5, 0.99, 0.999] {
        let at = |took: &Histogram<u64>| took.value_at_quantile(q) as f64;
        let ratios = on.iter().zip(&off).map(|(on, off)| at(on) / at(off)).collect();
        let ratio = Figures::of(ratios).median;
        let [off, on] = [&off, &on].map(|all| Figures::of(all.iter().map(at).collect()).median);
        table.row([format!("p{}", q * 100.0).into(), off.into(), on.into(), ratio.into()]);
        if q == 0.999 {
            budgets.at_most("p99.9 of events, watched", ratio, RATIO, "x undisturbed");
        }
    }
    table.print();
    budgets.print();
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    listeners()?;
    host()
}
