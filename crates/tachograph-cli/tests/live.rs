//! Against a real endpoint: a recording holds everything once, also after a restart of the program;
//! commands send their token.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tachograph::MetricsCollector;
use tachograph_cli::Replay;
use tachograph_history::{Mark, Settings};
use tachograph_serve::{Alerts, Endpoint, ServerThread};

const STEP: Duration = Duration::from_millis(50);

/// A program with a history of short steps.
fn serve(metrics: &MetricsCollector, addr: SocketAddr) -> ServerThread {
    let endpoint = Endpoint::new(metrics.clone()).listen(addr).program("tested", "1.2.3");
    let settings = Settings { step: STEP, ..Settings::default() };
    endpoint.history(settings).spawn().expect("it starts")
}

fn any() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn tachograph(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tachograph"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("it starts")
}

fn ended(child: Child) -> (Option<i32>, String, String) {
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Waits until something has happened; panics after a minute.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what} did not come");
        std::thread::sleep(STEP);
    }
}

/// A counter's total in a recording that is being written; `None` before it can be read.
fn counted(file: &Path, key: &str) -> Option<i128> {
    let replay = Replay::read(file).ok()?;
    let number = replay.history().number(key)?;
    let frames = replay.history().frames(tachograph_history::Depth::Fine);
    Some(frames.filter_map(|frame| frame.counter(number)).sum())
}

#[test]
fn a_recording_ends_whole_at_a_signal_and_holds_everything_once() {
    let metrics = MetricsCollector::new();
    let server = serve(&metrics, any());
    metrics.gauge("viewers", 3.0);
    until("the gauge", || get(server.addr(), "/history").contains("\"viewers\""));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.jsonl.gz");
    let name = file.display().to_string();
    let recording = tachograph(&["record", &server.addr().to_string(), "-o", &name]);
    until("the first frame", || Replay::read(&file).is_ok());
    for _ in 0..100 {
        metrics.increment_by("events", 7);
        metrics.timing("turn", Duration::from_micros(100));
        std::thread::sleep(Duration::from_millis(5));
    }
    until("the last event", || counted(&file, "events") == Some(700));
    kill(Pid::from_raw(recording.id() as i32), Signal::SIGINT).expect("it runs");
    let (code, _, err) = ended(recording);
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("view it with: tachograph top "), "{err}");
    let replay = Replay::read(&file).expect("whole");
    assert!(replay.notes().is_empty(), "{:?}", replay.notes());
    assert_eq!(replay.meta().map(|meta| &*meta.program), Some("tested"));
    assert_eq!(counted(&file, "events"), Some(700));
    let history = replay.history();
    let viewers = history.number("viewers").expect("it was set before the recording began");
    let first = history.frames(tachograph_history::Depth::Fine).next().expect("a frame");
    assert_eq!(first.gauge(viewers).and_then(|it| it.current), Some(3.0));
    assert!(first.span_ms > 0, "a frame of its step");
    // The file is complete: an independent decoder reads it.
    let mut text = String::new();
    let read = std::fs::File::open(&file).expect("there");
    flate2::read::GzDecoder::new(read).read_to_string(&mut text).expect("gzip with its end");
    assert!(text.ends_with("}\n"));
}

/// The body of a page, read without any of the program's own code.
fn get(addr: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(addr).expect("it listens");
    let request = format!("GET {path} HTTP/1.0\r\nHost: {addr}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("read");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.contains(" 200 "), "{head}");
    body.to_owned()
}

#[test]
fn history_and_recording_have_the_known_samples_and_the_same_quantiles() {
    let metrics = MetricsCollector::new();
    let server = serve(&metrics, any());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.jsonl.gz");
    let name = file.display().to_string();
    let recording = tachograph(&["record", &server.addr().to_string(), "-o", &name]);
    until("the first frame", || Replay::read(&file).is_ok());
    let mut random = fastrand::Rng::with_seed(3);
    let mut samples = Vec::new();
    for round in 0..20_000u32 {
        let ns = (1_000.0 * 2f64.powf(random.f64() * 16.0)) as u64;
        metrics.timing("turn", Duration::from_nanos(ns));
        samples.push(ns);
        if round.is_multiple_of(1_000) {
            metrics.increment("rounds");
            std::thread::sleep(STEP);
        }
    }
    metrics.increment("done");
    until("the last frame", || counted(&file, "done") == Some(1));
    kill(Pid::from_raw(recording.id() as i32), Signal::SIGINT).expect("it runs");
    assert_eq!(ended(recording).0, Some(0));
    samples.sort_unstable();

    let history = folder.path().join("history.jsonl");
    std::fs::write(&history, get(server.addr(), "/history")).expect("written");
    for file in [&file, &history] {
        let replay = Replay::read(file).expect("whole");
        let number = replay.history().number("turn").expect("a series");
        let end = std::time::SystemTime::now() + Duration::from_secs(60);
        let all = replay.history().merged(std::time::SystemTime::UNIX_EPOCH, end).expect("frames");
        let turn = all.timing(number).expect("samples");
        assert_eq!(turn.count, samples.len() as u64, "{}", file.display());
        for q in [0.5, 0.99] {
            let right = samples[(q * samples.len() as f64).ceil() as usize - 1] as f64 * 1e-9;
            let ratio = turn.quantile(q).expect("samples") / right;
            assert!((1.0 / 1.091..1.091).contains(&ratio), "{q}: {ratio} in {}", file.display());
        }
    }
}

#[test]
fn a_restarted_program_goes_on_in_the_same_recording() {
    let metrics = MetricsCollector::new();
    metrics.increment_by("events", 5);
    let server = serve(&metrics, any());
    let addr = server.addr();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.jsonl");
    let name = file.display().to_string();
    let recording = tachograph(&["record", &addr.to_string(), "-o", &name]);
    metrics.increment_by("events", 10);
    until("the events", || counted(&file, "events").is_some_and(|it| it >= 10));
    let before = counted(&file, "events").expect("there");
    server.shutdown();
    // A new process gives its series other numbers, and has another start time.
    let metrics = MetricsCollector::new();
    metrics.increment("another.one");
    let mut server = None;
    until("the port", || {
        let endpoint = Endpoint::new(metrics.clone()).listen(addr).program("tested", "1.2.4");
        let settings = Settings { step: STEP, ..Settings::default() };
        server = endpoint.history(settings).spawn().ok();
        server.is_some()
    });
    // What the new process records before the connection is made again is in its first frames.
    until("its first frames", || get(addr, "/history").contains("another.one"));
    until("the connection", || {
        Replay::read(&file).is_ok_and(|it| it.meta().is_some_and(|meta| meta.version == "1.2.4"))
    });
    metrics.increment_by("events", 100);
    until("the events", || counted(&file, "events") == Some(before + 100));
    assert_eq!(counted(&file, "another.one"), Some(1));
    kill(Pid::from_raw(recording.id() as i32), Signal::SIGTERM).expect("it runs");
    let (code, _, err) = ended(recording);
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("the program was restarted once"), "{err}");
    // The mark is in the file itself, in the first frame of the new process.
    let text = std::fs::read_to_string(&file).expect("text");
    let new = text.rsplit_once(r#"{"meta":"#).expect("two processes").1;
    let first = new.lines().find(|line| line.starts_with(r#"{"frame":"#)).expect("a frame");
    assert!(first.contains(r#""restart""#), "{first}");
    let replay = Replay::read(&file).expect("whole");
    let frames = replay.history().frames(tachograph_history::Depth::Fine);
    let restarts = frames.filter(|frame| frame.marks.contains(&Mark::Restart)).count();
    assert_eq!(restarts, 1);
    let (code, out, _) = ended(tachograph(&["doctor", &name]));
    assert_eq!(code, Some(1));
    assert!(out.contains("the program was restarted"), "{out}");
}

#[test]
fn a_recording_whose_file_is_gone_fails_and_says_so() {
    let metrics = MetricsCollector::new();
    let server = serve(&metrics, any());
    let folder = tempfile::tempdir().expect("a folder");
    for is_replaced in [false, true] {
        let file = folder.path().join("run.jsonl");
        let name = file.display().to_string();
        let recording = tachograph(&["record", &server.addr().to_string(), "--force", "-o", &name]);
        until("the first frame", || {
            Replay::read(&file).is_ok_and(|it| it.history().newest().is_some())
        });
        std::fs::rename(&file, folder.path().join("moved.jsonl")).expect("moved");
        if is_replaced {
            std::fs::write(&file, "another").expect("written");
        }
        kill(Pid::from_raw(recording.id() as i32), Signal::SIGINT).expect("it runs");
        let (code, _, err) = ended(recording);
        assert_eq!(code, Some(1), "{err}");
        assert!(
            err.contains(&format!("cannot write {name}: the file is gone"))
                && !err.contains("view it"),
            "{err}"
        );
    }
    // A file that takes a few hundred bytes, as if the disk were full: the message names it.
    let file = folder.path().join("small.jsonl").display().to_string();
    let limited = "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", limited, env!("CARGO_BIN_EXE_tachograph"), "record", "-o", &file]);
    command.arg(server.addr().to_string()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (code, _, err) = ended(command.spawn().expect("a shell"));
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains(&format!("cannot write {file}: File too large")), "{err}");
}

#[test]
fn a_file_is_recorded_by_one_program_and_kept_until_there_is_something_to_write() {
    let metrics = MetricsCollector::builder().manual().build();
    let server = serve(&metrics, any());
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["run.jsonl", "run.jsonl.gz"] {
        let file = folder.path().join(name);
        common::write(&file, 20, 1).expect("written");
        let old = std::fs::read(&file).expect("read");
        let (name, addr) = (file.display().to_string(), server.addr().to_string());
        let record = || tachograph(&["record", &addr, "--force", "-o", &name]);
        // The program publishes nothing that could be recorded.
        let silent = record();
        until("the lock", || {
            let file = std::fs::File::open(&file).expect("there");
            nix::fcntl::Flock::lock(file, nix::fcntl::FlockArg::LockSharedNonblock).is_err()
        });
        let (code, _, err) = ended(record());
        assert_eq!(code, Some(1), "{err}");
        let told = format!("cannot write {name}: another program is recording into it; choose");
        assert!(err.contains(&told), "{err}");
        kill(Pid::from_raw(silent.id() as i32), Signal::SIGINT).expect("it runs");
        let (code, _, err) = ended(silent);
        assert!(code == Some(1) && err.contains("no frame arrived"), "{err}");
        assert_eq!(std::fs::read(&file).expect("it is still there"), old);
    }
    // Nobody has locked it any more, and a program that has something to say overwrites it.
    let metrics = MetricsCollector::new();
    let server = serve(&metrics, any());
    let file = folder.path().join("run.jsonl").display().to_string();
    let addr = server.addr().to_string();
    let (code, _, err) = ended(tachograph(&["record", &addr, "--for=1s", "--force", "-o", &file]));
    assert_eq!(code, Some(0), "{err}");
    let replay = Replay::read(file.as_ref()).expect("whole");
    assert_eq!(replay.meta().map(|meta| &*meta.program), Some("tested"));
}

#[test]
fn a_recording_that_is_rotated_by_copying_is_whole_in_both_files() {
    let metrics = MetricsCollector::new();
    let server = serve(&metrics, any());
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["run.jsonl", "run.jsonl.gz"] {
        let (file, copy) = (folder.path().join(name), folder.path().join(format!("copy-{name}")));
        let (name, addr) = (file.display().to_string(), server.addr().to_string());
        let recording = tachograph(&["record", &addr, "-o", &name]);
        metrics.increment_by("events", 7);
        until("the first events", || counted(&file, "events").is_some_and(|it| it > 0));
        std::fs::copy(&file, &copy).expect("copied");
        std::fs::File::create(&file).expect("emptied");
        metrics.increment_by("events", 5);
        until("the next events", || counted(&file, "events") == Some(5));
        kill(Pid::from_raw(recording.id() as i32), Signal::SIGINT).expect("it runs");
        let (code, _, err) = ended(recording);
        assert_eq!(code, Some(0), "{err}");
        assert!(Replay::read(&file).expect("whole").notes().is_empty());
        assert!(counted(&copy, "events").is_some_and(|it| it % 7 == 0 || it % 12 == 7), "{err}");
    }
}

#[test]
fn the_end_of_a_compressed_recording_that_cannot_be_written_is_an_error() {
    let metrics = MetricsCollector::builder().manual().build();
    let publish = || metrics.run_pass(Instant::now(), std::time::SystemTime::now());
    let server = serve(&metrics, any());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.jsonl.gz");
    let (name, addr) = (file.display().to_string(), server.addr().to_string());
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_tachograph")]);
    command.args(["record", &addr, "-o", &name]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let recording = command.spawn().expect("a shell");
    until("a frame", || {
        metrics.increment("events");
        publish();
        counted(&file, "events").is_some()
    });
    metrics.increment("done");
    publish();
    until("the last frame", || counted(&file, "done") == Some(1));
    // As if the disk were full from now on.
    let length = std::fs::metadata(&file).expect("there").len();
    let id = recording.id().to_string();
    let limit = [format!("--fsize={length}"), format!("--pid={id}")];
    assert!(Command::new("prlimit").args(limit).status().expect("util-linux").success());
    kill(Pid::from_raw(recording.id() as i32), Signal::SIGINT).expect("it runs");
    let (code, _, err) = ended(recording);
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains(&format!("cannot write {name}: File too large")), "{err}");
    assert!(err.contains("before: ") && !err.contains("view it"), "{err}");
}

#[test]
fn doctor_tells_of_an_alert_that_fires() {
    let metrics = MetricsCollector::new();
    let rules = "[[rule]]\nname = \"Loss\"\nmetric = \"lost\"\nstatistic = \"increase\"\n\
                 op = \">\"\nthreshold = 5\nseverity = \"critical\"\n\
                 [[rule]]\nname = \"Beat\"\nstatistic = \"heartbeat\"\n\
                 [[rule]]\nname = \"Gone\"\nmetric = \"other\"\nstatistic = \"absent\"\n";
    let rules = tachograph_alert::parse(rules).expect("right");
    let settings = Settings { step: STEP, ..Settings::default() };
    let endpoint =
        Endpoint::new(metrics.clone()).listen(any()).history(settings).alerts(Alerts::new(rules));
    let server = endpoint.spawn().expect("it starts");
    let addr = server.addr().to_string();
    metrics.increment_by("lost", 6);
    until("the alert", || {
        get(server.addr(), "/alerts").contains(r#""to":"firing","value_text":"6""#)
    });
    let (code, out, err) = ended(tachograph(&["doctor", &addr]));
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("warning: the alert `Gone` is firing\n  absent(other)\n"), "{out}");
    assert!(out.contains("bad: the alert `Loss` is firing") && out.contains("limit 5"), "{out}");
    assert!(!out.contains("Beat") && !out.contains("no findings"), "{out}");
}

#[test]
fn doctor_and_deploy_ask_the_program_and_a_token_opens_it() {
    let metrics = MetricsCollector::new();
    metrics.increment("orders.taken");
    metrics.gauge("depth", f64::NAN);
    let settings = Settings { step: STEP, ..Settings::default() };
    let endpoint = Endpoint::new(metrics.clone()).listen(any()).program("shop", "1");
    let endpoint = endpoint.bearer_token("secret").expect("a token");
    let server = endpoint.history(settings).spawn().expect("it starts");
    let addr = server.addr().to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let token = path("token");
    std::fs::write(&token, "secret\n").expect("written");

    let (code, _, err) = ended(tachograph(&["doctor", &addr]));
    assert_eq!(code, Some(1));
    assert!(err.contains("--token-file"), "{err}");
    until("the finding", || {
        let (_, out, _) = ended(tachograph(&["doctor", &addr, "--json", "--token-file", &token]));
        let found = serde_json::from_str::<Vec<Value>>(&out).unwrap_or_default();
        found.iter().any(|finding| finding["title"] == "gauges were set to NaN")
    });

    let place = path("monitoring");
    let deployed = ended(tachograph(&["deploy", &addr, &place, "--token-file", &token]));
    assert_eq!(deployed.0, Some(0), "{}", deployed.2);
    let rules = std::fs::read_to_string(path("monitoring/shop.rules.yml")).expect("written");
    assert!(rules.contains("orders_taken"), "{rules}");
    let listed = BufReader::new(deployed.1.as_bytes()).lines().count();
    assert_eq!(listed, std::fs::read_dir(&place).expect("a folder").count());
}

#[test]
fn files_of_a_program_without_a_name_need_one() {
    let metrics = MetricsCollector::new();
    let endpoint = Endpoint::new(metrics).listen(any()).history(Settings::default());
    let server = endpoint.spawn().expect("it starts");
    let addr = server.addr().to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("monitoring").display().to_string();
    let (code, _, err) = ended(tachograph(&["deploy", &addr, &place]));
    assert_ne!(code, Some(0));
    assert!(err.contains("--job NAME"), "{err}");
}
