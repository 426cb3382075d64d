//! UDP packet loss, as tracked by the server and manually: `cargo run -p ast-server --example
//! packet_loss`.
#![allow(clippy::print_stdout, reason = "an example's output is its purpose")]

use std::error::Error;
use std::time::Duration;

use ast_server::{Addresses, Arg, AstServer, EventSender, MetricsExporter, Service, Summary};
use tachograph::MetricsCollector;

/// A custom listener that tracks what the server tracks by itself.
struct Listener {
    metrics: MetricsCollector,
    last_seq_num: Option<u32>,
}

impl Listener {
    fn on_event(&mut self, seq_num: u32) {
        self.metrics.increment("udp.packet.received");

        // Detect gaps.
        let expected = self.last_seq_num.map_or(seq_num, |last| last + 1);
        if seq_num > expected {
            self.metrics.increment_by("udp.packet.dropped", (seq_num - expected).into());
            self.metrics.increment("udp.sequence.gap");
        }

        // Track the current sequence.
        self.metrics.gauge("udp.current_sequence", seq_num.into());
        self.last_seq_num = Some(seq_num);
    }
}

fn show(summary: &Summary) {
    let udp = &summary.udp_listener;
    println!("Packets: {} received, {} dropped", udp.packets_received, udp.packets_dropped);
    println!("Packet loss rate: {:.2}%", udp.loss_rate_percent);
    assert_eq!((udp.packets_received, udp.packets_dropped, udp.sequence_gaps), (10, 3, 1));
}

/// Manually, with a separate collector.
fn by_hand() {
    let mut listener = Listener { metrics: MetricsCollector::new(), last_seq_num: None };
    for seq_num in (0..5).chain(8..13) {
        listener.on_event(seq_num);
    }
    show(&MetricsExporter::to_summary(&listener.metrics.get_all_metrics()));
}

/// Through real sockets: the server tracks it by itself.
async fn by_the_server() -> Result<(), Box<dyn Error>> {
    let server = AstServer::new();
    let service = Service::start(&server, Addresses::free()).await?;
    let mut live = EventSender::connect(service.addresses().udp)?;
    for number in 0..10 {
        if number == 5 {
            live.skip(3);
        }
        live.send("/live/track/mute", &[Arg::from(0), Arg::from(true)])?;
    }
    while server.get_metrics_summary().event_processing.received < 10 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    show(&server.get_metrics_summary());
    service.stop().await;
    Ok(())
}

/// Runs the example.
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    by_hand();
    tokio::runtime::Runtime::new()?.block_on(by_the_server())
}
