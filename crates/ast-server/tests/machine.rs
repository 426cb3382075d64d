//! What a service meets on a machine: logs that nobody reads, full disks, signals, settings that
//! change, a want of file descriptors.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write, pipe};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use ast_server::EventSender;
use common::DEADLINE;
use common::program::{ast_server, utf8};

const FREE: &str = "127.0.0.1:0";
/// What a pipe holds.
const PIPE_BYTES: usize = 64 << 10;

/// A server in the background, killed where a test fails.
struct Running {
    child: Child,
    /// What it prints at the end has somewhere to go.
    _out: BufReader<ChildStdout>,
    udp: SocketAddr,
    ws: SocketAddr,
    http: SocketAddr,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(args: &[&str]) -> Command {
    let mut command = ast_server();
    command.args(["serve", "--udp", FREE, "--ws", FREE, "--http", FREE]).args(args);
    command
}

impl Running {
    fn start(command: &mut Command, log: impl Into<Stdio>) -> Self {
        let child = command.stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = child.expect("the binary runs");
        let mut out = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut address = |scheme: &str| {
            let mut line = String::new();
            out.read_line(&mut line).expect("a line");
            let address = line.trim_end().rsplit_once(scheme).map(|(_, address)| address.parse());
            address.unwrap_or_else(|| panic!("no {scheme} in {line:?}")).expect("an address")
        };
        let (udp, ws, http) = (address("udp://"), address("ws://"), address("http://"));
        Self { child, _out: out, udp, ws, http }
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
    }

    /// Sends SIGTERM, and gives the exit code, which comes within five seconds.
    fn stop(&mut self) -> Option<i32> {
        self.signal("TERM");
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code();
            }
            assert!(start.elapsed() < Duration::from_secs(5), "it has not ended");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn get(&self, path: &str, header: &str) -> String {
        let mut stream = TcpStream::connect(self.http).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        let to = self.http;
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n{header}\r\n");
        stream.write_all(request.as_bytes()).expect("written");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn until(&self, path: &str, wanted: &str) {
        let start = Instant::now();
        loop {
            let page = self.get(path, "");
            if page.contains(wanted) {
                return;
            }
            assert!(start.elapsed() < DEADLINE, "{wanted} is missing in {page}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The first that a viewer is sent.
    fn viewer_gets(&self) -> String {
        let mut stream = TcpStream::connect(self.ws).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        let (mut socket, _) =
            tokio_tungstenite::tungstenite::client(format!("ws://{}", self.ws), &mut stream)
                .expect("a handshake");
        socket.read().expect("a message").to_string()
    }

    /// Sends what makes it log, and checks that everything goes on.
    fn works(&self) {
        let live = EventSender::connect(self.udp).expect("a socket");
        live.send_raw(b"junk").expect("sent");
        self.until("/metrics", "\nudp_packet_malformed_total 1\n");
        let mut live = EventSender::connect(self.udp).expect("a socket");
        live.send("/live/track/mute", &[0.into(), 1.into()]).expect("sent");
        self.until("/summary", "\"total_processed\":1");
        assert!(self.viewer_gets().contains("FULL_AST"));
        let health = self.get("/health", "");
        assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    }
}

fn set(folder: &Path) -> std::path::PathBuf {
    common::write(folder, "set.als", &common::small())
}

#[test]
fn a_log_on_a_full_disk_or_a_closed_pipe_loses_its_lines_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = set(folder.path());
    let full = fs::File::options().write(true).open("/dev/full").expect("Linux");
    let (reader, closed) = pipe().expect("a pipe");
    drop(reader);
    for log in [Stdio::from(full), Stdio::from(closed)] {
        let mut running = Running::start(&mut serve(&[utf8(&file)]), log);
        running.works();
        // Those of its start, of the datagram and of the viewer.
        let dropped = || {
            let page = running.get("/metrics", "");
            let sample =
                page.lines().find_map(|line| line.strip_prefix("process_log_dropped_total "));
            sample.expect("a sample").parse::<u64>().expect("a number")
        };
        let start = Instant::now();
        while dropped() < 3 {
            assert!(start.elapsed() < DEADLINE, "{} lines counted", dropped());
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(running.stop(), Some(0));
    }
}

/// A pipe that holds all it can.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, mut writer) = pipe().expect("a pipe");
    writer.write_all(&[b'x'; PIPE_BYTES]).expect("it holds so much");
    (reader, writer)
}

#[test]
fn a_log_that_nobody_reads_keeps_nobody_waiting_and_the_end_comes_in_time() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = set(folder.path());
    let (_unread, log) = full_pipe();
    let mut running = Running::start(&mut serve(&[utf8(&file), "--log-level", "trace"]), log);
    running.works();
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn a_dashboard_that_nobody_reads_is_left_out() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = set(folder.path());
    let (reader, writer) = pipe().expect("a pipe");
    let mut filling = writer.try_clone().expect("another handle");
    let mut child = serve(&[utf8(&file)]).stdout(writer).stderr(Stdio::null()).spawn();
    let mut out = BufReader::new(reader);
    let mut line = String::new();
    for _ in 0..3 {
        out.read_line(&mut line).expect("an address");
    }
    filling.write_all(&[b'x'; PIPE_BYTES]).expect("it holds so much");
    let child = child.as_mut().expect("the binary runs");
    let kill = format!("kill -TERM {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
    let start = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if start.elapsed() > Duration::from_secs(5) {
            let _ = child.kill();
            panic!("it has not ended");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_viewer_and_a_client_that_read_nothing_do_not_keep_the_server_from_ending() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = set(folder.path());
    let mut running = Running::start(&mut serve(&[utf8(&file)]), Stdio::null());
    let idle: Vec<_> =
        [running.ws, running.http].map(|to| TcpStream::connect(to).expect("it listens")).into();
    let mut viewer = TcpStream::connect(running.ws).expect("it listens");
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        running.ws
    );
    viewer.write_all(request.as_bytes()).expect("written");
    running.until("/websocket", "\"clients\":1");
    assert_eq!(running.stop(), Some(0));
    drop((idle, viewer));
}

#[test]
fn a_hang_up_reads_settings_and_token_again_and_changes_nothing_where_they_are_wrong() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = set(folder.path());
    let other = live_set::generate::Spec { tempo: 77.0, ..common::small() };
    let other = common::write(folder.path(), "other.als", &other);
    let (config, token) = (folder.path().join("c.toml"), folder.path().join("token"));
    fs::write(&token, "first").expect("written");
    fs::write(&config, "metrics-token-file = \"token\"\nset = \"set.als\"\n").expect("written");
    let log = folder.path().join("log");
    let to = fs::File::create(&log).expect("a file");
    let mut running = Running::start(&mut serve(&["--config", utf8(&config)]), to);
    let status = |token: &str| {
        let answer = running.get("/project", &format!("authorization: Bearer {token}\r\n"));
        answer.split(' ').nth(1).expect("a status").to_owned()
    };
    let until_log = |wanted: &str, times: usize| {
        let start = Instant::now();
        while fs::read_to_string(&log).expect("it reads").matches(wanted).count() < times {
            assert!(start.elapsed() < DEADLINE, "{wanted} is not logged");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    assert_eq!((status("first"), status("second")), ("200".into(), "401".into()));

    fs::write(&token, "second").expect("written");
    running.signal("HUP");
    until_log("are read again", 1);
    assert_eq!((status("first"), status("second")), ("401".into(), "200".into()));

    for (number, (text, reason)) in [
        ("nonsense", "nothing is changed"),
        ("set = \"missing.als\"\n", "missing.als"),
        ("set = \"set.als\"\nmax-clients = 1\n", "max-clients can be changed by a restart only"),
        ("set = \"set.als\"\nmetrics-token-file = \"nowhere\"\n", "nowhere"),
    ]
    .into_iter()
    .enumerate()
    {
        fs::write(&config, text).expect("written");
        running.signal("HUP");
        until_log("nothing is changed", number + 1);
        until_log(reason, 1);
        assert_eq!(status("second"), "200");
    }

    // The set can no longer be read: the new token does not count either.
    fs::write(&token, "third").expect("written");
    fs::write(&config, "metrics-token-file = \"token\"\nset = \"set.als\"\n").expect("written");
    let aside = folder.path().join("aside.als");
    fs::rename(&file, &aside).expect("moved");
    running.signal("HUP");
    until_log("nothing is changed", 5);
    assert_eq!((status("second"), status("third")), ("200".into(), "401".into()));
    fs::rename(&aside, &file).expect("moved back");
    fs::write(&token, "second").expect("written");

    let text = format!("metrics-token-file = \"token\"\nset = {:?}\n", utf8(&other));
    fs::write(&config, text).expect("written");
    running.signal("HUP");
    until_log("are read again", 2);
    let project = running.get("/project", "authorization: Bearer second\r\n");
    assert!(project.contains("other.als"), "{project}");
    fs::write(&file, b"").expect("written");
    assert_eq!(running.stop(), Some(0));
}

/// Runs the server with a limit on its descriptors.
fn with_descriptors(limit: u32, file: &Path) -> Command {
    let mut command = Command::new("sh");
    let program = ast_server();
    let program = program.get_program().to_str().expect("a UTF-8 path");
    let run = format!(
        "ulimit -n {limit}; exec \"$0\" serve \"$1\" --udp {FREE} --ws {FREE} --http {FREE}"
    );
    command.env_remove("RUST_LOG").args(["-c", &run, program, utf8(file)]);
    command
}

#[test]
fn viewers_that_connect_and_say_nothing_leave_descriptors_for_everybody_else() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = set(folder.path());
    let log = folder.path().join("log");
    let to = fs::File::create(&log).expect("a file");
    let mut running = Running::start(&mut with_descriptors(64, &file), to);
    let _crowd: Vec<_> = (0..200).map(|_| TcpStream::connect(running.ws)).collect();
    for _ in 0..3 {
        let health = running.get("/health", "");
        assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    }
    // One that asks comes in, and a save is read.
    assert!(running.viewer_gets().contains("FULL_AST"));
    save(&file, 55.5);
    running.until("/node?id=project", "55.5");
    assert_eq!(running.stop(), Some(0));
    let log = fs::read_to_string(&log).expect("it reads");
    assert_eq!(log.matches("viewers have to wait").count(), 1, "{log}");
}

/// Saves as Live does: another file takes the set's name.
fn save(file: &Path, tempo: f64) {
    let spec = live_set::generate::Spec { tempo, ..common::small() };
    let mut bytes = Vec::new();
    spec.write_als(&mut bytes).expect("written");
    let new = file.with_extension("new");
    fs::write(&new, bytes).expect("written");
    fs::rename(&new, file).expect("renamed");
}

#[test]
fn a_save_that_no_descriptor_is_left_for_is_loaded_once_there_is_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = set(folder.path());
    let log = folder.path().join("log");
    let to = fs::File::create(&log).expect("a file");
    let mut running = Running::start(&mut with_descriptors(64, &file), to);
    // Fewer than it has open already.
    let allow = |descriptors: u32| {
        let limit = format!("prlimit --pid {} --nofile={descriptors}:", running.child.id());
        assert!(Command::new("sh").args(["-c", &limit]).status().expect("a shell").success());
    };
    allow(5);
    save(&file, 55.5);
    let start = Instant::now();
    while !fs::read_to_string(&log).expect("it reads").contains("cannot load the set again") {
        assert!(start.elapsed() < DEADLINE, "it says nothing");
        std::thread::sleep(Duration::from_millis(5));
    }
    allow(64);
    running.until("/node?id=project", "55.5");
    running.until("/health", "HTTP/1.1 200");
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn a_recording_that_can_no_longer_be_written_ends_with_a_warning_and_nothing_else_does() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, recording) = (set(folder.path()), folder.path().join("run.jsonl"));
    let log = folder.path().join("log");
    let program = ast_server();
    let program = program.get_program().to_str().expect("a UTF-8 path");
    // A write beyond so many bytes fails, as on a full disk: definitions of series take more.
    let run = format!(
        "trap '' XFSZ; ulimit -f 12; exec \"$0\" serve \"$1\" --record \"$2\" --udp {FREE} \
         --ws {FREE} --http {FREE}"
    );
    let mut command = Command::new("sh");
    command.env_remove("RUST_LOG").args(["-c", &run, program, utf8(&file), utf8(&recording)]);
    let mut running = Running::start(&mut command, fs::File::create(&log).expect("a file"));
    let logged = || fs::read_to_string(&log).expect("it reads").matches("ends here").count();
    let start = Instant::now();
    while logged() == 0 {
        assert!(start.elapsed() < DEADLINE, "it says nothing");
        std::thread::sleep(Duration::from_millis(5));
    }
    running.works();
    assert_eq!(running.stop(), Some(0));
    assert_eq!(logged(), 1);
}

#[test]
fn deploy_writes_all_of_its_files_or_none() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let there = folder.path().join("monitoring");
    let program = ast_server();
    let program = program.get_program().to_str().expect("a UTF-8 path");
    // A write beyond so many bytes fails, as on a full disk.
    let run = "trap '' XFSZ; ulimit -f 12; exec \"$0\" deploy \"$1\"";
    let output = Command::new("sh").args(["-c", run, program, utf8(&there)]).output();
    let output = output.expect("a shell");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("no file was written"), "{message}");
    let left: Vec<_> = fs::read_dir(&there).expect("a folder").collect();
    assert!(left.is_empty(), "{left:?}");
}
