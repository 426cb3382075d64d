//! `cargo xtask peers`: tests the server and the exporters against other people's programs.
//!
//! The checks are Python programs in `xtask/peers`: each prints what it has compared, and exits
//! with an error if the two sides differ.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use xshell::cmd;

use super::is_wanted;
use super::programs::PORTING;
use crate::steps::{Failed, Steps, skipped};
use crate::tools::Tools;

/// A check: its program in `xtask/peers` and its arguments.
struct Peer {
    name: &'static str,
    arguments: fn(&Peers<'_>) -> Result<Vec<PathBuf>>,
}

const PEERS: [Peer; 14] = [
    Peer { name: "events", arguments: |it| Ok(vec![it.server()]) },
    Peer { name: "metrics", arguments: |it| Ok(vec![it.server(), it.prometheus("promtool")]) },
    // Pages of the examples, and of the documents' programs.
    Peer { name: "examples", arguments: |it| Ok(vec![it.pages()?, it.prometheus("promtool")]) },
    Peer { name: "deploy", arguments: |it| Ok(vec![it.server(), it.prometheus("promtool")]) },
    Peer { name: "fleet", arguments: |it| Ok(vec![it.server(), it.prometheus("prometheus")]) },
    // Registries with hostile names, tags and values in the Prometheus formats.
    Peer {
        name: "hostile",
        arguments: |it| {
            let written = it.written("tachograph-export", "hostile", 1_000)?;
            Ok(vec![written, it.prometheus("promtool")])
        },
    },
    // Counters with colliding names that appear one after another.
    Peer {
        name: "names",
        arguments: |it| {
            let written = it.written("tachograph-export", "names", 30)?;
            Ok(vec![written, it.prometheus("prometheus")])
        },
    },
    // The same registries as OTLP, each in three rounds.
    Peer { name: "otlp", arguments: |it| Ok(vec![it.written("tachograph-export", "otlp", 300)?]) },
    // The real `tachograph top` in a real terminal, over a recording and over a running program.
    Peer {
        name: "terminal",
        arguments: |it| {
            let (tachograph, recording) = it.tachograph()?;
            Ok(vec![recording, tachograph, it.tools.target("debug").join("examples"), TMUX.into()])
        },
    },
    // Alert rules as `tachograph rules --prometheus` writes them.
    Peer {
        name: "rules",
        arguments: |it| {
            let (tachograph, recording) = it.tachograph()?;
            Ok(vec![recording, tachograph, it.prometheus("promtool")])
        },
    },
    // The page in a browser, before a program with up to 1,000 series more than its own. Leaves
    // pictures of every view in `target/peers/pictures`.
    Peer {
        name: "page",
        arguments: |it| {
            let program = it.example("page")?;
            let pictures = it.folder.join("pictures");
            Ok([program, pictures].into_iter().chain(it.axe()).collect())
        },
    },
    // Reports of recordings, opened from disk, with pictures beside those of the page.
    Peer {
        name: "report",
        arguments: |it| {
            let (tachograph, recording) = it.tachograph()?;
            let pictures = it.folder.join("pictures");
            Ok([recording, tachograph, pictures].into_iter().chain(it.axe()).collect())
        },
    },
    // Random rules over random gauges, with the states that our engine computes.
    Peer {
        name: "alerts",
        arguments: |it| {
            let written = it.written("tachograph-alert", "promtool", 100)?;
            Ok(vec![written, it.prometheus("promtool")])
        },
    },
    // The alerts of a program before a real Alertmanager, which is down for a minute.
    Peer {
        name: "alertmanager",
        arguments: |it| Ok(vec![it.example("alertmanager")?, ALERTMANAGER.into()]),
    },
];

/// Needs files of the system beside it, so that it has to be installed.
const ALERTMANAGER: &str = "/usr/bin/prometheus-alertmanager";
const TMUX: &str = "/usr/bin/tmux";
const BROWSER: &str = "/usr/bin/chromium";

const AXE: &str = "axe-core@4.14.1";

pub(crate) fn names() -> [&'static str; PEERS.len()] {
    PEERS.each_ref().map(|peer| peer.name)
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
    for peer in PEERS.iter().filter(|it| is_ready && is_wanted(names, it.name)) {
        steps.run(&format!("peers: {}", peer.name), || peers.check(peer))?;
    }
    Ok(())
}

/// What the checks need besides a Rust toolchain, in a folder of their own.
struct Peers<'a> {
    tools: &'a Tools,
    folder: PathBuf,
}

impl Peers<'_> {
    /// Finds all programs, installs missing ones if allowed, and builds the server.
    fn prepare(&self) -> Result<String> {
        self.tools.shell.create_dir(&self.folder)?;
        let python = self.python();
        if self.tools.install {
            self.install("tmux", TMUX);
            self.install("prometheus-alertmanager", ALERTMANAGER);
            self.install("chromium", BROWSER);
            self.install_python().context("python3 with venv and PyPI's packages are needed")?;
            self.unpack_prometheus().context("Debian's package `prometheus` is needed")?;
            self.install_axe();
        }
        for program in [&python, &self.prometheus("promtool")] {
            let path = program.display();
            ensure!(program.is_file(), "there is no {path}: pass --install to fetch it");
        }
        let build = ["build", "--package", "ast-server", "--bin", "ast-server"];
        self.tools.cargo().args(build).run()?;
        Ok(python.display().to_string())
    }

    fn check(&self, peer: &Peer) -> Result<String> {
        for (name, program) in [("terminal", TMUX), ("alertmanager", ALERTMANAGER)] {
            if peer.name == name && !Path::new(program).is_file() {
                return skipped(&format!("there is no {program}: pass --install as root"));
            }
        }
        let program = format!("xtask/peers/{}.py", peer.name);
        let (python, arguments) = (self.python(), (peer.arguments)(self)?);
        let run = cmd!(self.tools.shell, "{python} {program}").args(arguments).ignore_status();
        let output = run.output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            bail!("the peer disagrees ({})\n{said}{errors}", output.status);
        }
        // Its last line says what it has compared.
        Ok(said.trim_end().lines().next_back().unwrap_or_default().to_owned())
    }

    /// Python with exactly the packages of `xtask/peers/requirements.txt`.
    fn python(&self) -> PathBuf {
        self.folder.join("python/bin/python")
    }

    fn install_python(&self) -> Result<()> {
        let (shell, python) = (&self.tools.shell, self.python());
        if !python.is_file() {
            let folder = self.folder.join("python");
            cmd!(shell, "python3 -m venv {folder}").run()?;
        }
        let pip = cmd!(shell, "{python} -m pip install --quiet --disable-pip-version-check");
        pip.args(["--requirement", "xtask/peers/requirements.txt"]).run()?;
        Ok(())
    }

    /// A program of Debian's `prometheus`: the installed one, or the one unpacked here.
    fn prometheus(&self, program: &str) -> PathBuf {
        let system = Path::new("/usr/bin").join(program);
        if system.is_file() { system } else { self.folder.join("prometheus/usr/bin").join(program) }
    }

    /// Unpacks the package instead of installing it, so that no service starts.
    fn unpack_prometheus(&self) -> Result<()> {
        if self.prometheus("promtool").is_file() {
            return Ok(());
        }
        let shell = &self.tools.shell;
        // A new machine has no package lists. Without permission to fetch them, they may still be
        // there.
        let _ = cmd!(shell, "apt-get update --quiet").run();
        let _here = shell.push_dir(&self.folder);
        cmd!(shell, "apt-get download prometheus").run()?;
        let files = shell.read_dir(&self.folder)?;
        let package = files.into_iter().find(|file| file.extension().is_some_and(|it| it == "deb"));
        let package = package.context("nothing was fetched")?;
        cmd!(shell, "dpkg-deb --extract {package} prometheus").run()?;
        Ok(shell.remove_path(package)?)
    }

    /// The program `tachograph`, its examples built too, and the folder of a recording.
    fn tachograph(&self) -> Result<(PathBuf, PathBuf)> {
        let build = ["build", "--package", "tachograph-cli", "--bins", "--examples"];
        self.tools.cargo().args(build).run()?;
        let recording = self.written("tachograph-cli", "recording", 600)?;
        Ok((self.tools.target("debug").join("tachograph"), recording))
    }

    /// Installs a package of Debian's. Err: its check says that it is missing; the others do
    /// without.
    fn install(&self, package: &str, program: &str) {
        if !Path::new(program).is_file() {
            let shell = &self.tools.shell;
            let _ = cmd!(shell, "apt-get update --quiet").run();
            let install = ["install", "--quiet", "--yes", "--no-install-recommends"];
            let _ = cmd!(shell, "apt-get").args(install).arg(package).run();
        }
    }

    /// Without npm, or where it cannot fetch axe-core, the page is checked without.
    fn install_axe(&self) {
        let (shell, folder) = (&self.tools.shell, self.folder.join("node"));
        if self.axe().is_none() {
            let npm = cmd!(shell, "npm install --silent --no-audit --no-fund");
            let _ = npm.arg("--prefix").arg(folder).arg(AXE).run();
        }
    }

    /// The script of axe-core, which looks for what keeps people out of a page.
    fn axe(&self) -> Option<PathBuf> {
        let script = self.folder.join("node/node_modules/axe-core/axe.min.js");
        script.is_file().then_some(script)
    }

    /// An example of an endpoint with alerts, built.
    fn example(&self, example: &str) -> Result<PathBuf> {
        let build = ["build", "--package", "tachograph-serve", "--features", "alerts"];
        self.tools.cargo().args(build).args(["--example", example]).run()?;
        Ok(self.tools.target("debug/examples").join(example))
    }

    /// The path of `ast-server`.
    fn server(&self) -> PathBuf {
        self.tools.target("debug").join("ast-server")
    }

    /// The folder with the pages that the tests of examples and guides have seen.
    fn pages(&self) -> Result<PathBuf> {
        let folder = self.folder.join("examples");
        self.tools.shell.remove_path(&folder)?;
        self.tools.shell.create_dir(&folder)?;
        for tests in [&["test", "--package", "examples"][..], &[&["test"], &PORTING[..]].concat()] {
            self.tools.cargo().args(tests).env("TACHOGRAPH_PAGES", &folder).run()?;
        }
        Ok(folder)
    }

    /// The folder into which an example of a package has written `count` random cases.
    fn written(&self, package: &str, example: &str, count: u32) -> Result<PathBuf> {
        let folder = self.folder.join(example);
        let write = self.tools.cargo().args(["run", "--package", package, "--example", example]);
        write.arg("--").arg(&folder).arg(count.to_string()).run()?;
        Ok(folder)
    }
}
