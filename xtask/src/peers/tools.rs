//! What the checks need beside a Rust toolchain: fetched where it is missing, into the build folder.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{self, Metadata};

/// The programs that the checks run.
#[derive(Debug)]
pub(super) struct Tools {
    /// Where the checks may leave their files.
    pub(super) folder: PathBuf,
    /// Python with the packages of `xtask/peers/requirements.txt`.
    pub(super) python: PathBuf,
    pub(super) promtool: PathBuf,
    pub(super) prometheus: PathBuf,
    /// `ast-server` as it stands.
    pub(super) server: PathBuf,
}

impl fmt::Display for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.prometheus.display(), self.python.display())
    }
}

const REQUIREMENTS: &str = "xtask/peers/requirements.txt";

impl Tools {
    /// Finds or fetches all of them.
    pub(super) fn install() -> Result<Self, String> {
        let metadata = Metadata::load()?;
        let folder = metadata.target_directory("peers");
        let told = |error| format!("cannot make {}: {error}", folder.display());
        std::fs::create_dir_all(&folder).map_err(told)?;
        let python = python(&folder.join("python"))?;
        let programs = prometheus(&folder)?;
        cargo::run(&mut cargo::cargo(["build", "--package", "ast-server", "--bin", "ast-server"]))?;
        Ok(Self {
            python,
            promtool: programs.join("promtool"),
            prometheus: programs.join("prometheus"),
            server: metadata.target_directory("debug").join("ast-server"),
            folder,
        })
    }
}

/// A virtual environment with the packages that are asked for, and no others.
fn python(folder: &Path) -> Result<PathBuf, String> {
    let python = folder.join("bin/python");
    if !python.is_file() {
        let made = cargo::run(Command::new("python3").args(["-m", "venv"]).arg(folder));
        made.map_err(|error| format!("{error}: python3 with venv is needed"))?;
    }
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    install.args(["--requirement", REQUIREMENTS]).current_dir(cargo::root());
    cargo::run(&mut install)
        .map_err(|error| format!("{error}: the packages of PyPI are needed"))?;
    Ok(python)
}

/// The folder of Debian's `prometheus` and `promtool`: those of the system, or of the package, which
/// is unpacked and not installed, so that no service starts.
fn prometheus(folder: &Path) -> Result<PathBuf, String> {
    let unpacked = folder.join("prometheus");
    let places = [PathBuf::from("/usr/bin"), unpacked.join("usr/bin")];
    let is_there = |place: &&PathBuf| place.join("promtool").is_file();
    if let Some(place) = places.iter().find(is_there) {
        return Ok(place.clone());
    }
    let needed = |error: String| {
        format!("{error}: Debian's package `prometheus` is needed (`apt-get install prometheus`)")
    };
    // The lists of a new machine are empty; without the right to fetch them they may be there.
    let _ = cargo::run(Command::new("apt-get").args(["update", "--quiet"]));
    let mut download = Command::new("apt-get");
    download.args(["download", "prometheus"]).current_dir(folder);
    cargo::run(&mut download).map_err(needed)?;
    let package = package_in(folder).ok_or_else(|| needed("nothing was fetched".to_owned()))?;
    cargo::run(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(&unpacked))
        .map_err(needed)?;
    // Err: it stays, and is in nobody's way.
    let _ = std::fs::remove_file(package);
    Ok(unpacked.join("usr/bin"))
}

fn package_in(folder: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).ok()?;
    files
        .flatten()
        .map(|file| file.path())
        .find(|path| path.extension().is_some_and(|e| e == "deb"))
}
