//! What does the whole way of an event cost, and what do metrics add to it?
//!
//! In process: an event of the demo's mix on a set of 50 tracks and 100 scenes is looked up,
//! applied, hashed, its change recorded; with metrics on and off in turns. Over sockets: from the
//! call that sends its datagram to the WebSocket message that tells a viewer of its change.

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::time::Instant;

use ast_server::mix::{Mix, MixedEvent};
use ast_server::{Addresses, Arg, AstServer, EventSender, Outcome, Service};
use benches::{Figures, Options, Table};
use futures_util::StreamExt;
use live_set::generate::Spec;
use tokio_tungstenite::connect_async;

/// Events of a round.
const EVENTS: usize = 10_000;
const DATAGRAMS: usize = 2_000;

fn server(file: &Path, enable_metrics: bool) -> Result<AstServer, Box<dyn Error>> {
    let server = AstServer::builder().enable_metrics(enable_metrics).build();
    server.load_project(file)?;
    Ok(server)
}

/// Processes a round of events; gives nanoseconds an event.
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

fn in_process(file: &Path) -> Result<(), Box<dyn Error>> {
    let rounds = Options::get().rounds(15);
    // New events each round: one that changes nothing would be cheaper.
    let mix = Mix::new(&ast_server::read(file)?, 1);
    let mix: Vec<_> = mix.take(EVENTS * (rounds + 1)).collect();
    let (on, off) = (server(file, true)?, server(file, false)?);
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for (i, events) in mix.chunks(EVENTS).enumerate() {
        // Who goes first finds the events cold in the caches: they take turns at that too.
        if i % 2 == 0 {
            with.push(round(&on, events));
            without.push(round(&off, events));
        } else {
            without.push(round(&off, events));
            with.push(round(&on, events));
        }
    }
    let received = on.get_metrics_summary().event_processing.received;
    assert_eq!(received, (EVENTS * (rounds + 1)) as u64);
    let (with, without) = (Figures::of(with.split_off(1)), Figures::of(without.split_off(1)));
    let title = format!("An event in process: {EVENTS} events, {rounds} rounds");
    let header = ["metrics", "min ns", "median ns", "events/s", "add %"];
    let mut table = Table::new("event", title, &header);
    let added = 100.0 * (with.median / without.median - 1.0);
    for (name, figures, added) in [("on", with, Some(added)), ("off", without, None)] {
        let Figures { min, median } = figures;
        let rate = 1e9 / median;
        table.row([name.into(), min.into(), median.into(), rate.into(), added.into()]);
    }
    table.print();
    Ok(())
}

/// One event after another, each waited for; gives microseconds, sorted.
async fn over_sockets(file: &Path) -> Result<Vec<f64>, Box<dyn Error>> {
    let server = server(file, true)?;
    let service = Service::start(&server, Addresses::free()).await?;
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
    let processed = server.get_metrics_summary().event_processing.total_processed;
    assert_eq!(processed, DATAGRAMS as u64);
    service.stop().await;
    spent.sort_by(f64::total_cmp);
    Ok(spent)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("set.als");
    Spec::default().write_als(File::create(&file)?)?;
    in_process(&file)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let spent = runtime.block_on(over_sockets(&file))?;
    let title = format!("UDP to WebSocket: {DATAGRAMS} events, one at a time");
    let mut table = Table::new("event-sockets", title, &["us", "min", "p50", "p99", "max"]);
    let at = |share: f64| spent[(share * (DATAGRAMS - 1) as f64) as usize].into();
    table.row(["an event".into(), at(0.0), at(0.5), at(0.99), at(1.0)]);
    table.print();
    Ok(())
}
