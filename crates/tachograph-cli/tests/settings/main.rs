//! Every flag of every command, at 0, at 1 and at its greatest: it works, or is refused with the
//! reason.

#[path = "../common/mod.rs"]
mod common;
mod rows;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rows::{Fate, ROWS};
use tachograph::MetricsCollector;
use tachograph_cli::Replay;
use tachograph_history::Settings;
use tachograph_serve::{Endpoint, ServerThread};

const RULES: &str = "[[rule]]\nname = \"Loss\"\nmetric = \"udp.packet.dropped\"\n\
                     statistic = \"increase\"\nlast = \"1m\"\nop = \">\"\nthreshold = 100\n";

/// What a command needs besides the flag that is tried. Names without dashes are positions.
fn needed(command: &str) -> &'static [(&'static str, &'static str)] {
    match command {
        "record" => &[("url", "{url}"), ("output", "out.jsonl"), ("for", "300ms"), ("force", "")],
        "report" => &[("file", "{run}"), ("output", "out.html"), ("force", "")],
        "doctor" => &[("place", "{run}")],
        "check" => &[("files", "{rules}")],
        "deploy" => &[("url", "{url}"), ("folder", "out"), ("job", "a"), ("force", "")],
        "rules" => &[("file", "{rules}"), ("prometheus", "")],
        _ => &[],
    }
}

const POSITIONS: [&str; 5] = ["place", "url", "file", "files", "folder"];
const SWITCHES: [&str; 6] = ["light", "force", "text", "json", "prometheus", "example"];

/// A folder with what commands are given, and a program that serves.
struct Bed {
    folder: tempfile::TempDir,
    server: ServerThread,
}

impl Bed {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        common::write(&folder.path().join("run.jsonl"), 20, 1).expect("written");
        common::write(&folder.path().join("before.jsonl"), 20, 2).expect("written");
        std::fs::write(folder.path().join("rules.toml"), RULES).expect("written");
        let metrics = MetricsCollector::new();
        metrics.increment("udp.packet.dropped");
        let history = Settings { step: Duration::from_millis(50), ..Settings::default() };
        let endpoint = Endpoint::new(metrics).listen(([127, 0, 0, 1], 0).into());
        let server = endpoint.program("tried", "1").history(history).spawn().expect("it starts");
        Self { folder, server }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn fill(&self, value: &str) -> String {
        let path = |name| self.path(name).display().to_string();
        let value = value.replace("{url}", &self.server.addr().to_string());
        let value = value.replace("{run}", &path("run.jsonl"));
        value.replace("{before}", &path("before.jsonl")).replace("{rules}", &path("rules.toml"))
    }

    /// The command with the flag at the value, and with what it needs.
    fn command(&self, command: &str, flag: &str, value: &str) -> Command {
        let others = needed(command).iter().filter(|(other, _)| {
            // A table is printed, and not written.
            *other != flag && (flag != "text" || *other != "output")
        });
        let mut program = Command::new(env!("CARGO_BIN_EXE_tachograph"));
        program.arg(command).current_dir(self.folder.path()).stdin(Stdio::null());
        program.stdout(Stdio::piped()).stderr(Stdio::piped());
        // Positions in their order: what is tried stands where it would be among the others.
        let mut positions: Vec<_> = needed(command).iter().map(|(name, _)| *name).collect();
        positions.push(flag);
        let mut all: Vec<_> = others.copied().chain([(flag, value)]).collect();
        all.sort_by_key(|(name, _)| positions.iter().position(|it| it == name));
        for (name, value) in all {
            let value = self.fill(value);
            if POSITIONS.contains(&name) {
                program.arg(value);
            } else if SWITCHES.contains(&name) {
                program.arg(format!("--{name}"));
            } else {
                program.arg(format!("--{name}={value}"));
            }
        }
        program
    }

    /// Runs a recording until it has frames, and ends it by a signal.
    fn interrupted(&self, mut command: Command) -> Output {
        let file = self.path("out.jsonl");
        // Err: no other row has left one.
        let _ = std::fs::remove_file(&file);
        let child = command.spawn().expect("it starts");
        let has_frames = |file: &Path| Replay::read(file).is_ok_and(|it| it.history().bytes() > 0);
        let began = std::time::Instant::now();
        while !has_frames(&file) {
            assert!(began.elapsed() < Duration::from_secs(60), "no frame was recorded");
            std::thread::yield_now();
        }
        kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).expect("it runs");
        child.wait_with_output().expect("it ends")
    }
}

#[test]
fn every_flag_works_or_is_refused_with_the_reason() {
    let bed = Bed::new();
    for &(name, flag, values) in ROWS {
        for &(value, fate) in values {
            let mut command = bed.command(name, flag, value);
            let output = match fate {
                Fate::Lasts => bed.interrupted(command),
                _ => command.output().expect("it starts"),
            };
            let (code, err) = (output.status.code(), String::from_utf8_lossy(&output.stderr));
            let told = format!("{name} {flag} {value:?}: {code:?}, {err}");
            match fate {
                Fate::Refused(reason) => {
                    assert!(matches!(code, Some(1 | 2)) && err.starts_with("error: "), "{told}");
                    assert!(err.contains(reason), "{told}");
                }
                // The doctor and a check end with 1 where they find something.
                Fate::Works | Fate::Lasts => {
                    assert!(matches!(code, Some(0 | 1)) && !err.contains("error: "), "{told}");
                }
            }
        }
    }
}
