//! What a deployment may be told.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::DeployError;
use crate::own::Own;

/// Where the program's instances are, and how often they are scraped.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The `job` label of every target, and the first part of file names: the program's name.
    /// Letters, digits, `-` and `_`.
    pub job: String,
    /// The command that writes the files, as they name it.
    pub command: String,
    /// The instances' metrics endpoints, `host:port`.
    pub targets: Vec<String>,
    /// The time between two scrapes; spans in rules are multiples of it. Whole milliseconds, not 0.
    pub scrape_interval: Duration,
    /// Alertmanagers, `host:port`. Without one, only Prometheus shows alerts.
    pub alertmanagers: Vec<String>,
    /// The file with the token that the endpoints ask for, as Prometheus sees it.
    pub token_file: Option<PathBuf>,
    /// Alerts, rules and panels of the program's own.
    pub own: Own,
}

impl Settings {
    /// Scraped every 15 s, without an Alertmanager or a token, by the command `tachograph deploy`.
    pub fn new(
        job: impl Into<String>,
        targets: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            job: job.into(),
            command: "tachograph deploy".to_owned(),
            targets: targets.into_iter().map(Into::into).collect(),
            scrape_interval: Duration::from_secs(15),
            alertmanagers: Vec::new(),
            token_file: None,
            own: Own::default(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), DeployError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let is_good = !self.job.is_empty() && self.job.chars().all(is_plain);
        if is_good { Ok(()) } else { Err(DeployError::job(&self.job)) }
    }

    /// What the files say of where they come from.
    pub(crate) fn origin(&self) -> String {
        format!("Written by `{}`. Changes here are lost when it runs again.", self.command)
    }

    /// The name of a file of rules.
    pub(crate) fn file(&self, what: &str) -> String {
        format!("{}.{what}.yml", self.job)
    }

    /// What names of alerts start with: `ast-server` as `AstServer`.
    pub(crate) fn alert_prefix(&self) -> String {
        let capital = |word: &str| {
            let mut chars = word.chars();
            chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect::<String>()
        };
        self.job.split(['-', '_']).map(capital).collect()
    }

    /// So many scrapes, as Prometheus writes a duration.
    pub(crate) fn steps(&self, steps: u32) -> String {
        told(self.scrape_interval * steps)
    }
}

/// A duration in the largest unit that leaves no rest.
pub(crate) fn told(span: Duration) -> String {
    const UNITS: [(u128, &str); 3] = [(3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let millis = span.as_millis();
    let unit = UNITS.into_iter().find(|(unit, _)| millis > 0 && millis.is_multiple_of(*unit));
    let (unit, name) = unit.unwrap_or((1, "ms"));
    format!("{}{name}", millis / unit)
}

/// Reads a target or an Alertmanager: `host:port`.
///
/// # Errors
/// What it should look like.
pub fn host_and_port(text: &str) -> Result<String, String> {
    let parts = text.rsplit_once(':');
    let is_good = parts.is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains(['/', ' ']) && port.parse::<u16>().is_ok_and(|it| it > 0)
    });
    if is_good {
        Ok(text.to_owned())
    } else {
        Err("expected a host and a port: localhost:9464".to_owned())
    }
}

/// Rules look back 40 scrapes; beyond this they would look back half a day.
const INTERVAL_MAX: Duration = Duration::from_secs(15 * 60);

/// Reads a scrape interval, such as `15s`: whole milliseconds, at most 15 min.
///
/// # Errors
/// What it should look like.
pub fn scrape_interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| format!("{error}; try 15s"))?;
    if interval.subsec_nanos() % 1_000_000 != 0 || interval.is_zero() || interval > INTERVAL_MAX {
        return Err("expected whole milliseconds, at most 15m".to_owned());
    }
    Ok(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_the_unit_that_leaves_no_rest() {
        let millis = [0, 500, 1_500, 15_000, 90_000, 300_000, 7_200_000];
        let told = millis.map(|millis| told(Duration::from_millis(millis)));
        assert_eq!(told, ["0ms", "500ms", "1500ms", "15s", "90s", "5m", "2h"]);
    }
}
