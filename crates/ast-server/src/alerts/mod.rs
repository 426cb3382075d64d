//! The rules of alerts: three that are always there, and those of a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use tachograph::Series;
use tachograph_alert::{Rule, RuleError, check, parse};
use tachograph_history::Definition;

use crate::server::ast_server::AstServer;

/// The rules that are in place unless others of their names are, in the language of
/// [`tachograph_alert`].
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// The [default](DEFAULTS) rules.
pub fn defaults() -> Vec<Rule> {
    // A test reads them.
    parse(DEFAULTS).unwrap_or_default()
}

/// The rules of a file, and the default ones whose names it does not use. A rule of a default one's
/// name with `enabled = false` silences it.
///
/// # Errors
/// Everything that is wrong with the text, by line and column: a statistic or a unit that one of the
/// server's metrics does not have included.
pub fn rules(text: &str) -> Result<Vec<Rule>, Vec<RuleError>> {
    let mut rules = check(text, &definitions())?;
    // Rules that are switched off have a name, too.
    let file = text.parse::<toml::Table>().unwrap_or_default();
    let named = file.get("rule").and_then(toml::Value::as_array).into_iter().flatten();
    let named: Vec<_> = named.filter_map(|rule| rule.get("name")?.as_str()).collect();
    rules.extend(defaults().into_iter().filter(|rule| !named.contains(&&*rule.name)));
    Ok(rules)
}

/// Every series that a server has from its start.
fn definitions() -> Vec<Definition> {
    let snapshot = AstServer::new().metrics().get_all_metrics();
    let definition = |series: &Arc<Series>| Definition {
        number: 0,
        key: Arc::clone(&series.key),
        name: Arc::clone(&series.metric.name),
        tags: series.tags.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        kind: series.metric.kind,
        unit: series.metric.unit.clone(),
        description: Arc::clone(&series.metric.description),
        exported_name: String::new(),
        labels: BTreeMap::new(),
    };
    snapshot.series().iter().map(definition).collect()
}
