//! `cargo xtask sanitize`: the core's tests under the compiler's sanitizers.

use anyhow::{Context, Result};
use xshell::cmd;

use super::is_wanted;
use crate::steps::{Failed, Steps, skipped};
use crate::tools::{self, Tools};

/// A sanitizer, its build settings, and the tests that run under it.
struct Sanitizer {
    name: &'static str,
    flags: &'static str,
    /// The optimisation level of dependencies and tests. ThreadSanitizer only sees std's inline
    /// atomics where they are inlined.
    opt_level: &'static str,
    /// The runtime's options.
    options: (&'static str, &'static str),
    tests: &'static [&'static str],
}

/// Tests in which threads interact.
const CONCURRENT: [&str; 8] =
    ["faults", "hostile_text", "kinds", "overload", "reading", "stress", "thread_end", "threads"];

const SANITIZERS: [Sanitizer; 3] = [
    Sanitizer {
        name: "realtime",
        flags: "-Zsanitizer=realtime --cfg=tachograph_rtsan",
        opt_level: "0",
        options: ("RTSAN_OPTIONS", "halt_on_error=1"),
        tests: &["realtime"],
    },
    // The suppressions are false reports; each has its reason.
    Sanitizer {
        name: "thread",
        flags: "-Zsanitizer=thread --cfg=tachograph_tsan",
        opt_level: "3",
        options: ("TSAN_OPTIONS", "halt_on_error=1:suppressions=ROOT/xtask/tsan-suppressions.txt"),
        tests: &CONCURRENT,
    },
    Sanitizer {
        name: "address",
        flags: "-Zsanitizer=address --cfg=tachograph_asan",
        opt_level: "1",
        options: ("ASAN_OPTIONS", "detect_leaks=1:detect_stack_use_after_return=1"),
        tests: &CONCURRENT,
    },
];

pub(crate) fn names() -> [&'static str; SANITIZERS.len()] {
    SANITIZERS.each_ref().map(|sanitizer| sanitizer.name)
}

/// Runs the named sanitizers, or all of them.
pub(crate) fn run(tools: &Tools, steps: &mut Steps, names: &[String]) -> Result<(), Failed> {
    if tools.nightly().is_none() {
        return steps.run("sanitize", || skipped("needs `rustup toolchain install nightly`"));
    }
    for sanitizer in SANITIZERS.iter().filter(|it| is_wanted(names, it.name)) {
        steps.run(&format!("sanitize: {}", sanitizer.name), || test(tools, sanitizer))?;
    }
    Ok(())
}

fn test(tools: &Tools, sanitizer: &Sanitizer) -> Result<String> {
    let Sanitizer { name, flags, opt_level, options: (variable, options), tests } = sanitizer;
    let told = cmd!(tools.shell, "rustup run nightly rustc -vV").quiet().read()?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    let cargo = tools.nightly().context("the nightly toolchain has gone")?;
    let test =
        cargo.args(["test", "--package", "tachograph", "--target", host.unwrap_or_default()]);
    let test = test.arg("--target-dir").arg(tools.target("sanitize").join(name));
    let given = std::env::var("RUSTFLAGS").unwrap_or_default();
    // std itself is not instrumented.
    let flags = format!("{given} {flags} -Cunsafe-allow-abi-mismatch=sanitizer");
    test.args(tests.iter().flat_map(|test| ["--test", test]))
        .env("RUSTFLAGS", flags.trim_start())
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", opt_level)
        .env(variable, options.replace("ROOT", &tools::root().display().to_string()))
        .run()?;
    Ok(String::new())
}
