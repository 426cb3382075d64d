//! The binary: how the tests run it and read what it says.

use std::path::Path;
use std::process::{Command, Output};

/// The binary, with nothing of the environment that changes what it logs.
pub(crate) fn ast_server() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ast-server"));
    command.env_remove("RUST_LOG");
    command
}

pub(crate) fn run(args: &[&str]) -> Output {
    ast_server().args(args).output().expect("the binary runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// The message of a command that fails.
pub(crate) fn failure(args: &[&str], code: i32) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", text(&output.stdout));
    assert_eq!(text(&output.stdout), "", "{args:?}: errors go to standard error");
    text(&output.stderr)
}

pub(crate) fn utf8(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}
