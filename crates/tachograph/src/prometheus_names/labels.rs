//! Labels: the keys of tags in Prometheus's grammar.

use crate::prometheus_names::claims::Claims;
use crate::prometheus_names::exported_names::{MetricNames, is_allowed, sanitized};

/// The wanted label, or else the key's own, or the next suffix to that if it is taken or reserved.
pub(super) fn claim_label<'a>(
    key: &str,
    wanted: Option<&str>,
    taken: impl Iterator<Item = &'a String>,
) -> String {
    let mut claims = Claims::default();
    taken.for_each(|label| claims.take(label));
    let natural = as_label(key);
    let wanted = wanted.filter(|wanted| as_label(wanted) == **wanted).unwrap_or(&natural);
    let free = Some(wanted).filter(|wanted| !is_reserved(wanted));
    claims.claim(free, &renameable(&natural), |label| vec![label.to_owned()])
}

impl MetricNames {
    /// The label of a tag key if no other key collides with it.
    pub fn own_label(key: &str) -> String {
        claim_label(key, None, std::iter::empty())
    }
}

pub(super) fn as_label(key: &str) -> String {
    sanitized(key, |c| is_allowed(c, false))
}

/// Whether exporters or Prometheus itself give the label a meaning.
fn is_reserved(label: &str) -> bool {
    matches!(label, "le" | "quantile") || label.starts_with("__")
}

/// A label that stays unreserved when a suffix is added; `_` would become `__1`.
fn renameable(label: &str) -> String {
    match label.trim_start_matches('_') {
        "" => "tag".to_owned(),
        rest if label.starts_with("__") => sanitized(rest, |_| true),
        _ => label.to_owned(),
    }
}
