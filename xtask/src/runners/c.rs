//! `cargo xtask c`: installs the C interface, and checks it as its users would use it: programs in
//! C and C++ that find it with pkg-config, under gcc's sanitizers, with real traffic.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use xshell::cmd;

use super::c_traffic;
use crate::steps::{Failed, Steps, skipped};
use crate::tools::{self, Tools};

#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Only install: headers, libraries and the pkg-config file.
    #[arg(long, value_name = "FOLDER")]
    prefix: Option<PathBuf>,
    /// Measure what a record costs from C, beside the same from Rust.
    #[arg(long, conflicts_with = "prefix")]
    cost: bool,
}

const PACKAGE: &str = "tachograph-c";
const FOLDER: &str = "crates/tachograph-c";
const HEADERS: [&str; 2] = ["tachograph.h", "tachograph.hpp"];

const WARNINGS: &str = "-Wall -Wextra -Wpedantic -Wconversion -Werror -g";
const SANITIZED: &str = "-O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined";
const PLAIN: &str = "-O2";

/// How a program gets the library.
#[derive(Clone, Copy, Debug)]
enum Linkage {
    Shared,
    Static,
}

pub(crate) fn run(tools: &Tools, steps: &mut Steps, options: &Options) -> Result<(), Failed> {
    if let Some(prefix) = &options.prefix {
        let install = || Installed::new(tools, prefix).map(|_| prefix.display().to_string());
        return steps.run("c: install", install);
    }
    for program in ["gcc", "g++", "pkg-config"] {
        if !tools.has(&format!("{program} --version"), &tools::debian(program)) {
            return steps.run("c", || skipped(&format!("{program} is missing")));
        }
    }
    let prefix = tools.target("c");
    let mut installed = None;
    steps.run("c: install", || {
        installed = Some(Installed::new(tools, &prefix)?);
        Ok(prefix.display().to_string())
    })?;
    let Some(installed) = installed else { return Ok(()) };
    if options.cost {
        return steps.run("c: cost", || installed.cost());
    }
    for linkage in [Linkage::Shared, Linkage::Static] {
        steps.run(&format!("c: misuse, {linkage:?}"), || installed.misuse(linkage))?;
        for source in ["echo.c", "echo.cpp"] {
            steps.run(&format!("c: {source}, {linkage:?}"), || {
                let source = format!("examples/{source}");
                let program = installed.build(&source, linkage, SANITIZED)?;
                c_traffic::drive(&program)
            })?;
        }
    }
    Ok(())
}

/// The library under a prefix.
struct Installed<'a> {
    tools: &'a Tools,
    prefix: PathBuf,
}

impl<'a> Installed<'a> {
    fn new(tools: &'a Tools, prefix: &Path) -> Result<Self> {
        ensure!(cfg!(target_os = "linux"), "only Linux's file names are known here");
        let prefix = std::path::absolute(prefix)?;
        let installed = Self { tools, prefix };
        installed.install()?;
        Ok(installed)
    }

    fn install(&self) -> Result<()> {
        let shell = &self.tools.shell;
        let packages = self.tools.metadata.workspace_packages();
        let package = packages.iter().find(|package| package.name.as_str() == PACKAGE);
        let version = &package.context("the package is gone")?.version;
        // The interface may change with each minor version until 1.0.
        let name = format!("libtachograph.so.{}.{}", version.major, version.minor);

        let build = format!("rustc --release --package {PACKAGE} --lib --crate-type");
        let soname = format!("link-arg=-Wl,-soname,{name}");
        self.tools.cargo(&format!("{build} cdylib -- -C {soname}")).run()?;
        self.tools.cargo(&format!("{build} staticlib")).run()?;

        let (include, lib) = (self.prefix.join("include"), self.lib());
        shell.create_dir(&include)?;
        shell.create_dir(lib.join("pkgconfig"))?;
        for header in HEADERS {
            shell.copy_file(format!("{FOLDER}/include/{header}"), include.join(header))?;
        }
        let built = self.tools.target("release");
        shell.copy_file(built.join("libtachograph_c.so"), lib.join(&name))?;
        shell.copy_file(built.join("libtachograph_c.a"), lib.join("libtachograph.a"))?;
        let link = lib.join("libtachograph.so");
        cmd!(shell, "ln -sf {name} {link}").quiet().run()?;
        let template = shell.read_file(format!("{FOLDER}/tachograph.pc.in"))?;
        let prefix = self.prefix.display().to_string();
        let filled = template.replace("@prefix@", &prefix);
        let filled = filled.replace("@version@", &version.to_string());
        shell.write_file(lib.join("pkgconfig/tachograph.pc"), filled)?;
        Ok(())
    }

    fn lib(&self) -> PathBuf {
        self.prefix.join("lib")
    }

    /// Builds a program with warnings as errors.
    fn build(&self, source: &str, linkage: Linkage, flags: &str) -> Result<PathBuf> {
        let path = Path::new(FOLDER).join(source);
        let (compiler, standard) = match path.extension().is_some_and(|it| it == "cpp") {
            true => ("g++", "-std=c++11"),
            false => ("gcc", "-std=c11"),
        };
        let name = source.replace(['/', '.'], "_");
        let program = self.prefix.join(format!("{name}_{linkage:?}"));
        let build = cmd!(self.tools.shell, "{compiler} {standard}")
            .args(WARNINGS.split(' '))
            .args(flags.split(' '));
        let build = build.args(self.package("--cflags")?).arg(&path).arg("-o").arg(&program);
        build.args(self.link(linkage)?).run()?;
        Ok(program)
    }

    fn link(&self, linkage: Linkage) -> Result<Vec<OsString>> {
        let lib = self.lib();
        Ok(match linkage {
            Linkage::Shared => {
                let mut shared = self.package("--libs")?;
                shared.push(format!("-Wl,-rpath,{}", lib.display()).into());
                shared
            }
            Linkage::Static => {
                let mut all = self.package("--static --libs")?;
                all.retain(|argument| argument != "-ltachograph");
                all.insert(0, lib.join("libtachograph.a").into());
                all
            }
        })
    }

    /// What pkg-config says.
    fn package(&self, arguments: &str) -> Result<Vec<OsString>> {
        let arguments = arguments.split(' ');
        let ask = cmd!(self.tools.shell, "pkg-config {arguments...} tachograph");
        let said = ask.env("PKG_CONFIG_PATH", self.lib().join("pkgconfig")).quiet().read()?;
        Ok(said.split_whitespace().map(OsString::from).collect())
    }

    /// Misuse fails no assertion and has no finding, and a handle that is not freed on purpose has
    /// one.
    fn misuse(&self, linkage: Linkage) -> Result<String> {
        let shell = &self.tools.shell;
        let plain = self.build("tests/c/misuse.c", linkage, PLAIN)?;
        cmd!(shell, "{plain}").run()?;
        let program = self.build("tests/c/misuse.c", linkage, SANITIZED)?;
        cmd!(shell, "{program}").run()?;
        let leak = cmd!(shell, "{program} leak").quiet().ignore_status().output()?;
        let told = String::from_utf8_lossy(&leak.stderr);
        ensure!(
            !leak.status.success() && told.contains("LeakSanitizer: detected memory leaks"),
            "a handle that is not freed was not found:\n{told}"
        );
        Ok(String::new())
    }

    /// The program `cost` runs the C loops of `benches/loops.c` twice: linked into it with the
    /// static library's code, and in a shared object with the shared library.
    fn cost(&self) -> Result<String> {
        let shell = &self.tools.shell;
        let (object, shared) = (self.prefix.join("loops.o"), self.prefix.join("libloops.so"));
        let source = format!("{FOLDER}/benches/loops.c");
        let compile = cmd!(shell, "gcc -std=c11 -O2 -fPIC").args(WARNINGS.split(' '));
        let compile = compile.args(self.package("--cflags")?).args(["-c", &source, "-o"]);
        compile.arg(&object).run()?;
        let link = cmd!(shell, "gcc -shared {object} -o {shared}");
        link.args(self.link(Linkage::Shared)?).run()?;
        let build = format!("rustc --profile bench --package {PACKAGE} --bench cost");
        let linked = format!("link-arg={}", object.display());
        let build = self.tools.cargo(&format!("{build} --message-format json -- -C"));
        let messages = build.arg(linked).read()?;
        let program = Tools::built(&messages, "cost")?;
        cmd!(shell, "{program} {shared}").run()?;
        Ok(String::new())
    }
}
