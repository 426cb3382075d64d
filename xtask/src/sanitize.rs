//! `cargo xtask sanitize`: the core's tests under the compiler's sanitizers.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::cargo::{self, Metadata};
use crate::steps::{Failed, Outcome, Steps, skipped};

/// A sanitizer, what is built for it, and what runs under it.
struct Sanitizer {
    name: &'static str,
    flags: &'static [&'static str],
    /// How far dependencies and tests are optimised. ThreadSanitizer sees std's inlined atomics
    /// only where they are inlined.
    opt_level: &'static str,
    /// The runtime's options: a variable, and settings joined by colons.
    options: (&'static str, &'static [&'static str]),
    tests: &'static [&'static str],
}

/// Tests in which threads meet.
const CONCURRENT: [&str; 8] =
    ["faults", "hostile_text", "kinds", "overload", "reading", "stress", "thread_end", "threads"];

const SANITIZERS: [Sanitizer; 3] = [
    Sanitizer {
        name: "realtime",
        flags: &["-Zsanitizer=realtime", "--cfg=tachograph_rtsan"],
        opt_level: "0",
        options: ("RTSAN_OPTIONS", &["halt_on_error=1"]),
        tests: &["realtime"],
    },
    Sanitizer {
        name: "thread",
        flags: &["-Zsanitizer=thread", "--cfg=tachograph_tsan"],
        opt_level: "3",
        options: ("TSAN_OPTIONS", &["halt_on_error=1"]),
        tests: &CONCURRENT,
    },
    // Leaks included.
    Sanitizer {
        name: "address",
        flags: &["-Zsanitizer=address", "--cfg=tachograph_asan"],
        opt_level: "1",
        options: ("ASAN_OPTIONS", &["detect_leaks=1", "detect_stack_use_after_return=1"]),
        tests: &CONCURRENT,
    },
];

/// False reports of ThreadSanitizer, each with its reason.
const SUPPRESSIONS: &str = "xtask/tsan-suppressions.txt";

/// Runs the named sanitizers, or all of them.
pub(crate) fn run(steps: &mut Steps, names: &[String]) -> Result<(), Failed> {
    let unknown = |name: &&String| SANITIZERS.iter().all(|known| known.name != **name);
    if let Some(name) = names.iter().find(unknown) {
        let known = SANITIZERS.map(|sanitizer| sanitizer.name).join(", ");
        return steps.run("sanitize", || Err(format!("`{name}` is none of: {known}")));
    }
    let Some(host) = nightly_host() else { return steps.run("sanitize", without_nightly) };
    let wanted = |it: &&Sanitizer| names.is_empty() || names.iter().any(|name| name == it.name);
    for sanitizer in SANITIZERS.iter().filter(wanted) {
        steps.run(&format!("sanitize: {}", sanitizer.name), || test(sanitizer, &host))?;
    }
    Ok(())
}

/// The nightly toolchain's host; `None` where there is no such toolchain.
fn nightly_host() -> Option<String> {
    let output = Command::new("rustup").args(["run", "nightly", "rustc", "-vV"]).output().ok()?;
    let told = String::from_utf8(output.stdout).ok()?;
    Some(told.lines().find_map(|line| line.strip_prefix("host: "))?.to_owned())
}

fn without_nightly() -> Outcome {
    skipped("sanitizers need `rustup toolchain install nightly`")
}

fn test(sanitizer: &Sanitizer, host: &str) -> Outcome {
    let Sanitizer { name, flags, opt_level, tests, .. } = sanitizer;
    // A folder of its own: the flags would make every other build start over.
    let folder: PathBuf = Metadata::load()?.target_directory("sanitize").join(name);
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo", "test", "--package", "tachograph"]);
    command.args(["--target", host, "--target-dir"]).arg(folder).current_dir(cargo::root());
    command.args(tests.iter().flat_map(|test| ["--test", test]));
    // std itself is not instrumented.
    let flags = [*flags, &["-Cunsafe-allow-abi-mismatch=sanitizer"]].concat().join(" ");
    let given = env::var("RUSTFLAGS").unwrap_or_default();
    command.env("RUSTFLAGS", format!("{given} {flags}").trim_start());
    command.env("CARGO_PROFILE_DEV_OPT_LEVEL", opt_level);
    let (variable, options) = sanitizer.options;
    let mut options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
    if *name == "thread" {
        options.push(format!("suppressions={}", cargo::root().join(SUPPRESSIONS).display()));
    }
    command.env(variable, options.join(":"));
    cargo::run(&mut command)
}
