//! Running cargo in this workspace.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::steps::Outcome;

/// The workspace's root.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// A file of the workspace.
pub(crate) fn read(path: &str) -> Result<String, String> {
    let told = |error| format!("cannot read {path}: {error}");
    std::fs::read_to_string(root().join(path)).map_err(told)
}

/// A package of the workspace that a command cannot do without.
pub(crate) fn need_package(name: &str, folder: &str) -> Result<(), String> {
    if root().join(folder).join("Cargo.toml").is_file() {
        return Ok(());
    }
    Err(format!("there is no package `{name}`: it belongs in the folder `{folder}`"))
}

/// A cargo command in the workspace's root.
pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    // Set by cargo where it runs this program: the same toolchain.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// Runs a command with its output on the terminal.
pub(crate) fn run(command: &mut Command) -> Outcome {
    println!("   {}", told(command));
    match command.status() {
        Ok(status) if status.success() => Ok(String::new()),
        Ok(status) => Err(format!("`{}` ended with {status}", told(command))),
        Err(error) => Err(format!("`{}` could not be started: {error}", told(command))),
    }
}

/// A command as it is typed.
fn told(command: &Command) -> String {
    let set = command.get_envs().filter_map(|(name, value)| {
        Some(format!("{}={:?}", name.to_string_lossy(), value?.to_string_lossy()))
    });
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = [program].into_iter().chain(command.get_args());
    let words = words.map(|word| word.to_string_lossy().into_owned());
    set.chain(words).collect::<Vec<_>>().join(" ")
}

/// What cargo knows of the workspace and its dependencies.
#[derive(Debug)]
pub(crate) struct Metadata(Value);

/// A package of the lock graph.
#[derive(Debug)]
pub(crate) struct Package<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) rust_version: Option<&'a str>,
    /// Of the workspace itself.
    pub(crate) is_own: bool,
    pub(crate) dependencies: Vec<Dependency<'a>>,
}

/// What a package asks for, optional or not, on whatever platform.
#[derive(Debug)]
pub(crate) struct Dependency<'a> {
    pub(crate) name: &'a str,
    /// For tests, benches and examples only.
    pub(crate) is_dev: bool,
    /// Of the workspace itself.
    pub(crate) is_own: bool,
}

impl Metadata {
    /// Asks cargo, with the lock file as it is.
    pub(crate) fn load() -> Result<Self, String> {
        let mut command = cargo(["metadata", "--format-version", "1", "--locked"]);
        let output = command.stderr(Stdio::inherit()).output();
        let output = output.map_err(|error| format!("cargo could not be started: {error}"))?;
        if !output.status.success() {
            return Err("`cargo metadata --locked` failed: is Cargo.lock up to date?".to_owned());
        }
        Self::parse(&output.stdout)
    }

    pub(crate) fn parse(json: &[u8]) -> Result<Self, String> {
        let told = |error| format!("cargo's metadata is no JSON: {error}");
        serde_json::from_slice(json).map(Self).map_err(told)
    }

    /// Every package of the lock graph, whatever the platform.
    pub(crate) fn packages(&self) -> impl Iterator<Item = Package<'_>> {
        list(&self.0["packages"]).map(|package| Package {
            name: package["name"].as_str().unwrap_or_default(),
            version: package["version"].as_str().unwrap_or_default(),
            rust_version: package["rust_version"].as_str(),
            is_own: package["source"].is_null(),
            dependencies: list(&package["dependencies"]).map(Dependency::read).collect(),
        })
    }

    /// A folder below the one that builds go to.
    pub(crate) fn target_directory(&self, name: &str) -> PathBuf {
        Path::new(self.0["target_directory"].as_str().unwrap_or("target")).join(name)
    }
}

impl<'a> Dependency<'a> {
    fn read(json: &'a Value) -> Self {
        Self {
            name: json["name"].as_str().unwrap_or_default(),
            is_dev: json["kind"] == "dev",
            is_own: json["source"].is_null(),
        }
    }
}

fn list(json: &Value) -> impl Iterator<Item = &Value> {
    json.as_array().into_iter().flatten()
}
