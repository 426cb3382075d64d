//! What recording costs each example per turn, as its client notices it: the same program, built
//! with recording and without, alternately.
//!
//! ```sh
//! cargo build --release -p examples
//! cargo build --release -p examples --no-default-features --target-dir target/bare
//! target/release/cost target/bare/release target/release [ROUNDS [TURNS [CORE]]]
//! ```
#![allow(clippy::print_stdout, reason = "prints its table")]

#[path = "audio/synth.rs"]
mod synth;

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tachograph::MetricsCollector;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A turn of a program, as its client makes it.
type Turn = Box<dyn FnMut() -> Result<()>>;

/// Turns of each round that are not measured, at most.
const WARM_UP: usize = 200;

/// An example: its program, and a client of it once it runs.
struct Example {
    name: &'static str,
    client: fn(Running) -> Result<Turn>,
}

const ANY: &str = "127.0.0.1:0";

const EXAMPLES: [Example; 5] = [
    Example { name: "mio_echo", client: |it| stream(it, "echo on ", "hello\n") },
    Example { name: "tokio_server", client: |it| stream(it, "requests on ", "0\n") },
    Example { name: "axum_server", client: http },
    Example { name: "busy_poll", client: datagrams },
    Example { name: "library", client: lines },
];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |n: usize, usual| arguments.get(n).map_or(Ok(usual), |it| it.parse());
    match &arguments[..] {
        [audio, turns] if audio == "audio" => return render(turns.parse()?),
        [_, _, ..] => {}
        _ => return Err("usage: cost FOLDER-WITHOUT FOLDER-WITH [ROUNDS [TURNS [CORE]]]".into()),
    }
    let (rounds, turns, core) = (number(2, 10)?, number(3, 2_000)?, number(4, 0)?.to_string());
    println!("| a turn of | bare p50 us | with | more | bare p99.9 us | with | more |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let row = |name: &str, once: &dyn Fn(&Path) -> Result<Vec<Duration>>| -> Result<()> {
        let mut sides = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            // Which goes first changes, so that neither always finds the other's traces.
            for side in [round % 2, 1 - round % 2] {
                sides[side].extend(once(Path::new(&arguments[side]))?);
            }
        }
        let [bare, with] = sides.map(|mut took| {
            took.sort_unstable();
            [0.5, 0.999].map(|q| took[(q * (took.len() - 1) as f64) as usize].as_secs_f64() * 1e6)
        });
        let columns =
            [0, 1].map(|q| format!("{:.2} | {:.2} | {:+.2}", bare[q], with[q], with[q] - bare[q]));
        println!("| {name} | {} |", columns.join(" | "));
        Ok(())
    };
    for example in &EXAMPLES {
        row(example.name, &|folder| {
            let program = Running::start(folder, example.name, &[ANY, ANY, &core])?;
            timed((example.client)(program)?, turns)
        })?;
    }
    row("audio", &|folder| {
        let told =
            Command::new(folder.join("cost")).args(["audio", &turns.to_string()]).output()?;
        let told = String::from_utf8(told.stdout)?;
        told.lines().map(|line| Ok(Duration::from_nanos(line.parse()?))).collect()
    })
}

/// The duration of each of so many turns.
fn timed(mut turn: Turn, turns: usize) -> Result<Vec<Duration>> {
    (0..WARM_UP.min(turns)).try_for_each(|_| turn())?;
    let mut one = || {
        let start = Instant::now();
        turn()?;
        Ok(start.elapsed())
    };
    (0..turns).map(|_| one()).collect()
}

/// Renders the audio example's buffers in this process, and prints the nanoseconds of each.
fn render(turns: usize) -> Result<()> {
    let metrics = MetricsCollector::new();
    let mut synth = synth::Synth::new(&metrics);
    let mut buffer = [0.0; 128];
    let deadline = Instant::now() + Duration::from_secs(3_600);
    let turn = move || {
        synth.render(&mut buffer, deadline);
        std::hint::black_box(&buffer);
        Ok(())
    };
    timed(Box::new(turn), turns)?.iter().for_each(|took| println!("{}", took.as_nanos()));
    Ok(())
}

/// A running program; ended when dropped.
struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Running {
    fn start(folder: &Path, name: &str, arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(folder.join(name));
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{name}: {error}"))?;
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        Ok(Self { child, output })
    }

    /// What follows `lead` in the next line of its output.
    fn told(&mut self, lead: &str) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim_end().strip_prefix(lead).ok_or("it says something else")?.to_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One line there, one line back.
fn stream(mut program: Running, lead: &str, request: &'static str) -> Result<Turn> {
    let mut stream = TcpStream::connect(program.told(lead)?)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    Ok(Box::new(move || {
        let _running = &program;
        stream.write_all(request.as_bytes())?;
        line.clear();
        if answers.read_line(&mut line)? == 0 { Err("it has closed".into()) } else { Ok(()) }
    }))
}

fn http(mut program: Running) -> Result<Turn> {
    let address = program.told("listens on ")?;
    let mut stream = TcpStream::connect(&address)?;
    stream.set_nodelay(true)?;
    let request = format!("GET /orders/7 HTTP/1.1\r\nHost: {address}\r\n\r\n");
    Ok(Box::new(move || {
        let _running = &program;
        stream.write_all(request.as_bytes())?;
        let (mut answer, mut length) = ([0; 1_024], 0);
        // Its body is the only line without a carriage return.
        while !answer[..length].ends_with(b"way\n") {
            match stream.read(&mut answer[length..])? {
                0 => return Err("it has closed".into()),
                read => length += read,
            }
        }
        Ok(())
    }))
}

fn datagrams(mut program: Running) -> Result<Turn> {
    let socket = UdpSocket::bind(ANY)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    socket.connect(program.told("datagrams on ")?)?;
    Ok(Box::new(move || {
        let _running = &program;
        socket.send(b"hello")?;
        Ok(socket.recv(&mut [0; 16]).map(drop)?)
    }))
}

/// The library's application answers each line of its input with one of output.
fn lines(mut program: Running) -> Result<Turn> {
    program.told("metrics on ")?;
    let mut input = program.child.stdin.take().ok_or("no input")?;
    let mut line = String::new();
    Ok(Box::new(move || {
        input.write_all(b"a=1\n")?;
        line.clear();
        if program.output.read_line(&mut line)? == 0 { Err("it has ended".into()) } else { Ok(()) }
    }))
}
