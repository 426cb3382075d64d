//! Findings in a program's history: problems in plain words.
//!
//! Findings depend on the history alone, so a recording gives the same findings as the running
//! program. Cost: one pass over the stored frames for every series that a finding covers.

mod counted;
mod limits;
mod recorded;
mod tail;
mod view;

use serde::{Deserialize, Serialize};

use self::view::View;
use crate::history::History;

/// The severity of a finding, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something is lost or broken.
    Bad,
    /// Something needs attention soon.
    Warning,
    /// Worth knowing when reading the numbers.
    Note,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its severity.
    pub severity: Severity,
    /// The problem, in a few words.
    pub title: String,
    /// The numbers behind it.
    pub detail: String,
    /// What to try.
    pub advice: String,
    /// The display key of its series, if it concerns one.
    pub series: Option<String>,
}

/// All findings, worst first; empty if all is well.
pub fn findings(history: &History) -> Vec<Finding> {
    let view = View::new(history);
    let mut found: Vec<_> = recorded::nothing(&view).into_iter().collect();
    found.extend(counted::events(&view));
    found.extend(limits::overflowing(&view));
    found.extend(tail::grown(&view));
    found.extend(recorded::marks(&view));
    found.sort_by_key(|finding| finding.severity);
    found
}
