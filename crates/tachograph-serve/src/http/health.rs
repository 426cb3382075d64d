//! Health: whether the collector keeps up, and whether there is anything to read yet.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use tachograph::Snapshot;

/// The answer of `/health`.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Health {
    status: Status,
    /// The reasons of the program's own checks that fail.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    failing: BTreeMap<String, String>,
    /// Why the recording has ended, which alone is no reason for 503.
    #[serde(skip_serializing_if = "Option::is_none")]
    recording_ended: Option<String>,
    /// The time since the last snapshot was published.
    snapshot_age_seconds: f64,
    snapshot_version: u64,
    uptime_seconds: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// The last snapshot is fresh.
    Ok,
    /// Recording is off, so the last snapshot may be old.
    Disabled,
    /// Recording is on, but nothing is published: the aggregator stalls or has ended.
    Stale,
    /// One of the program's own checks fails.
    Failing,
}

/// The program's own checks.
#[derive(Clone, Default)]
pub(crate) struct Checks(Vec<(String, Arc<Check>)>);

type Check = dyn Fn() -> Result<(), String> + Send + Sync;

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Checks {
    pub(crate) fn add(&mut self, name: String, check: Arc<Check>) {
        self.0.push((name, check));
    }

    /// Runs all checks. One that panics counts as failing.
    fn failing(&self) -> BTreeMap<String, String> {
        let run = |check: &Check| match catch_unwind(AssertUnwindSafe(check)) {
            Ok(outcome) => outcome.err(),
            Err(_) => Some("the check panicked".to_owned()),
        };
        self.0.iter().filter_map(|(name, check)| Some((name.clone(), run(&**check)?))).collect()
    }
}

impl Health {
    pub(crate) fn of(
        snapshot: &Snapshot,
        enabled: bool,
        now: SystemTime,
        stale_after: Duration,
    ) -> Self {
        // If the wall clock was set back, the snapshot looks new until the next one.
        let age = now.duration_since(snapshot.timestamp()).unwrap_or(Duration::ZERO);
        let status = match enabled {
            false => Status::Disabled,
            true if age > stale_after => Status::Stale,
            true => Status::Ok,
        };
        Self {
            status,
            failing: BTreeMap::new(),
            recording_ended: None,
            snapshot_age_seconds: age.as_secs_f64(),
            snapshot_version: snapshot.version(),
            uptime_seconds: snapshot.uptime().as_secs_f64(),
        }
    }

    /// Adds the results of the program's own checks.
    pub(crate) fn checked(mut self, checks: &Checks) -> Self {
        self.failing = checks.failing();
        if !self.failing.is_empty() {
            self.status = Status::Failing;
        }
        self
    }

    /// Adds why the recording has ended, if it has.
    pub(crate) fn recorded(self, recording_ended: Option<String>) -> Self {
        Self { recording_ended, ..self }
    }

    pub(crate) fn is_good(&self) -> bool {
        matches!(self.status, Status::Ok | Status::Disabled)
    }

    /// Whether a scrape shows what was recorded: something has been published since the collector
    /// was created, or nothing will be.
    pub(crate) fn is_ready(&self) -> bool {
        // A collector starts with a first, empty snapshot.
        self.snapshot_version > 1 || self.status == Status::Disabled
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tachograph::MetricsCollector;

    use super::*;

    #[test]
    fn a_snapshot_is_stale_by_its_age_while_recording_is_on() {
        let metrics = MetricsCollector::builder().manual().build();
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        metrics.run_pass(Instant::now(), at(1_000));
        let snapshot = metrics.snapshot();
        let status =
            |enabled, now| Health::of(&snapshot, enabled, at(now), Duration::from_secs(5)).status;
        assert_eq!(status(true, 1_005), Status::Ok);
        assert_eq!(status(true, 1_006), Status::Stale);
        assert_eq!(status(false, 1_006), Status::Disabled);
        assert_eq!(status(true, 900), Status::Ok, "the clock was set back");
    }
}
