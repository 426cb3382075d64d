//! Real traffic for the C examples, and their metrics compared with what was sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

const CLIENTS: usize = 5;
const MESSAGES: usize = 200;

/// Runs an echo program: it prints its port, and its metrics when its input ends.
pub(crate) fn drive(program: &Path) -> Result<String> {
    let started = Instant::now();
    // What is read from it below has no deadline of its own.
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", "120"]).arg(program);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut said = BufReader::new(child.stdout.take().context("it was piped")?);
    let mut port = String::new();
    said.read_line(&mut port)?;
    let port = port.trim().parse().with_context(|| format!("`{port}` is no port"))?;
    let client = |_| TcpStream::connect((Ipv4Addr::LOCALHOST, port));
    let mut clients = (0..CLIENTS).map(client).collect::<Result<Vec<_>, _>>()?;
    let mut bytes = 0;
    for round in 0..MESSAGES {
        let (place, size) = (round % CLIENTS, 1 + round * round * 7 % 9_000);
        let message: Vec<u8> = (0..size).map(|i| (i * 31 + round) as u8).collect();
        clients[place].set_read_timeout(Some(Duration::from_secs(60)))?;
        clients[place].write_all(&message)?;
        let mut echo = vec![0; size];
        clients[place].read_exact(&mut echo)?;
        ensure!(echo == message, "message {round} came back changed");
        bytes += size;
    }
    // All leave but one.
    clients.truncate(1);
    drop(child.stdin.take());
    let mut page = String::new();
    said.read_to_string(&mut page)?;
    let (took, status) = (started.elapsed().as_secs_f64(), child.wait()?);
    ensure!(status.success(), "the program failed ({status})");
    compare(&page, bytes as f64, took)?;
    Ok(format!("{MESSAGES} messages, {bytes} bytes"))
}

/// Compares a page in the Prometheus text format with what was sent and how long that took.
fn compare(page: &str, bytes: f64, took: f64) -> Result<()> {
    // A message may come in pieces. Each is echoed before the next is sent, so it takes a turn of
    // its own.
    let (clients, messages, any) = (CLIENTS as f64, MESSAGES as f64, f64::MAX);
    let ranges = [
        ("connections_accepted_total{protocol=\"tcp\"}", clients, clients),
        ("connections_open", 1.0, 1.0),
        ("chunk_size_bytes_sum", bytes, bytes),
        ("chunk_size_bytes_count", messages, any),
        ("loop_turn_seconds_count", messages, any),
        ("loop_turn_seconds_sum", f64::MIN_POSITIVE, took),
    ];
    for (key, least, most) in ranges {
        let value = page.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok());
        let value: f64 = value.with_context(|| format!("no {key}:\n{page}"))?;
        let is_right = (least..=most).contains(&value);
        ensure!(is_right, "{key} is {value}, not {least} to {most}:\n{page}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_differs_from_what_was_sent_is_refused() {
        let page = "# TYPE connections_open gauge\nconnections_open 1\n\
                    connections_accepted_total{protocol=\"tcp\"} 5\nchunk_size_bytes_sum 100\n\
                    chunk_size_bytes_count 201\nloop_turn_seconds_count 200\n\
                    loop_turn_seconds_sum 0.5\n";
        let is_fine = |page: &str| compare(page, 100.0, 1.0).is_ok();
        assert!(is_fine(page));
        for (right, wrong) in
            [("sum 100", "sum 99"), (" 201", " 199"), ("0.5", "1.5"), ("open 1", "open 0")]
        {
            assert!(!is_fine(&page.replace(right, wrong)), "{wrong}");
        }
        assert!(!is_fine("not a page"));
    }
}
