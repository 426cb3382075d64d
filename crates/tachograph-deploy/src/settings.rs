//! The settings of a deployment.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::DeployError;
use crate::own::Own;

/// The settings of a deployment: the instances of the program, and how they are scraped.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The program's name: the label `job` of every target, and the first part of file names. Up to
    /// 200 letters, digits, `-` and `_`.
    pub job: String,
    /// The command that the files name as their origin.
    pub command: String,
    /// The metrics endpoints of the instances, as `host:port`.
    pub targets: Vec<String>,
    /// The time between two scrapes: whole milliseconds, at most 15 min, not 0. Time windows in rules are
    /// multiples of it.
    pub scrape_interval: Duration,
    /// The Alertmanagers, as `host:port`. Without one, alerts are only shown in Prometheus.
    pub alertmanagers: Vec<String>,
    /// The path at which Prometheus finds the file with the endpoints' bearer token.
    pub token_file: Option<PathBuf>,
    /// Additional alerts, rules and panels of the program.
    pub own: Own,
}

/// The most characters of a job: files are named after it.
const JOB_MAX: usize = 200;

impl Settings {
    /// Settings with a scrape interval of 15 s, without an Alertmanager and without a token.
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
        job_name(&self.job).map_err(|_| DeployError::job(&self.job))?;
        // It ends the comment that each file begins with.
        if self.command.contains(char::is_control) {
            return Err(DeployError::setting("the command", "has a line break".to_owned()));
        }
        check_interval(self.scrape_interval)
            .map_err(|expected| DeployError::setting("the scrape interval", expected))?;
        self.targets.iter().chain(&self.alertmanagers).try_for_each(|address| {
            let wrong = |expected| DeployError::setting(&format!("{address:?}"), expected);
            host_and_port(address).map(drop).map_err(wrong)
        })
    }

    /// The first line of each file: how it was made.
    pub(crate) fn origin(&self) -> String {
        format!("Written by `{}`. Changes here are lost when it runs again.", self.command)
    }

    /// The name of a rule file.
    pub(crate) fn file(&self, what: &str) -> String {
        format!("{}.{what}.yml", self.job)
    }

    /// The prefix of alert names: `AstServer` for `ast-server`.
    pub(crate) fn alert_prefix(&self) -> String {
        let capital = |word: &str| {
            let mut chars = word.chars();
            chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect::<String>()
        };
        self.job.split(['-', '_']).map(capital).collect()
    }

    /// The duration of this many scrapes, in Prometheus's notation.
    pub(crate) fn steps(&self, steps: u32) -> String {
        told(self.scrape_interval * steps)
    }
}

/// A duration as a whole number of the largest possible unit.
pub(crate) fn told(span: Duration) -> String {
    const UNITS: [(u128, &str); 3] = [(3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let millis = span.as_millis();
    let unit = UNITS.into_iter().find(|(unit, _)| millis > 0 && millis.is_multiple_of(*unit));
    let (unit, name) = unit.unwrap_or((1, "ms"));
    format!("{}{name}", millis / unit)
}

/// Parses a program's name in Prometheus, a [job](Settings::job).
///
/// # Errors
/// A message with the expected form.
pub fn job_name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if (1..=JOB_MAX).contains(&text.len()) && text.chars().all(is_plain) {
        return Ok(text.to_owned());
    }
    Err("expected up to 200 letters, digits, `-` and `_`, because files are named after it"
        .to_owned())
}

/// Parses the address of a target or an Alertmanager, as `host:port`.
///
/// # Errors
/// A message with the expected form.
pub fn host_and_port(text: &str) -> Result<String, String> {
    let parts = text.rsplit_once(':');
    let is_good = parts.is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains(['/', ' ']) && port.parse::<u16>().is_ok_and(|it| it > 0)
    });
    if is_good {
        Ok(text.to_owned())
    } else {
        Err("expected a host and a port, such as localhost:9464".to_owned())
    }
}

/// The bounds of scrape intervals. Rules look back 40 scrapes: 10 hours at the longest.
const INTERVALS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(15 * 60);

/// Parses a scrape interval, such as `15s`: whole milliseconds, at most 15 min.
///
/// # Errors
/// A message with the range.
pub fn scrape_interval(text: &str) -> Result<Duration, String> {
    let interval = time_in(INTERVALS)(text)?;
    check_interval(interval)?;
    Ok(interval)
}

/// A parser of times within a range, such as `90s` or `1h30m`. Its errors name the range.
pub fn time_in(
    range: RangeInclusive<Duration>,
) -> impl Fn(&str) -> Result<Duration, String> + Clone {
    move |text| {
        let (least, most) = (told(*range.start()), told(*range.end()));
        let expected = format!("expected a time such as 15s, at least {least} and at most {most}");
        match humantime::parse_duration(text) {
            Ok(time) if range.contains(&time) => Ok(time),
            _ => Err(expected),
        }
    }
}

fn check_interval(interval: Duration) -> Result<(), String> {
    let is_whole = interval.subsec_nanos().is_multiple_of(1_000_000);
    if !is_whole || !INTERVALS.contains(&interval) {
        return Err("expected whole milliseconds, at least 1ms and at most 15m".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_of_its_range_is_refused_with_the_range() {
        let read = time_in(Duration::from_secs(1)..=Duration::from_secs(7_200));
        let within = ["1s", "1000ms", "1h 59m", "2h"].map(|text| read(text).expect(text).as_secs());
        assert_eq!(within, [1, 1, 7_140, 7_200]);
        for text in
            ["-1", "-1s", "0", "0s", "999ms", "2h 1ns", "9999999999999999999y", "", "s", "1"]
        {
            let told = read(text).expect_err(text);
            assert!(told.contains("at least 1s and at most 2h"), "{text}: {told}");
        }
    }

    #[test]
    fn durations_are_whole_numbers_of_the_largest_possible_unit() {
        let millis = [0, 500, 1_500, 15_000, 90_000, 300_000, 7_200_000];
        let told = millis.map(|millis| told(Duration::from_millis(millis)));
        assert_eq!(told, ["0ms", "500ms", "1500ms", "15s", "90s", "5m", "2h"]);
    }
}
