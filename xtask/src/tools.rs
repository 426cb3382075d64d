//! The programs that tasks run: cargo, the nightly toolchain, and installable tools.

use std::iter;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, anyhow};
use cargo_metadata::{Message, Metadata, MetadataCommand};
use xshell::{Cmd, Shell, cmd};

/// A shell in the workspace's root, and cargo's metadata of the workspace.
pub(crate) struct Tools {
    pub(crate) shell: Shell,
    pub(crate) metadata: Metadata,
    /// Whether missing packages may be installed.
    pub(crate) install: bool,
}

/// The workspace's root.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// The content of a workspace file.
pub(crate) fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(root().join(path)).with_context(|| format!("cannot read {path}"))
}

/// Installs a package of Debian's. A new machine has no package lists; without permission to fetch
/// them, they may still be there.
pub(crate) fn debian(package: &str) -> String {
    format!("apt-get update --quiet; apt-get install --quiet --yes {package}")
}

/// Two workers, numbered, take one item after another: each keeps one core busy. A `Shell` cannot be
/// shared between threads, so each worker makes its own.
pub(crate) fn two_at_a_time<'a, T: Sync, R: Clone + Send>(
    items: &'a [T],
    work: impl Fn(usize, &mut dyn Iterator<Item = &'a T>) -> Result<Vec<R>> + Sync,
) -> Result<Vec<R>> {
    let left = Mutex::new(items.iter());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = &|worker| work(worker, &mut iter::from_fn(next));
    let done: Result<Vec<_>> = thread::scope(|scope| {
        let ended = [0, 1].map(|worker| scope.spawn(move || work(worker))).map(|it| it.join());
        ended.into_iter().map(|it| it.unwrap_or_else(|_| Err(anyhow!("a worker died")))).collect()
    });
    Ok(done?.concat())
}

impl Tools {
    pub(crate) fn new(install: bool) -> Result<Self> {
        let shell = Shell::new()?;
        shell.change_dir(root());
        let metadata = MetadataCommand::new()
            .current_dir(root())
            .other_options(["--locked".to_owned()])
            .exec()
            .context("is Cargo.lock up to date? `cargo metadata --locked` failed")?;
        Ok(Self { shell, metadata, install })
    }

    /// A subfolder of the build folder. Each build with its own flags needs one: otherwise every
    /// other build would start over.
    pub(crate) fn target(&self, name: &str) -> PathBuf {
        self.metadata.target_directory.join(name).into()
    }

    /// The cargo of the toolchain that runs this program, with arguments separated by spaces.
    pub(crate) fn cargo(&self, arguments: &str) -> Cmd<'_> {
        let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
        cmd!(self.shell, "{cargo}").args(arguments.split_whitespace())
    }

    /// The program that cargo says it has built of a target, in messages of its JSON format.
    pub(crate) fn built(messages: &str, target: &str) -> Result<PathBuf> {
        let artifacts = Message::parse_stream(messages.as_bytes()).filter_map(Result::ok);
        let mut programs = artifacts.filter_map(|message| match message {
            Message::CompilerArtifact(it) if it.target.name == target => it.executable,
            _ => None,
        });
        let program = programs.next();
        Ok(program.with_context(|| format!("cargo did not say where `{target}` is"))?.into())
    }

    /// The cargo of the nightly toolchain, the only one with sanitizers; `None` if it is missing.
    pub(crate) fn nightly(&self) -> Option<Cmd<'_>> {
        let has = cmd!(self.shell, "rustup run nightly cargo --version");
        let is_there = has.quiet().ignore_stdout().ignore_stderr().run().is_ok();
        is_there.then(|| cmd!(self.shell, "rustup run nightly cargo"))
    }

    /// Whether a program runs, after a line of the shell has installed it if allowed.
    pub(crate) fn has(&self, probe: &str, install: &str) -> bool {
        let is_there = || {
            let probe = cmd!(self.shell, "sh -c {probe}").quiet();
            probe.ignore_stdout().ignore_stderr().run().is_ok()
        };
        let installs = || self.install && cmd!(self.shell, "sh -c {install}").run().is_ok();
        is_there() || (installs() && is_there())
    }
}
