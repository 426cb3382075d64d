//! A TCP echo server on mio, every turn of its loop measured.
//!
//! `cargo run -p examples --bin mio_echo -- [ADDRESS [METRICS ADDRESS]]`
#![allow(clippy::print_stdout, reason = "says where it listens")]

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use tachograph::MetricsCollector;
use tachograph_loop::LoopMonitor;
use tachograph_serve::Endpoint;

const LISTENER: Token = Token(0);

fn main() -> Result<(), Box<dyn Error>> {
    let argument = |n, usual: &str| std::env::args().nth(n).unwrap_or_else(|| usual.to_owned());
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(argument(1, "127.0.0.1:7007").parse()?)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("echo on {}", listener.local_addr()?);

    let metrics = MetricsCollector::new();
    let page = Endpoint::new(metrics.clone()).listen(argument(2, "127.0.0.1:9464").parse()?);
    let page = page.history(Default::default()).spawn()?;
    println!("metrics on {}", page.addr());
    let mut monitor = LoopMonitor::new(&metrics, "echo");
    let connected = metrics.register_gauge("echo.connected");
    let bytes = metrics.register_counter("echo.bytes");
    let sizes = metrics.register_histogram("echo.message.size");

    let mut events = Events::with_capacity(256);
    let mut clients = HashMap::new();
    let mut buffer = vec![0; 64 << 10];
    let mut tokens = (1..).map(Token);
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            outcome => outcome?,
        }
        let mut turn = monitor.turn();
        for event in &events {
            turn.events(1);
            turn.handler_starts();
            if event.token() == LISTENER {
                accept(&listener, &poll, &mut clients, &mut tokens)?;
            } else if let Some(client) = clients.get_mut(&event.token()) {
                let echoed = echo(client, &mut buffer, |size| {
                    bytes.increment_by(size);
                    sizes.record(size);
                });
                if !matches!(&echoed, Err(error) if error.kind() == ErrorKind::WouldBlock) {
                    clients.remove(&event.token());
                }
            }
            connected.set(clients.len() as f64);
        }
    }
}

/// Accepts everyone who waits.
fn accept(
    listener: &TcpListener,
    poll: &Poll,
    clients: &mut HashMap<Token, TcpStream>,
    tokens: &mut impl Iterator<Item = Token>,
) -> io::Result<()> {
    for token in tokens {
        let (mut client, _) = match listener.accept() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            accepted => accepted?,
        };
        poll.registry().register(&mut client, token, Interest::READABLE)?;
        clients.insert(token, client);
    }
    Ok(())
}

/// Echoes what there is; ends with an error, `WouldBlock` if the client stays. One that does not
/// read what it gets is closed.
fn echo(
    client: &mut TcpStream,
    buffer: &mut [u8],
    mut on_message: impl FnMut(u64),
) -> io::Result<()> {
    loop {
        let size = client.read(buffer)?;
        if size == 0 {
            return Ok(());
        }
        if client.write(&buffer[..size]).ok() != Some(size) {
            return Err(ErrorKind::ConnectionAborted.into());
        }
        on_message(size as u64);
    }
}
