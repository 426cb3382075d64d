//! What does an event cost end to end, and how much of that are metrics?
//!
//! In process: an event of the demo's mix, on a set of 50 tracks and 100 scenes, is looked up and
//! applied, and its change recorded. Two servers, one with metrics on, process the same
//! events in turns. The overhead is the median of ratios over four rounds each, so that a slow
//! moment of the machine affects both servers or only one ratio. Over sockets: from the call that
//! sends the datagram to the WebSocket message that tells a viewer about the change.

use std::error::Error;
use std::time::Instant;

use ast_server::mix::{Mix, MixedEvent};
use ast_server::{Arg, AstServer, EventSender, Outcome};
use benches::host::{SetFile, counted, until};
use benches::{Budgets, Figures, Options, Table};
use futures_util::StreamExt;
use tokio_tungstenite::connect_async;

/// Events per round.
const EVENTS: usize = 5_000;
const DATAGRAMS: usize = 2_000;

const EVENTS_PER_SECOND: f64 = 300_000.0;
const ADDED_PERCENT: f64 = 3.0;

/// Processes a round of events; returns nanoseconds per event.
fn round(server: &AstServer, events: &[MixedEvent]) -> f64 {
    let start = Instant::now();
    let mut processed = 0;
    for (seq, event) in (0..).zip(events) {
        let path = event.event_type.path();
        let outcome = server.process_live_event(path, &event.args, seq, 0.0);
        processed += usize::from(outcome == Outcome::Processed);
    }
    let spent = start.elapsed();
    assert!(processed > EVENTS * 99 / 100, "nearly all of the mix is handled");
    spent.as_secs_f64() * 1e9 / EVENTS as f64
}

/// Waits until the collector has judged the time-stamp counter; returns the clock that its timers
/// read.
fn clock(server: &AstServer) -> &'static str {
    let trusts = || {
        let gauge = server.metrics().get_gauge("telemetry.clock.tsc");
        gauge.and_then(|stats| stats.current) == Some(1.0)
    };
    // Err: the machine's counter is not reliable.
    let _ = until("the time-stamp counter is trusted", trusts);
    if trusts() { "the time-stamp counter" } else { "the monotonic clock" }
}

fn in_process(set: &SetFile) -> Result<(), Box<dyn Error>> {
    let rounds = 4 * Options::get().rounds(51);
    // New events each round: an event that changes nothing would be cheaper.
    let mix = Mix::new(&ast_server::read(&set.path)?, 1);
    let mix: Vec<_> = mix.take(EVENTS * rounds).collect();
    let (on, off) = (set.server(true)?, set.server(false)?);
    let clock = clock(&on);
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for (i, events) in mix.chunks(EVENTS).enumerate() {
        // The first server finds the events cold in the caches, the second its set: they take turns.
        // Each goes first twice in a row, because every other round of this mix takes 5 % longer:
        // two servers without metrics would differ by 2 %.
        if i / 2 % 2 == 0 {
            with.push(round(&on, events));
            without.push(round(&off, events));
        } else {
            without.push(round(&off, events));
            with.push(round(&on, events));
        }
    }
    assert_eq!(counted(&on, "events.received"), mix.len() as u64);
    assert_eq!(on.root_hash()?, off.root_hash()?, "both did the same");
    // The first four warm up.
    let fours = |times: &[f64]| times.chunks(4).skip(1).map(|it| it.iter().sum()).collect();
    let [with_fours, without_fours]: [Vec<f64>; 2] = [fours(&with), fours(&without)];
    let ratios = with_fours.iter().zip(&without_fours).map(|(on, off)| on / off).collect();
    let added = 100.0 * (Figures::of(ratios).median - 1.0);
    let (with, without) = (Figures::of(with), Figures::of(without));
    let title =
        format!("An event in process: {EVENTS} events, {rounds} rounds; timers read {clock}");
    let header = ["metrics", "min ns", "median ns", "events/s", "add %"];
    let mut table = Table::new("event", title, &header);
    for (name, figures, added) in [("on", with, Some(added)), ("off", without, None)] {
        let Figures { min, median } = figures;
        let rate = 1e9 / median;
        table.row([name.into(), min.into(), median.into(), rate.into(), added.into()]);
    }
    table.print();
    let mut budgets = Budgets::new("budget-event");
    let most = 1e9 / EVENTS_PER_SECOND;
    budgets.at_most("an event in process, metrics on", with.median, most, "ns");
    budgets.at_most("what metrics add to an event", added, ADDED_PERCENT, "%");
    budgets.print();
    Ok(())
}

/// Sends one event after another, waiting for each; returns sorted microseconds.
async fn over_sockets(set: &SetFile) -> Result<Vec<f64>, Box<dyn Error>> {
    let (server, service) = set.serve().await?;
    let addresses = service.addresses();
    let (mut viewer, _) = connect_async(format!("ws://{}", addresses.websocket)).await?;
    viewer.next().await.ok_or("no tree came")??;
    let mut live = EventSender::connect(addresses.udp)?;
    let mut spent = Vec::with_capacity(DATAGRAMS);
    for i in 0..DATAGRAMS {
        let start = Instant::now();
        live.send("/live/track/volume", &[Arg::from(0), Arg::from(i as f32)])?;
        viewer.next().await.ok_or("the server has hung up")??;
        spent.push(start.elapsed().as_secs_f64() * 1e6);
    }
    assert_eq!(counted(&server, "events.processed"), DATAGRAMS as u64);
    service.stop().await;
    spent.sort_by(f64::total_cmp);
    Ok(spent)
}

fn main() -> Result<(), Box<dyn Error>> {
    let set = SetFile::write()?;
    in_process(&set)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let spent = runtime.block_on(over_sockets(&set))?;
    let title = format!("UDP to WebSocket: {DATAGRAMS} events, one at a time");
    let mut table = Table::new("event-sockets", title, &["us", "min", "p50", "p99", "max"]);
    let at = |share: f64| spent[(share * (DATAGRAMS - 1) as f64) as usize].into();
    table.row(["an event".into(), at(0.0), at(0.5), at(0.99), at(1.0)]);
    table.print();
    Ok(())
}
