//! Whether the collector keeps up, and whether there is anything to see yet.

use std::time::{Duration, SystemTime};

use serde::Serialize;
use tachograph::Snapshot;

/// What `/health` answers.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Health {
    status: Status,
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
    /// Recording is off, so the last snapshot is as old as that.
    Disabled,
    /// Recording is on, but nothing is published: the aggregator stalls or has ended.
    Stale,
}

impl Health {
    pub(crate) fn of(
        snapshot: &Snapshot,
        enabled: bool,
        now: SystemTime,
        stale_after: Duration,
    ) -> Self {
        // A wall clock that was set back makes the snapshot look new until the next one.
        let age = now.duration_since(snapshot.timestamp()).unwrap_or(Duration::ZERO);
        let status = match enabled {
            false => Status::Disabled,
            true if age > stale_after => Status::Stale,
            true => Status::Ok,
        };
        Self {
            status,
            snapshot_age_seconds: age.as_secs_f64(),
            snapshot_version: snapshot.version(),
            uptime_seconds: snapshot.uptime().as_secs_f64(),
        }
    }

    pub(crate) fn is_good(&self) -> bool {
        self.status != Status::Stale
    }

    /// Whether a scrape shows what was recorded: something was published since the collector was
    /// made, or nothing will be.
    pub(crate) fn is_ready(&self) -> bool {
        // A collector is made with its first snapshot, which is empty.
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
