//! The alert rules: three defaults, and those of a file.

use tachograph_alert::{InvalidRules, Rule, check, parse};
use tachograph_history::Definition;

use crate::server::ast_server::AstServer;

/// The default rules, as a rule file of [`tachograph_alert`].
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// The [default](DEFAULTS) rules.
pub fn defaults() -> Vec<Rule> {
    // A test reads them.
    parse(DEFAULTS).unwrap_or_default()
}

/// The rules of a file, and the defaults whose names it does not use. A rule with a default's name
/// replaces it; with `enabled = false` it silences it.
///
/// # Errors
/// Everything that is wrong with the text, including statistics and units that do not fit the
/// server's metrics.
pub fn rules(text: &str) -> Result<Vec<Rule>, InvalidRules> {
    let snapshot = AstServer::new().metrics().get_all_metrics();
    let mut rules = check(text, &Definition::all(&snapshot))?;
    let mut defaults = defaults();
    defaults.retain(|default| !rules.iter().any(|rule| rule.name == default.name));
    rules.extend(defaults);
    Ok(rules)
}
