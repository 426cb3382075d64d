//! `cargo xtask peers`: the server and the exporters before programs that others wrote.
//!
//! The checks are Python programs in `xtask/peers`: each says what it has compared, and ends with
//! an error where the two sides differ.

mod tools;

use std::path::PathBuf;
use std::process::Command;

use self::tools::Tools;
use crate::cargo;
use crate::steps::{Failed, Outcome, Steps, skipped};

/// A check: its program, and what that needs to be given.
struct Peer {
    name: &'static str,
    check: fn(&Tools) -> Outcome,
}

const PEERS: [Peer; 7] = [
    Peer { name: "events", check: |tools| run_python(tools, "events.py", &[&tools.server]) },
    Peer {
        name: "metrics",
        check: |tools| run_python(tools, "metrics.py", &[&tools.server, &tools.promtool]),
    },
    Peer {
        name: "deploy",
        check: |tools| run_python(tools, "deploy.py", &[&tools.server, &tools.promtool]),
    },
    Peer {
        name: "fleet",
        check: |tools| run_python(tools, "fleet.py", &[&tools.server, &tools.prometheus]),
    },
    Peer { name: "hostile", check: hostile },
    Peer { name: "otlp", check: otlp },
    Peer { name: "promql", check: promql },
];

/// Registries with hostile names, tags and values, in the formats of Prometheus.
fn hostile(tools: &Tools) -> Outcome {
    let folder = written(tools, "tachograph-export", "hostile", 1_000)?;
    run_python(tools, "hostile.py", &[&folder, &tools.promtool])
}

/// The same as OTLP, each in three rounds.
fn otlp(tools: &Tools) -> Outcome {
    run_python(tools, "otlp.py", &[&written(tools, "tachograph-export", "otlp", 300)?])
}

/// What the fleet's simulation makes of restarts and of classic histograms.
fn promql(tools: &Tools) -> Outcome {
    let folder = written(tools, "fleet", "promql", 200)?;
    run_python(tools, "promql.py", &[&folder, &tools.promtool, &tools.prometheus])
}

/// The folder into which an example of a package has written so many random cases.
fn written(tools: &Tools, package: &str, example: &str, count: u32) -> Result<PathBuf, String> {
    let folder = tools.folder.join(example);
    let mut write = cargo::cargo(["run", "--package", package, "--example", example]);
    cargo::run(write.arg("--").arg(&folder).arg(count.to_string()))?;
    Ok(folder)
}

/// Runs the named checks, or all of them.
pub(crate) fn run(steps: &mut Steps, names: &[String]) -> Result<(), Failed> {
    let unknown = |name: &&String| PEERS.iter().all(|peer| peer.name != **name);
    if let Some(name) = names.iter().find(unknown) {
        let known = PEERS.map(|peer| peer.name).join(", ");
        return steps.run("peers", || Err(format!("`{name}` is none of: {known}")));
    }
    let mut tools = None;
    steps.run("peers: tools", || match Tools::install() {
        Ok(installed) => Ok(tools.insert(installed).to_string()),
        Err(reason) => skipped(&reason),
    })?;
    let Some(tools) = tools else { return Ok(()) };
    let wanted = |peer: &&Peer| names.is_empty() || names.iter().any(|name| name == peer.name);
    for peer in PEERS.iter().filter(wanted) {
        steps.run(&format!("peers: {}", peer.name), || (peer.check)(&tools))?;
    }
    Ok(())
}

fn run_python(tools: &Tools, program: &str, arguments: &[&PathBuf]) -> Outcome {
    let program = cargo::root().join("xtask/peers").join(program);
    let mut python = Command::new(&tools.python);
    let output = python.arg(program).args(arguments).stderr(std::process::Stdio::inherit());
    let output =
        output.output().map_err(|error| format!("python could not be started: {error}"))?;
    let told = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
    if output.status.success() {
        // What it has compared is its last line.
        return Ok(told.lines().next_back().unwrap_or_default().to_owned());
    }
    Err(format!("the peer disagrees ({}), see above\n{told}", output.status))
}
