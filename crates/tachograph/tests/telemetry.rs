//! The table of `telemetry.*` names in the documentation has the names that snapshots have.

use std::collections::BTreeSet;
use std::time::{Instant, SystemTime};

use tachograph::MetricsCollector;

const PAGE: &str = include_str!("../src/aggregate/telemetry.rs");

#[test]
fn the_table_of_telemetry_has_every_name_and_no_other() {
    let rows = PAGE.lines().filter(|line| line.starts_with("//! | `"));
    let code = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    let names = code.filter_map(|code| code.split('[').next());
    let documented: BTreeSet<_> = names.filter(|name| name.starts_with("telemetry.")).collect();

    let metrics = MetricsCollector::builder().manual().build();
    metrics.run_pass(Instant::now(), SystemTime::now());
    let snapshot = metrics.snapshot();
    let names = snapshot.series().iter().map(|series| &*series.metric.name);
    let exported: BTreeSet<_> = names.filter(|name| name.starts_with("telemetry.")).collect();
    assert_eq!(documented, exported);
    assert!(exported.len() > 20, "{exported:?}");
}
