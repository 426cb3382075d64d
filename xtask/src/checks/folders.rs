//! Checks that the core's folders only use earlier ones, and that its files have no circular uses.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use syn::visit::Visit;

use super::source::Source;
use crate::steps::outcome;

const CORE: &str = "crates/tachograph/src/";

/// The folders in the order in which a sample travels: each may use those before it.
const ORDER: [&str; 9] =
    ["sync", "time", "series", "lane", "record", "read", "aggregate", "run", "testing"];

/// Files outside the folders that every folder may use.
const EVERYWHERE: &str = "limits";

/// The modules that each module's file uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

pub(super) fn check(sources: &[Source]) -> Result<String> {
    let uses = uses(sources)?;
    let mut problems: Vec<_> =
        uses.iter().flat_map(|(from, to)| to.iter().filter_map(|to| wrong_way(from, to))).collect();
    problems.extend(circle(&uses).map(|circle| {
        format!("files use each other in a circle: {}; move what they share", circle.join(" → "))
    }));
    outcome(&problems, format!("{} folders, {} files, no circle", ORDER.len(), uses.len()))
}

fn folder(module: &str) -> &str {
    module.split("::").next().unwrap_or_default()
}

fn wrong_way(from: &str, to: &str) -> Option<String> {
    let place = |module| ORDER.iter().position(|known| *known == folder(module));
    // The crate's root is not a folder: it re-exports what the folders have.
    let from_place = place(from)?;
    let fine = folder(to) == EVERYWHERE || place(to).is_some_and(|to| to <= from_place);
    (!fine).then(|| {
        format!("{from} uses {to}: a folder uses only earlier ones ({})", ORDER.join(", "))
    })
}

fn uses(sources: &[Source]) -> Result<Uses> {
    let files = sources.iter().filter_map(|source| Some((module(&source.path)?, source)));
    let files: BTreeMap<_, _> = files.collect();
    let known: BTreeSet<_> = files.keys().cloned().collect();
    let mut uses = Uses::new();
    for (module, source) in files.iter().filter(|(module, _)| folder(module) != "testing") {
        let mut visitor = Paths { module: module.clone(), known: &known, found: BTreeSet::new() };
        visitor.visit_file(&source.syntax()?);
        visitor.found.remove(module);
        uses.insert(module.clone(), visitor.found);
    }
    Ok(uses)
}

/// The module of a file in the core; `None` for the root and for other crates.
fn module(path: &str) -> Option<String> {
    let path = path.strip_prefix(CORE)?.strip_suffix(".rs")?;
    let path = path.strip_suffix("/mod").unwrap_or(path);
    (!["lib", "guide"].contains(&path)).then(|| path.replace('/', "::"))
}

/// The paths in a file, without its unit tests.
struct Paths<'a> {
    module: String,
    known: &'a BTreeSet<String>,
    found: BTreeSet<String>,
}

impl Paths<'_> {
    /// Notes the module that a path leads into: the longest part of it that is a file.
    fn note(&mut self, path: &[String]) {
        let mut whole: Vec<String> = self.module.split("::").map(str::to_owned).collect();
        let mut rest = path;
        match path.first().map(String::as_str) {
            Some("crate") => (whole.clear(), rest = &path[1..]).1,
            Some("self") => rest = &path[1..],
            Some("super") => {
                while rest.first().is_some_and(|first| first == "super") {
                    whole.pop();
                    rest = &rest[1..];
                }
            }
            // A module inside the file, or another crate: neither is a file of the core.
            _ => {}
        }
        whole.extend(rest.iter().cloned());
        while !whole.is_empty() {
            let module = whole.join("::");
            if self.known.contains(&module) {
                // `super` leads from a file's inner modules to the file itself, which does not
                // count.
                self.found.insert(module);
                return;
            }
            whole.pop();
        }
    }

    fn note_tree(&mut self, tree: &syn::UseTree, before: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.note_tree(&path.tree, before);
                before.pop();
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.note_tree(tree, before));
            }
            syn::UseTree::Name(name) if name.ident == "self" => self.note(before),
            syn::UseTree::Name(syn::UseName { ident })
            | syn::UseTree::Rename(syn::UseRename { ident, .. }) => {
                before.push(ident.to_string());
                self.note(before);
                before.pop();
            }
            syn::UseTree::Glob(_) => self.note(before),
        }
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        // Unit tests may use anything, and modules inside a file belong to that file.
        if item.ident != "tests" && item.content.is_none() {
            return;
        }
        if item.ident != "tests" {
            self.module.push_str(&format!("::{}", item.ident));
            syn::visit::visit_item_mod(self, item);
            self.module.truncate(self.module.len() - item.ident.to_string().len() - 2);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.note_tree(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|it| it.ident.to_string()).collect();
        if names.first().is_some_and(|first| ["crate", "super"].contains(&first.as_str())) {
            self.note(&names);
        }
        syn::visit::visit_path(self, path);
    }
}

/// A circle of files that use each other, if there is one.
fn circle(uses: &Uses) -> Option<Vec<String>> {
    let mut done = BTreeSet::new();
    uses.keys().find_map(|module| walk(module, uses, &mut Vec::new(), &mut done))
}

fn walk<'a>(
    module: &'a str,
    uses: &'a Uses,
    way: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Option<Vec<String>> {
    if let Some(start) = way.iter().position(|on_way| *on_way == module) {
        return Some(way[start..].iter().chain([&module]).map(ToString::to_string).collect());
    }
    if !done.insert(module) {
        return None;
    }
    way.push(module);
    let used = uses.get(module).into_iter().flatten();
    let found = used.into_iter().find_map(|used| walk(used, uses, way, done));
    way.pop();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(files: &[(&str, &str)]) -> Vec<String> {
        let source = |(path, text): &(&str, &str)| Source::new(&format!("{CORE}{path}"), *text);
        let sources: Vec<_> = files.iter().map(source).collect();
        let outcome = check(&sources).map_err(|error| error.to_string());
        outcome.err().map_or(Vec::new(), |told| told.lines().map(str::to_owned).collect())
    }

    #[test]
    fn a_folder_that_uses_a_later_one_is_told_unless_in_tests() {
        let late = "use crate::{limits::MAX, run::engine::{self, Core}};";
        let engine = ("run/engine.rs", "pub struct Core;");
        let limits = ("limits.rs", "");
        assert_eq!(told(&[("lane/block.rs", late), engine, limits]).len(), 1);
        assert_eq!(
            told(&[("lane/block.rs", "fn f() { crate::run::engine::g(); }"), engine]).len(),
            1
        );
        let test = format!("#[cfg(test)]\nmod tests {{ {late} }}");
        assert!(told(&[("lane/block.rs", &test), engine, limits]).is_empty());
        assert!(told(&[("testing/models.rs", late), engine, limits]).is_empty());
    }

    #[test]
    fn a_circle_is_told_whichever_way_its_files_are_named() {
        let a = ("read/a.rs", "use crate::read::b::B;");
        let b = ("read/b.rs", "use super::c;");
        assert!(
            told(&[a, b, ("read/c.rs", "use crate::sync::X;"), ("sync/mod.rs", "")]).is_empty()
        );
        let told = told(&[a, b, ("read/c.rs", "mod d { use crate::read::a::A; }")]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("read::a → read::b → read::c → read::a"), "{told:?}");
    }

    #[test]
    fn a_file_may_use_a_part_of_itself_and_the_part_it_but_not_both() {
        let parent = "mod part;\npub struct Whole;";
        let part = ("read/whole/part.rs", "use super::Whole;");
        assert!(told(&[("read/whole.rs", parent), part]).is_empty());
        let both = "mod part;\nuse part::Part;";
        assert_eq!(told(&[("read/whole.rs", both), part]).len(), 1);
    }
}
