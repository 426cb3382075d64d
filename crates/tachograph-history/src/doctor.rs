//! What is wrong with a program, in plain words: findings in its history.
//!
//! Each finding is a function from the history to text, so a recording tells the same as the running
//! program did. Costs a look at each remembered frame for every series that a finding is about.

mod counted;
mod limits;
mod recorded;
mod tail;
mod view;

use serde::{Deserialize, Serialize};

use self::view::View;
use crate::history::History;

/// How bad a finding is; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something is lost or broken.
    Bad,
    /// Something needs a look soon.
    Warning,
    /// Worth knowing when reading the numbers.
    Note,
}

/// Something that is worth telling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is, in a few words.
    pub title: String,
    /// The numbers that it stands on.
    pub detail: String,
    /// What to try.
    pub advice: String,
    /// The display key of the series that it is about, where it is about one.
    pub series: Option<String>,
}

/// All findings, the worst first; none where all is well.
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
