//! The words that threads of the core share: fields and statics of a type that comes through its
//! door.

use std::collections::BTreeSet;

use syn::visit::Visit;

use crate::source::Source;

const CORE: &str = "crates/tachograph/src/";

const DOOR: &str = "crates/tachograph/src/sync.rs";

/// What does not share: stand-ins of models, and what exists in unit tests only.
const OTHERS: [&str; 4] = ["model.rs", "fault/plan.rs", "fault/tests.rs", "simulation"];

/// What the door gives, and what of it is shared between threads.
const SHARED: [&str; 8] = [
    "ArcSwap",
    "ArrayQueue",
    "AtomicBool",
    "AtomicF64",
    "AtomicU64",
    "AtomicU8",
    "AtomicUsize",
    "OnceBox",
];
/// A mutex orders by itself; the rest is handles, guards and functions.
const NOT_SHARED: [&str; 7] =
    ["Arc", "Cache", "Mutex", "MutexGuard", "Ordering", "SingleWriter", "thread_local"];

/// Every shared word, as `file.rs` and the field's path in it.
pub(crate) fn words(sources: &[Source], problems: &mut Vec<String>) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for source in sources {
        let Some(file) = source.path.strip_prefix(CORE) else { continue };
        if source.path == DOOR {
            problems.extend(unknown(source));
        } else if !OTHERS.iter().any(|other| file.starts_with(other)) {
            let mut found = Words { file, words: &mut words };
            found.visit_file(&source.syntax);
        }
    }
    words
}

/// Names that the door gives and this list knows nothing of.
fn unknown(door: &Source) -> Vec<String> {
    let mut given = Given(Vec::new());
    given.visit_file(&door.syntax);
    let known = |name: &String| SHARED.contains(&&**name) || NOT_SHARED.contains(&&**name);
    let unknown = given.0.into_iter().filter(|name| !known(name));
    let told = unknown.map(|name| {
        format!("{DOOR}: gives `{name}`: say in xtask/src/shared.rs whether threads share it")
    });
    told.collect()
}

/// Names in `use` items, under the name that they get.
struct Given(Vec<String>);

impl<'ast> Visit<'ast> for Given {
    fn visit_use_name(&mut self, name: &'ast syn::UseName) {
        self.0.push(name.ident.to_string());
    }

    fn visit_use_rename(&mut self, name: &'ast syn::UseRename) {
        self.0.push(name.rename.to_string());
    }
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

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        for variant in &item.variants {
            let fields = variant.fields.iter();
            fields.for_each(|it| self.add(&it.ty, format!("{}::{}", item.ident, variant.ident)));
        }
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.add(&item.ty, item.ident.to_string());
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.add(&item.ty, item.ident.to_string());
    }
}

/// Whether a type is, or holds, one that is shared.
struct Names(bool);

impl<'ast> Visit<'ast> for Names {
    fn visit_ident(&mut self, name: &'ast syn::Ident) {
        self.0 |= SHARED.iter().any(|shared| name == shared);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, text: &str) -> (Vec<String>, Vec<String>) {
        let mut problems = Vec::new();
        let source = Source::parse(path, text).expect("Rust");
        (words(&[source], &mut problems).into_iter().collect(), problems)
    }

    #[test]
    fn fields_statics_and_aliases_are_found_through_what_they_are_wrapped_in() {
        let text = "struct A { plain: u64, word: [CachePadded<AtomicU64>; 3] }\n\
                    struct B(Arc<Mutex<u8>>, OnceBox<u8>);\nenum C { D(AtomicBool), E }\n\
                    static F: AtomicU8 = AtomicU8::new(0);\ntype G = Box<[OnceBox<u8>]>;\n\
                    fn f(word: &AtomicU64) {}\n";
        let words = ["a.rs A::word", "a.rs B::1", "a.rs C::D", "a.rs F", "a.rs G"];
        let words = words.map(str::to_owned).to_vec();
        assert_eq!(told("crates/tachograph/src/a.rs", text), (words, vec![]));
        for other in ["crates/tachograph/src/model.rs", "crates/live-set/src/a.rs"] {
            assert_eq!(told(other, text), (vec![], vec![]));
        }
    }

    #[test]
    fn a_type_of_the_door_that_nobody_has_judged_is_told() {
        let text = "pub(crate) use std::sync::{Arc, RwLock, atomic::AtomicU8};\n";
        let problem = "crates/tachograph/src/sync.rs: gives `RwLock`: say in \
                       xtask/src/shared.rs whether threads share it";
        assert_eq!(told(DOOR, text), (vec![], vec![problem.to_owned()]));
    }
}
