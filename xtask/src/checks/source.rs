//! Rust sources as the checks see them: lines, and which of them are code.

use anyhow::{Context, Result};
use xshell::cmd;

use crate::tools::{self, Tools};

/// A source file.
pub(super) struct Source {
    /// The path from the workspace's root, with slashes.
    pub(super) path: String,
    pub(super) text: String,
}

/// All sources that git knows or would add, in order.
pub(super) fn all(tools: &Tools) -> Result<Vec<Source>> {
    let list = "--cached --others --exclude-standard --deduplicate *.rs".split(' ');
    let paths = cmd!(tools.shell, "git ls-files {list...}").quiet().read()?;
    // What has been deleted is listed until the next commit.
    let there = paths.lines().filter(|path| tools::root().join(path).is_file());
    there.map(|path| Ok(Source { path: path.to_owned(), text: tools::read(path)? })).collect()
}

impl Source {
    /// The lines with their numbers, from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(i, line)| (i + 1, line))
    }

    /// The code on each line that has any, without its comment. Block comments are not used in this
    /// project.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let code = |line: &'_ str| line.find("//").map_or(line.len(), |comment| comment);
        let lines = self.lines().map(move |(number, line)| (number, line[..code(line)].trim()));
        lines.filter(|(_, code)| !code.is_empty())
    }

    /// The line where the module of unit tests begins, which is a file's last item.
    pub(super) fn unit_tests(&self) -> Option<usize> {
        let mut lines = self.lines().skip_while(|(_, line)| *line != "#[cfg(test)]");
        let (first, _) = lines.next()?;
        lines.next().filter(|(_, line)| line.starts_with("mod ") && line.ends_with('{'))?;
        Some(first)
    }

    pub(super) fn syntax(&self) -> Result<syn::File> {
        syn::parse_file(&self.text).with_context(|| self.path.clone())
    }
}

#[cfg(test)]
impl Source {
    pub(super) fn new(path: &str, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), text: text.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_and_comments_are_no_code_and_unit_tests_are_found() {
        let text = "//! A page.\nuse a; // why\n\n    // no\nfn f() {}\n#[cfg(test)]\nuse b;\n\
                    #[cfg(test)]\nmod tests {\n}\n";
        let source = Source::new("a.rs", text);
        let code: Vec<_> = source.code().take(2).collect();
        assert_eq!(code, [(2, "use a;"), (5, "fn f() {}")]);
        assert_eq!(source.unit_tests(), None, "the first `cfg(test)` is of another item");
        let text = "use a;\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(Source::new("a.rs", text).unit_tests(), Some(2));
    }
}
