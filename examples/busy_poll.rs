//! A loop that never sleeps: it polls a UDP socket on a core of its own, answers each datagram with
//! its length, and drives its collector in the moments in which there is none.
//!
//! `cargo run -p examples --bin busy_poll -- [ADDRESS [METRICS ADDRESS [CORE]]]`
#![allow(clippy::print_stdout, reason = "says where it listens")]

use std::error::Error;
use std::io::ErrorKind;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use tachograph::{Budget, MetricsCollector};
use tachograph_serve::Endpoint;

/// What the loop gives to its metrics while nothing arrives.
const IDLE_BUDGET: Budget = Budget::time(Duration::from_micros(20));

fn main() -> Result<(), Box<dyn Error>> {
    let argument = |n, usual: &str| std::env::args().nth(n).unwrap_or_else(|| usual.to_owned());
    let socket = UdpSocket::bind(argument(1, "127.0.0.1:7010"))?;
    socket.set_nonblocking(true)?;
    println!("datagrams on {}", socket.local_addr()?);

    let metrics = MetricsCollector::builder().manual().calibrate_tsc().build();
    // Its threads are started before this one is pinned.
    let page = Endpoint::new(metrics.clone()).listen(argument(2, "127.0.0.1:9464").parse()?);
    let page = page.history(Default::default()).spawn()?;
    println!("metrics on {}", page.addr());
    let recorder = metrics.recorder();
    let answered = metrics.register_counter("datagrams.answered");
    let empty = metrics.register_counter("polls.empty");
    let took = metrics.register_timing("datagram.duration");
    pin(argument(3, "0").parse()?)?;

    let mut buffer = [0; 2_048];
    let mut publish_at = Instant::now();
    loop {
        match socket.recv_from(&mut buffer) {
            Ok((length, sender)) => {
                let start = metrics.now();
                // Whom it cannot be sent to loses it.
                let _ = socket.send_to(length.to_string().as_bytes(), sender);
                recorder.record_since(&took, start);
                recorder.increment(&answered);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                recorder.increment(&empty);
                if Instant::now() >= publish_at {
                    metrics.publish();
                    publish_at = Instant::now() + metrics.publish_every();
                } else {
                    metrics.drain(IDLE_BUDGET);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Keeps this thread on one core.
#[cfg(target_os = "linux")]
fn pin(core: usize) -> Result<(), Box<dyn Error>> {
    use nix::sched::{CpuSet, sched_setaffinity};
    use nix::unistd::Pid;

    let mut cores = CpuSet::new();
    cores.set(core)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &cores)?)
}

#[cfg(not(target_os = "linux"))]
fn pin(_core: usize) -> Result<(), Box<dyn Error>> {
    Ok(())
}
