//! Tasks that run other programs, one per file.

pub(crate) mod bench;
pub(crate) mod c;
pub(crate) mod fuzz;
pub(crate) mod instructions;
pub(crate) mod lints;
pub(crate) mod loom;
pub(crate) mod peers;
pub(crate) mod programs;
pub(crate) mod sanitize;

/// Whether an item is among those asked for: all are, if none is named.
fn is_wanted(names: &[String], name: &str) -> bool {
    names.is_empty() || names.iter().any(|wanted| wanted == name)
}
