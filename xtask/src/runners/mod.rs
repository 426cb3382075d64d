//! Tasks that run other programs, one per file.

pub(crate) mod bench;
pub(crate) mod c;
mod c_traffic;
pub(crate) mod demo;
pub(crate) mod fuzz;
pub(crate) mod instructions;
pub(crate) mod lints;
pub(crate) mod loom;
pub(crate) mod peers;
pub(crate) mod porting;
pub(crate) mod sanitize;
pub(crate) mod simulate;
pub(crate) mod tls;

use anyhow::{Result, bail};

/// The named items, or all of them if none is named.
fn chosen<'a, T>(all: &'a [T], names: &[String], name: fn(&T) -> &str) -> Result<Vec<&'a T>> {
    let is_known = |wanted: &&String| all.iter().any(|item| name(item) == **wanted);
    if let Some(unknown) = names.iter().find(|wanted| !is_known(wanted)) {
        let known: Vec<_> = all.iter().map(name).collect();
        bail!("`{unknown}` is none of: {}", known.join(", "));
    }
    let is_wanted = |item: &&T| names.is_empty() || names.iter().any(|wanted| wanted == name(item));
    Ok(all.iter().filter(is_wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_exists_can_be_asked_for() {
        let all = ["keys", "lane"];
        let chosen = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            chosen(&all, &names, |name| name).map_err(|error| error.to_string())
        };
        assert_eq!(chosen(&[]), Ok(all.iter().collect()));
        assert_eq!(chosen(&["lane"]), Ok(vec![&"lane"]));
        assert_eq!(chosen(&["kyes"]), Err("`kyes` is none of: keys, lane".to_owned()));
    }
}
