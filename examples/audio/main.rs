//! An audio callback: it must not allocate, lock or wait, and is measured all the same.
//!
//! `cargo run -p examples --bin audio -- [METRICS ADDRESS [BUFFERS]]` renders buffers on a thread
//! that stands for the sound card's. `cargo xtask sanitize realtime` runs the callback under
//! RealtimeSanitizer, which ends the process where it would block.
#![allow(clippy::print_stdout, reason = "says where it listens")]

mod synth;

use std::error::Error;
use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use tachograph::MetricsCollector;
use tachograph_serve::Endpoint;

use self::synth::{RATE, Synth};

const FRAMES: usize = 128;
const BUFFER: Duration = Duration::from_nanos(1_000_000_000 * FRAMES as u64 / RATE as u64);

fn main() -> Result<(), Box<dyn Error>> {
    let argument = |n, usual: &str| std::env::args().nth(n).unwrap_or_else(|| usual.to_owned());
    let metrics = MetricsCollector::new();
    let page = Endpoint::new(metrics.clone()).listen(argument(1, "127.0.0.1:9464").parse()?);
    let page = page.history(Default::default()).spawn()?;
    println!("metrics on {}", page.addr());

    let buffers: u32 = argument(2, "4000").parse()?;
    let mut synth = Synth::new(&metrics);
    let card = thread::spawn(move || {
        let mut buffer = [0.0; FRAMES];
        let begun = Instant::now();
        for number in 1..=buffers {
            let deadline = begun + BUFFER * number;
            synth.render(&mut buffer, deadline);
            thread::sleep(deadline.saturating_duration_since(Instant::now()));
        }
    });
    card.join().map_err(|_| "the callback panicked")?;
    println!("rendered; the metrics stay until standard input ends");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
