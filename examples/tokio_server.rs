//! A server on tokio's current-thread runtime: each request is a future, and those that take too
//! long are cancelled. A request is a line with the milliseconds that its answer takes.
//!
//! `cargo run -p examples --bin tokio_server -- [ADDRESS [METRICS ADDRESS]]`
#![allow(clippy::print_stdout, reason = "says where it listens")]

use std::error::Error;
use std::num::ParseIntError;
use std::time::Duration;

use tachograph::MetricsCollector;
use tachograph_loop::{FutureMetrics, Instrument};
use tachograph_serve::Endpoint;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_millis(250);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let argument = |n, usual: &str| std::env::args().nth(n).unwrap_or_else(|| usual.to_owned());
    let listener = TcpListener::bind(argument(1, "127.0.0.1:7008")).await?;
    println!("requests on {}", listener.local_addr()?);

    let metrics = MetricsCollector::new();
    let page = Endpoint::new(metrics.clone()).listen(argument(2, "127.0.0.1:9464").parse()?);
    let page = page.history(Default::default()).serve().await?;
    println!("metrics on {}", page.addr());
    let requests = FutureMetrics::new(&metrics, "request");
    let answers = metrics.register_counter("answers.sent");

    loop {
        let (client, _) = listener.accept().await?;
        let (requests, answers) = (requests.clone(), answers.clone());
        tokio::spawn(async move {
            // A client that goes away ends its own task only.
            let _ = converse(client, &requests, || answers.increment()).await;
        });
    }
}

async fn converse(
    client: TcpStream,
    requests: &FutureMetrics,
    on_answer: impl Fn(),
) -> std::io::Result<()> {
    let (reader, mut writer) = client.into_split();
    let mut lines = BufReader::new(reader).lines();
    while let Some(line) = lines.next_line().await? {
        // Counted by outcome: ok, error, cancelled by the timeout, panicked.
        let answer = timeout(PATIENCE, handle(line).instrument_result(requests)).await;
        let answer = match answer {
            Ok(Ok(millis)) => format!("took {millis} ms\n"),
            Ok(Err(error)) => format!("error: {error}\n"),
            Err(_) => "error: too slow\n".to_owned(),
        };
        writer.write_all(answer.as_bytes()).await?;
        on_answer();
    }
    Ok(())
}

async fn handle(request: String) -> Result<u64, ParseIntError> {
    let millis = request.trim().parse()?;
    sleep(Duration::from_millis(millis)).await;
    Ok(millis)
}
