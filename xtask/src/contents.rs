//! Whether each `lib.rs` is a contents page: short, with every export by its name.

use syn::visit::Visit;

use crate::source::Source;
use crate::steps::Outcome;
use crate::tidy::outcome;

/// Lines of a `lib.rs`, comments included, are fewer.
const LINES: usize = 120;

pub(crate) fn check(sources: &[Source]) -> Outcome {
    let problems: Vec<_> = sources.iter().flat_map(problems).collect();
    outcome(&problems, String::new())
}

fn problems(source: &Source) -> Vec<String> {
    let path = &source.path;
    let mut globs = Globs(Vec::new());
    globs.visit_file(&source.syntax);
    let told = |line| format!("{path}:{line}: a glob is exported: name what it stands for");
    let mut problems: Vec<_> = globs.0.into_iter().map(told).collect();
    let lines = source.lines.len();
    if path.ends_with("src/lib.rs") && lines >= LINES {
        problems.push(format!(
            "{path}: {lines} lines, must be under {LINES}: it is a contents page, move code to a \
             file of its own and examples to a guide"
        ));
    }
    problems
}

/// Lines of `pub use` with a glob.
struct Globs(Vec<usize>);

impl<'ast> Visit<'ast> for Globs {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if matches!(item.vis, syn::Visibility::Public(_)) && has_glob(&item.tree) {
            self.0.push(item.use_token.span.start().line);
        }
    }
}

fn has_glob(tree: &syn::UseTree) -> bool {
    match tree {
        syn::UseTree::Glob(_) => true,
        syn::UseTree::Path(path) => has_glob(&path.tree),
        syn::UseTree::Group(group) => group.items.iter().any(has_glob),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, text: &str) -> Vec<String> {
        problems(&Source::parse(path, text).expect("Rust"))
    }

    #[test]
    fn a_glob_that_is_exported_is_told() {
        let text =
            "use a::*;\npub use b::{c, d};\npub use e::{f, g::*};\nmod h {\n    pub use i::*;\n}\n";
        let expected =
            [3, 5].map(|line| format!("a.rs:{line}: a glob is exported: name what it stands for"));
        assert_eq!(told("a.rs", text), expected);
    }

    #[test]
    fn only_a_contents_page_must_be_short() {
        let long = "//! x\n".repeat(LINES);
        assert_eq!(told("crates/a/src/a.rs", &long), [""; 0]);
        assert_eq!(told("crates/a/src/lib.rs", &long[6..]), [""; 0]);
        let told = told("crates/a/src/lib.rs", &long);
        assert!(
            told[0].starts_with("crates/a/src/lib.rs: 120 lines, must be under 120: "),
            "{told:?}"
        );
    }
}
