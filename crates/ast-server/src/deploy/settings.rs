//! What a deployment may be told.

use std::path::PathBuf;
use std::time::Duration;

use super::pace::Pace;

/// Where the servers are and how often they are scraped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The servers' metrics endpoints, `host:port`.
    pub targets: Vec<String>,
    /// The time between two scrapes; spans in rules are multiples of it. Whole milliseconds, not 0.
    pub scrape_interval: Duration,
    /// Alertmanagers, `host:port`. Without one, alerts are shown by Prometheus only.
    pub alertmanagers: Vec<String>,
    /// The file with the token that the servers ask for, as Prometheus sees it.
    pub token_file: Option<PathBuf>,
}

impl Default for Settings {
    /// One server on its default address, scraped every 15 s.
    fn default() -> Self {
        Self {
            targets: vec![crate::Addresses::default().http.to_string()],
            scrape_interval: Duration::from_secs(15),
            alertmanagers: Vec::new(),
            token_file: None,
        }
    }
}

impl Settings {
    pub(super) fn pace(&self) -> Pace {
        Pace::new(self.scrape_interval)
    }
}
