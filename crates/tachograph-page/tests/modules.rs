//! Runs the tests of the JavaScript modules with `node --test`, on lines from a real collector.
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::fmt::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs};

use serde_json::json;
use tachograph::MetricsCollector;
use tachograph_history::{FORMAT, History, Meta, Settings};

const SECONDS: u64 = 1_500;

/// The lines of a collector with a manual clock, and all samples that it recorded.
fn recording() -> (String, serde_json::Value) {
    let metrics = MetricsCollector::builder().manual().build();
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let start = Instant::now();
    let mut history = History::new(Settings::default());
    let mut random = fastrand::Rng::with_seed(19);
    let meta = Meta {
        format: FORMAT,
        program: "test".to_owned(),
        version: "1".to_owned(),
        started_ms: 1_700_000_000_000,
        step_ms: 1_000,
        window_ms: metrics.snapshot().window_span().map(|it| it.as_millis() as u64),
    };
    let (mut lines, mut seconds) = (meta.to_line(), Vec::new());
    for second in 1..=SECONDS {
        let count = random.u64(0..100);
        let samples: Vec<u64> = (0..random.usize(1..12))
            .map(|_| (1_000.0 * 10f64.powf(4.0 * random.f64())) as u64)
            .collect();
        let level = random.f64();
        metrics.increment_by("events", count);
        metrics.gauge("level", level);
        for &sample in &samples {
            metrics.timing("work", Duration::from_nanos(sample));
        }
        let now = Duration::from_secs(second);
        metrics.run_pass(start + now, wall + now);
        let recorded = history.record(&metrics.snapshot());
        let (frame, new) = recorded.expect("a newer snapshot");
        for definition in new {
            lines += &Arc::unwrap_or_clone(definition).to_line();
        }
        lines += &frame.to_line();
        let samples: Vec<f64> = samples.iter().map(|&it| it as f64 / 1e9).collect();
        seconds.push(json!({ "count": count, "level": level, "samples": samples }));
    }
    (lines, seconds.into())
}

#[test]
fn modules_pass_their_tests_by_node() {
    let version = Command::new("node").arg("--version").output();
    let Ok(version) = version else {
        assert!(env::var_os("CI").is_none(), "CI needs `node` (Debian's package `nodejs`)");
        eprintln!("skipped: there is no `node`; install Debian's package `nodejs`");
        return;
    };
    assert!(version.status.success());
    let folder = tempfile::tempdir().expect("a folder");
    let (lines, truth) = recording();
    let (recorded, told) = (folder.path().join("lines.jsonl"), folder.path().join("truth.json"));
    fs::write(&recorded, lines).expect("written");
    fs::write(&told, truth.to_string()).expect("written");
    let output = Command::new("node")
        .args(["--test", "tests/js/"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("LINES", recorded)
        .env("TRUTH", told)
        .output()
        .expect("node runs");
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    let _ = write!(said, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    let passed = said.lines().find_map(|line| line.split_once("pass ")?.1.trim().parse().ok());
    assert!(passed.is_some_and(|it: u32| it >= 19), "node ran too few tests\n{said}");
}
