//! How long after an event's datagram is sent does a viewer learn about it?
//!
//! 5,000 events per second for some seconds, with ten viewers, with one, and with one beside a
//! hundred that never read. Each event is a new volume, so each is one message per viewer. Times
//! run from the call that sends the datagram until the viewer's program has the message.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ast_server::{Arg, EventSender};
use benches::host::{SetFile, at_rate, counted, until};
use benches::{Budgets, Options, Table};
use futures_util::StreamExt;
use futures_util::future::try_join_all;
use hdrhistogram::Histogram;
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Builder;
use tokio_tungstenite::{WebSocketStream, client_async};

const PER_SECOND: u32 = 5_000;
const DEAF: usize = 100;
/// Receive buffer of a viewer that never reads: the smallest that the kernel allows.
const DEAF_BYTES: u32 = 4 << 10;

const P50_MICROS: f64 = 200.0;
const P99_MICROS: f64 = 1_000.0;
const BESIDE_DEAF_P99_MICROS: f64 = 5_000.0;

/// When each event was sent: nanoseconds after the start.
struct Sent {
    start: Instant,
    at: Vec<AtomicU64>,
}

impl Sent {
    fn new(events: usize) -> Self {
        let at = (0..events).map(|_| AtomicU64::new(0)).collect();
        Self { start: Instant::now(), at }
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
}

type Viewer = WebSocketStream<TcpStream>;
type Failed = Box<dyn Error + Send + Sync>;

/// Connects and, if it reads at all, reads the tree.
async fn viewer(to: SocketAddr, is_deaf: bool) -> Result<Viewer, Failed> {
    let socket = TcpSocket::new_v4()?;
    if is_deaf {
        socket.set_recv_buffer_size(DEAF_BYTES)?;
    }
    let (mut viewer, _) = client_async(format!("ws://{to}"), socket.connect(to).await?).await?;
    if !is_deaf {
        viewer.next().await.ok_or("no tree came")??;
    }
    Ok(viewer)
}

/// The number that the sender gave an event.
fn seq_num(message: &str) -> Option<usize> {
    let (_, rest) = message.split_once("\"seq_num\":")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Reads until every event has arrived, each once and in order.
async fn listen(mut viewer: Viewer, sent: Arc<Sent>) -> Result<Histogram<u64>, Failed> {
    let mut late = Histogram::new(3)?;
    for expected in 0..sent.at.len() {
        let message = viewer.next().await.ok_or("the server has hung up")??;
        let now = sent.now();
        assert_eq!(seq_num(message.to_text()?), Some(expected), "nothing is lost");
        // Relaxed: the message arrived after the store, by way of the kernel.
        late.record(now - sent.at[expected].load(Ordering::Relaxed))?;
    }
    Ok(late)
}

/// Viewers on their own thread, as they would be in their own programs.
fn listeners(
    to: SocketAddr,
    count: usize,
    sent: Arc<Sent>,
    ready: std::sync::mpsc::Sender<()>,
) -> Result<Histogram<u64>, Failed> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let viewers = try_join_all((0..count).map(|_| viewer(to, false))).await?;
        ready.send(())?;
        let listening = viewers.into_iter().map(|viewer| listen(viewer, Arc::clone(&sent)));
        let mut all = Histogram::new(3)?;
        for one in try_join_all(listening).await? {
            all.add(one)?;
        }
        Ok(all)
    })
}

/// One run; returns the nanoseconds of all viewers together.
fn run(
    set: &SetFile,
    viewers: usize,
    deaf: usize,
    length: Duration,
) -> Result<Histogram<u64>, Box<dyn Error>> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let (server, service) = runtime.block_on(set.serve())?;
    let to = service.addresses().websocket;
    let events = (f64::from(PER_SECOND) * length.as_secs_f64()) as usize;
    let sent = Arc::new(Sent::new(events));
    let deaf_ones = runtime.block_on(try_join_all((0..deaf).map(|_| viewer(to, true))));
    let deaf_ones = deaf_ones.map_err(|error| error.to_string())?;
    let (ready, seated) = std::sync::mpsc::channel();
    let listening = {
        let sent = Arc::clone(&sent);
        thread::spawn(move || listeners(to, viewers, sent, ready))
    };
    seated.recv()?;

    let mut live = EventSender::connect(service.addresses().udp)?;
    at_rate(PER_SECOND, length, |number| {
        let args = [Arg::from((number % 50) as i32), Arg::from(number as f32)];
        // Relaxed: see the load.
        sent.at[number as usize].store(sent.now(), Ordering::Relaxed);
        live.send("/live/track/volume", &args)
    })?;
    let late = listening.join().map_err(|_| "a viewer has missed something")?;
    let late = late.map_err(|error| error.to_string())?;

    assert_eq!(late.len(), (viewers * events) as u64);
    assert!(late.min() > 0, "no message comes before its datagram");
    assert_eq!(counted(&server, "events.processed"), events as u64);
    assert_eq!(counted(&server, "udp.packet.dropped"), 0);
    until("all that never read are told to catch up", || {
        server.get_websocket_status().lagging == deaf
    })?;
    drop(deaf_ones);
    runtime.block_on(service.stop());
    Ok(late)
}

fn main() -> Result<(), Box<dyn Error>> {
    let length = Duration::from_secs(if Options::get().quick { 3 } else { 10 });
    let set = SetFile::write()?;
    let runs =
        [("10 viewers", 10, 0), ("1 viewer", 1, 0), ("1 viewer, 100 that never read", 1, DEAF)];
    let title = format!("UDP to WebSocket at {PER_SECOND} events/s for {length:?}: us");
    let header = ["run", "messages", "p50", "p99", "p99.9", "max"];
    let mut table = Table::new("viewers", title, &header);
    let mut budgets = Budgets::new("budget-viewers");
    for (name, viewers, deaf) in runs {
        let late = run(&set, viewers, deaf, length)?;
        let at = |q: f64| late.value_at_quantile(q) as f64 / 1e3;
        let cells = [0.5, 0.99, 0.999, 1.0].map(|q| at(q).into());
        let messages = (late.len() as f64).into();
        table.row([name.into(), messages].into_iter().chain(cells));
        if deaf > 0 {
            budgets.at_most(&format!("{name}: p99"), at(0.99), BESIDE_DEAF_P99_MICROS, "us");
        } else {
            budgets.at_most(&format!("{name}: p50"), at(0.5), P50_MICROS, "us");
            budgets.at_most(&format!("{name}: p99"), at(0.99), P99_MICROS, "us");
        }
    }
    table.print();
    budgets.print();
    Ok(())
}
