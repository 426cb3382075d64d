//! What happens to datagrams that arrive faster than events can be processed?
//!
//! Sends 100,000 per second of the demo's mix, for ten seconds (one with `--quick`). Each datagram
//! is either read or reported by the kernel as dropped, and each one read is counted in exactly one
//! class of events.

use std::error::Error;
use std::time::Duration;

use ast_server::mix::Mix;
use ast_server::{AstServer, EventSender};
use benches::host::{SetFile, at_rate, counted, until};
use benches::{Options, Table};
use futures_util::StreamExt;
use tokio::runtime::Builder;
use tokio_tungstenite::connect_async;

const PER_SECOND: u32 = 100_000;

/// The outcome of the datagrams.
struct Counts {
    sent: u64,
    received: u64,
    dropped: u64,
    processed: u64,
    /// Wait for the event loop of the slowest hundredth, in milliseconds.
    delay_p99: f64,
}

impl Counts {
    fn of(server: &AstServer, sent: u64) -> Self {
        let delay = server.metrics().get_timing("udp.queue.delay").and_then(|stats| stats.p99);
        Self {
            sent,
            received: counted(server, "udp.packet.received"),
            dropped: counted(server, "udp.socket.dropped"),
            processed: counted(server, "events.processed"),
            delay_p99: delay.unwrap_or(0.0) * 1e3,
        }
    }

    fn is_conserved(&self) -> bool {
        self.received + self.dropped == self.sent
    }
}

fn run(set: &SetFile, has_viewer: bool, length: Duration) -> Result<Counts, Box<dyn Error>> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let (server, service) = runtime.block_on(set.serve())?;
    let addresses = service.addresses();
    if has_viewer {
        let url = format!("ws://{}", addresses.websocket);
        let (mut viewer, _) = runtime.block_on(connect_async(url))?;
        runtime.spawn(async move { while let Some(Ok(_)) = viewer.next().await {} });
    }
    let mut live = EventSender::connect(addresses.udp)?;
    let mut mix = Mix::new(&ast_server::read(&set.path)?, 1);
    let mut sent = at_rate(PER_SECOND, length, |_| {
        // The mix is endless.
        mix.next().map_or(Ok(()), |event| live.send(event.event_type.path(), &event.args))
    })?;
    until("every datagram was read, or counted by the kernel", || {
        // The kernel reports its count with the next datagram that it has room for.
        sent += u32::from(live.send("/live/scene/triggered", &[0.into()]).is_ok());
        Counts::of(&server, sent.into()).is_conserved()
    })?;
    // No more arrive: the queue drains.
    until("each event is in one class", || {
        let summary = server.get_metrics_summary();
        let events = &summary.event_processing;
        let classes = events.total_processed + events.ignored + events.unhandled + events.rejected;
        classes + summary.errors_total == counted(&server, "udp.packet.received")
    })?;
    let counts = Counts::of(&server, sent.into());
    assert!(counts.is_conserved() && counted(&server, "events.received") == counts.received);
    runtime.block_on(service.stop());
    Ok(counts)
}

fn main() -> Result<(), Box<dyn Error>> {
    let length = Duration::from_secs(if Options::get().quick { 1 } else { 10 });
    let set = SetFile::write()?;
    let title = format!("{PER_SECOND} datagrams/s for {length:?}: what became of them");
    let header =
        ["run", "sent", "read", "kernel's drops", "sent - both", "processed", "queue p99 ms"];
    let mut table = Table::new("datagrams", title, &header);
    for (name, has_viewer) in [("no viewer", false), ("a viewer", true)] {
        let counts = run(&set, has_viewer, length)?;
        let Counts { sent, received, dropped, processed, delay_p99 } = counts;
        let left = sent - received - dropped;
        let cells = [sent, received, dropped, left, processed].map(|count| (count as f64).into());
        table.row([name.into()].into_iter().chain(cells).chain([delay_p99.into()]));
    }
    table.print();
    Ok(())
}
