//! The machine that was measured on.

use std::fmt;
use std::process::Command;

/// What figures depend on; empty where it is not known.
#[derive(Debug, Default)]
pub(super) struct Machine {
    cpu: String,
    cores: usize,
    system: String,
    rustc: String,
}

impl Machine {
    pub(super) fn this() -> Self {
        Self {
            cpu: cpu().unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            system: std::env::consts::OS.to_owned(),
            rustc: rustc().unwrap_or_default(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, cores, system, rustc } = self;
        writeln!(f, "Measured on: {cpu}, {cores} cores, {system}; {rustc}, fat LTO.")
    }
}

fn cpu() -> Option<String> {
    let known = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let model = known.lines().find_map(|line| line.strip_prefix("model name"))?;
    Some(model.trim_start_matches([' ', '\t', ':']).to_owned())
}

fn rustc() -> Option<String> {
    let output = Command::new("rustc").arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    Some(version.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}
