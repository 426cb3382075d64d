//! Real traffic for the C examples, and their metrics compared with what was sent.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

const CLIENTS: usize = 5;
const MESSAGES: usize = 200;

/// Longer than any step takes, so that a program that hangs fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was sent, and for how long the program ran.
struct Sent {
    messages: usize,
    bytes: usize,
    took: Duration,
}

/// Runs an echo program: it prints its port, and its metrics when its input ends.
pub(crate) fn drive(program: &Path) -> Result<String> {
    let started = Instant::now();
    // What is read from it below has no deadline of its own.
    let mut child = Command::new("timeout")
        .args(["--signal=KILL", "120"])
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let traffic = traffic(&mut child, started);
    if traffic.is_err() {
        // Err: it has ended by itself.
        let _ = child.kill();
    }
    let status = child.wait()?;
    let (sent, page) = traffic?;
    ensure!(status.success(), "the program failed ({status})");
    compare(&sent, &page)?;
    Ok(format!("{} messages, {} bytes", sent.messages, sent.bytes))
}

fn traffic(child: &mut Child, started: Instant) -> Result<(Sent, String)> {
    let mut said = BufReader::new(child.stdout.take().context("it was piped")?);
    let port = port(&mut said)?;
    let mut clients = Vec::new();
    let mut sent = Sent { messages: 0, bytes: 0, took: Duration::ZERO };
    for _ in 0..CLIENTS {
        let client = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        client.set_read_timeout(Some(PATIENCE))?;
        clients.push(client);
    }
    for round in 0..MESSAGES {
        let (place, size) = (round % CLIENTS, 1 + round * round * 7 % 9_000);
        let message: Vec<u8> = (0..size).map(|i| (i * 31 + round) as u8).collect();
        clients[place].write_all(&message)?;
        let mut echo = vec![0; size];
        clients[place].read_exact(&mut echo)?;
        ensure!(echo == message, "message {round} came back changed");
        sent.messages += 1;
        sent.bytes += size;
    }
    // All leave but one.
    clients.truncate(1);
    drop(child.stdin.take());
    let mut page = String::new();
    said.read_to_string(&mut page)?;
    sent.took = started.elapsed();
    Ok((sent, page))
}

fn port(said: &mut BufReader<ChildStdout>) -> Result<u16> {
    let mut line = String::new();
    said.read_line(&mut line)?;
    line.trim().parse().with_context(|| format!("`{line}` is no port"))
}

fn compare(sent: &Sent, page: &str) -> Result<()> {
    let samples = samples(page)?;
    let value = |key: &str| samples.get(key).copied().with_context(|| format!("no {key}:\n{page}"));
    let exact = [
        ("connections_accepted_total{protocol=\"tcp\"}", CLIENTS as f64),
        ("connections_open", 1.0),
        ("chunk_size_bytes_sum", sent.bytes as f64),
    ];
    for (key, wanted) in exact {
        let found = value(key)?;
        ensure!(found == wanted, "{key} is {found}, but {wanted} is right:\n{page}");
    }
    // A message may come in pieces. Each is echoed before the next is sent, so it takes a turn of
    // its own.
    let messages = sent.messages as f64;
    for key in ["chunk_size_bytes_count", "loop_turn_seconds_count"] {
        ensure!(value(key)? >= messages, "{key} is below {messages}:\n{page}");
    }
    let (turns, ran) = (value("loop_turn_seconds_sum")?, sent.took.as_secs_f64());
    ensure!(turns > 0.0 && turns < ran, "{turns} s of turns in {ran} s");
    Ok(())
}

/// The lines of a page in the Prometheus text format: series and value.
fn samples(page: &str) -> Result<BTreeMap<&str, f64>> {
    page.lines().filter(|line| !line.starts_with('#')).map(sample).collect()
}

fn sample(line: &str) -> Result<(&str, f64)> {
    let (key, value) = line.rsplit_once(' ').with_context(|| format!("`{line}` is no sample"))?;
    Ok((key, value.parse().with_context(|| format!("`{line}` has no number"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(bytes: u64, chunks: u64, turns: f64) -> String {
        format!(
            "# TYPE connections_accepted_total counter\n\
             connections_accepted_total{{protocol=\"tcp\"}} 5\nconnections_open 1\n\
             chunk_size_bytes_sum {bytes}\nchunk_size_bytes_count {chunks}\n\
             loop_turn_seconds_count 9\nloop_turn_seconds_sum {turns}\n"
        )
    }

    #[test]
    fn a_page_that_differs_from_what_was_sent_is_refused() {
        let sent = Sent { messages: 3, bytes: 100, took: Duration::from_secs(1) };
        let is_fine = |page: String| compare(&sent, &page).is_ok();
        assert!(is_fine(page(100, 3, 0.5)));
        assert!(is_fine(page(100, 4, 0.5)));
        assert!(!is_fine(page(99, 3, 0.5)));
        assert!(!is_fine(page(100, 2, 0.5)));
        assert!(!is_fine(page(100, 3, 1.5)));
        assert!(!is_fine(page(100, 3, 0.5).replace("open 1", "open 0")));
        assert!(!is_fine("not a page".to_owned()));
    }
}
