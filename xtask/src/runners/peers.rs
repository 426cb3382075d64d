//! `cargo xtask peers`: tests the server and the exporters against other people's programs.
//!
//! The checks are Python programs in `xtask/peers`: each prints what it has compared, and exits
//! with an error if the two sides differ.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use xshell::cmd;

use super::is_wanted;
use super::programs::PORTING;
use crate::steps::{Failed, Steps, skipped};
use crate::tools::Tools;

/// What a check's program is given: the path of something that is there, or made for it.
#[derive(Clone, Copy)]
enum Given {
    Server,
    /// The program `tachograph`, its examples built too.
    Tachograph,
    /// The folder of these examples.
    Examples,
    /// The folder of a recording.
    Recording,
    /// An example of an endpoint with alerts.
    Endpoint(&'static str),
    /// The folder into which an example of a package has written so many random cases.
    Written(&'static str, &'static str, u32),
    /// The folder with the pages that the tests of examples and guides have seen.
    Pages,
    /// The folder for pictures of pages.
    Pictures,
    /// A program of Debian's `prometheus`: the installed one, or the one unpacked here.
    Prometheus(&'static str),
    /// A program of another package, without which the check is left out.
    Installed(&'static str),
    /// The script of axe-core, if there is one.
    Axe,
}

use Given::*;

/// The checks: the name of the program in `xtask/peers`, and its arguments.
const PEERS: [(&str, &[Given]); 14] = [
    ("events", &[Server]),
    ("metrics", &[Server, PROMTOOL]),
    // Pages of the examples, and of the documents' programs.
    ("examples", &[Pages, PROMTOOL]),
    ("deploy", &[Server, PROMTOOL]),
    ("fleet", &[Server, Prometheus("prometheus")]),
    // Registries with hostile names, tags and values in the Prometheus formats.
    ("hostile", &[Written("tachograph-export", "hostile", 1_000), PROMTOOL]),
    // Counters with colliding names that appear one after another.
    ("names", &[Written("tachograph-export", "names", 30), Prometheus("prometheus")]),
    // The same registries as OTLP, each in three rounds.
    ("otlp", &[Written("tachograph-export", "otlp", 300)]),
    // The real `tachograph top` in a real terminal, over a recording and over a running program.
    ("terminal", &[Recording, Tachograph, Examples, Installed("/usr/bin/tmux")]),
    // Alert rules as `tachograph rules --prometheus` writes them.
    ("rules", &[Recording, Tachograph, PROMTOOL]),
    // The page in a browser, before a program with up to 1,000 series more than its own. Leaves
    // pictures of every view in `target/peers/pictures`.
    ("page", &[Endpoint("page"), Pictures, Axe]),
    // Reports of recordings, opened from disk, with pictures beside those of the page.
    ("report", &[Recording, Tachograph, Pictures, Axe]),
    // Random rules over random gauges, with the states that our engine computes.
    ("alerts", &[Written("tachograph-alert", "promtool", 100), PROMTOOL]),
    // The alerts of a program before a real Alertmanager, which is down for a minute.
    ("alertmanager", &[Endpoint("alertmanager"), Installed("/usr/bin/prometheus-alertmanager")]),
];

const PROMTOOL: Given = Prometheus("promtool");

pub(crate) fn names() -> [&'static str; PEERS.len()] {
    PEERS.map(|(name, _)| name)
}

/// Runs the named checks, or all of them.
pub(crate) fn run(tools: &Tools, steps: &mut Steps, names: &[String]) -> Result<(), Failed> {
    let peers = Peers { tools, folder: tools.target("peers") };
    let mut is_ready = false;
    steps.run("peers: programs", || match peers.prepare() {
        Ok(remark) => {
            is_ready = true;
            Ok(remark)
        }
        Err(error) => skipped(&format!("{error:#}")),
    })?;
    for (name, given) in PEERS.iter().filter(|(name, _)| is_ready && is_wanted(names, name)) {
        steps.run(&format!("peers: {name}"), || peers.check(name, given))?;
    }
    Ok(())
}

/// What the checks need besides a Rust toolchain, in a folder of their own.
struct Peers<'a> {
    tools: &'a Tools,
    folder: PathBuf,
}

impl Peers<'_> {
    /// Installs missing programs if allowed, finds those that all need, and builds the server.
    fn prepare(&self) -> Result<String> {
        let Self { tools, folder } = self;
        tools.shell.create_dir(folder)?;
        if tools.install {
            cmd!(tools.shell, "sh xtask/peers/install.sh {folder}").run()?;
        }
        let python = self.python();
        for program in [&python, &self.prometheus("promtool")] {
            let path = program.display();
            ensure!(program.is_file(), "there is no {path}: pass --install to fetch it");
        }
        tools.cargo("build --package ast-server --bin ast-server").run()?;
        Ok(python.display().to_string())
    }

    fn check(&self, name: &str, given: &[Given]) -> Result<String> {
        for it in given {
            if let Installed(program) = it
                && !Path::new(program).is_file()
            {
                return skipped(&format!("there is no {program}: pass --install as root"));
            }
        }
        let paths: Result<Vec<_>> =
            given.iter().filter_map(|it| self.path(*it).transpose()).collect();
        let (python, program) = (self.python(), format!("xtask/peers/{name}.py"));
        let run = cmd!(self.tools.shell, "{python} {program}").args(paths?).ignore_status();
        let output = run.output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            bail!("the peer disagrees ({})\n{said}{errors}", output.status);
        }
        // Its last line says what it has compared.
        Ok(said.trim_end().lines().next_back().unwrap_or_default().to_owned())
    }

    /// Python with the packages of `xtask/peers/requirements.txt`.
    fn python(&self) -> PathBuf {
        self.folder.join("python/bin/python")
    }

    fn prometheus(&self, program: &str) -> PathBuf {
        let system = Path::new("/usr/bin").join(program);
        if system.is_file() { system } else { self.folder.join("prometheus/usr/bin").join(program) }
    }

    fn path(&self, given: Given) -> Result<Option<PathBuf>> {
        let Self { tools, folder } = self;
        let built = tools.target("debug");
        Ok(Some(match given {
            Server => built.join("ast-server"),
            Examples => built.join("examples"),
            Pictures => folder.join("pictures"),
            Prometheus(program) => self.prometheus(program),
            Installed(program) => program.into(),
            Axe => {
                let script = folder.join("node/node_modules/axe-core/axe.min.js");
                return Ok(Some(script).filter(|it| it.is_file()));
            }
            Tachograph => {
                tools.cargo("build --package tachograph-cli --bins --examples").run()?;
                built.join("tachograph")
            }
            Endpoint(example) => {
                let build = "build --package tachograph-serve --features alerts --example";
                tools.cargo(build).arg(example).run()?;
                built.join("examples").join(example)
            }
            Recording => return self.path(Written("tachograph-cli", "recording", 600)),
            Written(package, example, count) => {
                let written = folder.join(example);
                let write = format!("run --package {package} --example {example} --");
                tools.cargo(&write).arg(&written).arg(count.to_string()).run()?;
                written
            }
            Pages => {
                let pages = folder.join("examples");
                tools.shell.remove_path(&pages)?;
                tools.shell.create_dir(&pages)?;
                for tests in ["--package examples", PORTING] {
                    let test = tools.cargo(&format!("test {tests}"));
                    test.env("TACHOGRAPH_PAGES", &pages).run()?;
                }
                pages
            }
        }))
    }
}
