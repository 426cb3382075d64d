//! The words that threads of the core share, and the models that cover them.

use std::collections::BTreeSet;

use anyhow::Result;
use syn::visit::Visit;

use super::source::Source;

const CORE: &str = "crates/tachograph/src/";
const MODELS: &str = "loom-tests/tests/";

/// Not shared: the stand-ins of models, and code that only exists in unit tests.
const OTHERS: [&str; 4] = ["sync/stand_ins.rs", "sync/door.rs", "sync/fault/", "testing/"];

/// The door's types that threads share.
const SHARED: &str =
    "ArcSwap ArrayQueue AtomicBool AtomicF64 AtomicU32 AtomicU64 AtomicU8 AtomicUsize OnceBox";

/// Every shared field and static of the core, as `file.rs Type::field`.
pub(super) fn shared(sources: &[Source]) -> Result<BTreeSet<String>> {
    let mut words = BTreeSet::new();
    for source in sources {
        let Some(file) = source.path.strip_prefix(CORE) else { continue };
        if !OTHERS.iter().any(|other| file.starts_with(other)) {
            Words { file, words: &mut words }.visit_file(&source.syntax()?);
        }
    }
    Ok(words)
}

struct Words<'a> {
    file: &'a str,
    words: &'a mut BTreeSet<String>,
}

impl Words<'_> {
    fn add(&mut self, kind: &syn::Type, place: String) {
        let mut names = Names(false);
        names.visit_type(kind);
        if names.0 {
            self.words.insert(format!("{} {place}", self.file));
        }
    }
}

impl<'ast> Visit<'ast> for Words<'_> {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        for (i, field) in item.fields.iter().enumerate() {
            let name = field.ident.as_ref().map_or(i.to_string(), ToString::to_string);
            self.add(&field.ty, format!("{}::{name}", item.ident));
        }
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        variant.fields.iter().for_each(|field| self.add(&field.ty, variant.ident.to_string()));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.add(&item.ty, item.ident.to_string());
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.add(&item.ty, item.ident.to_string());
    }
}

/// Whether a type is or contains a shared one.
struct Names(bool);

impl<'ast> Visit<'ast> for Names {
    fn visit_ident(&mut self, name: &'ast syn::Ident) {
        self.0 |= SHARED.split(' ').any(|shared| name == shared);
    }
}

/// The models' names: each test of `loom-tests` calls `check` once, with a name and a floor.
pub(super) fn models(sources: &[Source], problems: &mut Vec<String>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for source in sources.iter().filter(|source| source.path.starts_with(MODELS)) {
        let path = &source.path;
        let (tests, checks) =
            (source.text.matches("#[test]"), source.text.match_indices("check(\""));
        if tests.count() != checks.clone().count() {
            problems.push(format!("{path}: each test must run one model with one `check`"));
        }
        for (at, head) in checks {
            let mut parts = source.text[at + head.len()..].splitn(2, '"');
            let name = parts.next().unwrap_or_default().to_owned();
            let floor = parts.next().and_then(|rest| rest.split(',').nth(1)).unwrap_or_default();
            // In a model with a single execution, no two threads interact.
            if floor.trim().replace('_', "").parse().is_ok_and(|floor: usize| floor < 2) {
                problems.push(format!("{path}: the floor of `{name}` must be at least 2"));
            }
            if !names.insert(name.clone()) {
                problems.push(format!("{path}: two models are called `{name}`"));
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_statics_and_aliases_are_found_through_their_wrappers() {
        let text = "struct A { plain: u64, word: [CachePadded<AtomicU64>; 3] }\n\
                    struct B(Arc<Mutex<u8>>, OnceBox<u8>);\nenum C { D(AtomicBool), E }\n\
                    static F: AtomicU8 = AtomicU8::new(0);\ntype G = Box<[OnceBox<u8>]>;\n\
                    fn f(word: &AtomicU64) {}\n";
        let of = |path: &str| shared(&[Source::new(path, text)]).expect("Rust");
        let words = ["a.rs A::word", "a.rs B::1", "a.rs D", "a.rs F", "a.rs G"];
        assert_eq!(of("crates/tachograph/src/a.rs"), words.map(str::to_owned).into());
        assert!(of("crates/tachograph/src/sync/stand_ins.rs").is_empty());
        assert!(of("crates/live-set/src/a.rs").is_empty());
    }

    #[test]
    fn a_test_without_a_model_and_a_floor_that_shows_nothing_are_told() {
        let told = |text: &str| {
            let mut problems = Vec::new();
            let names = models(&[Source::new("loom-tests/tests/a.rs", text)], &mut problems);
            (names.into_iter().collect::<Vec<_>>(), problems.len())
        };
        let fine = "#[test]\nfn a() {\n    check(\"one\", 1_200, || {});\n}\n";
        assert_eq!(told(fine), (vec!["one".to_owned()], 0));
        assert_eq!(told("#[test]\nfn a() {\n    body();\n}\n").1, 1);
        assert_eq!(told(&fine.replace("1_200", "1")).1, 1);
        assert_eq!(told(&format!("{fine}{fine}")).1, 1);
    }
}
