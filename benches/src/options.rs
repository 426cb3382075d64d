//! The command-line options of every bench.

use std::path::PathBuf;
use std::sync::OnceLock;

/// `cargo bench -p benches -- --quick --json FOLDER`, both optional. Other arguments are cargo's
/// own and are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Far fewer repeats: shows that everything works; the figures are rough.
    pub quick: bool,
    /// The folder in which each table is also written as a JSON file.
    pub json: Option<PathBuf>,
}

impl Options {
    /// This program's options.
    pub fn get() -> &'static Self {
        static OPTIONS: OnceLock<Options> = OnceLock::new();
        OPTIONS.get_or_init(|| Self::parse(std::env::args().skip(1)))
    }

    fn parse(arguments: impl IntoIterator<Item = String>) -> Self {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--json" => options.json = arguments.next().map(PathBuf::from),
                _ => {}
            }
        }
        options
    }

    /// `rounds`, or with `--quick` the fewest that still give a median.
    pub fn rounds(&self, rounds: usize) -> usize {
        if self.quick { rounds.min(9) } else { rounds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_adds_is_left_alone() {
        let parse = |line: &str| Options::parse(line.split_whitespace().map(str::to_owned));
        assert_eq!(parse("--bench"), Options::default());
        let json = Some(PathBuf::from("/a/b"));
        assert_eq!(parse("--json /a/b --quick --bench"), Options { quick: true, json });
        assert_eq!(parse("--quick").rounds(25), 9);
        assert_eq!(parse("").rounds(25), 25);
    }
}
