//! How often does an idle collector wake up?
//!
//! Counts the voluntary context switches of the driver's thread, which Linux keeps per thread.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use benches::{Budgets, Figures, Options, Table};
use tachograph::MetricsCollector;

const ROUND: Duration = Duration::from_secs(1);
const WAKE_UPS: f64 = 10.0;
/// The name that the driver gives its thread.
const DRIVER: &str = "tachograph";

/// The `/proc` folder of the driver's thread; `None` on systems without one.
fn driver() -> Option<PathBuf> {
    let tasks = fs::read_dir("/proc/self/task").ok()?;
    let mut paths = tasks.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    paths.find(|path| fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == DRIVER))
}

/// The number of times the thread has gone to sleep.
fn sleeps(task: &Path) -> f64 {
    let status = fs::read_to_string(task.join("status")).expect("the driver runs");
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|count| count.trim().parse().ok()).expect("Linux counts them")
}

/// Wake-ups per second of a collector with this many recorded series.
fn wake_ups(series: usize, rounds: usize) -> Option<Figures> {
    let metrics = MetricsCollector::new();
    for i in 0..series {
        metrics.with_tags(&[("i", &i.to_string())]).increment("counter");
    }
    // By now the last records are aggregated, and the wait has grown to its longest.
    thread::sleep(ROUND);
    assert_eq!(metrics.snapshot().metric("counter").count(), series);
    let driver = driver()?;
    let mut before = sleeps(&driver);
    let mut round = || {
        thread::sleep(ROUND);
        let now = sleeps(&driver);
        (now - std::mem::replace(&mut before, now)) / ROUND.as_secs_f64()
    };
    let figures = Figures::of((0..rounds).map(|_| round()).collect());
    assert!(figures.median > 0.0, "the driver publishes");
    Some(figures)
}

fn main() {
    let rounds = if Options::get().quick { 3 } else { 9 };
    let header = ["series", "min", "median"];
    let mut table =
        Table::new("idle", format!("Wake-ups a second, idle; {rounds} rounds of 1 s"), &header);
    let mut budgets = Budgets::new("budget-idle");
    for series in [0, 1_000] {
        let Some(Figures { min, median }) = wake_ups(series, rounds) else {
            table.row(["not known on this system".into()]);
            continue;
        };
        table.row([series.to_string().into(), min.into(), median.into()]);
        let what = format!("idle collector's wake-ups, {series} series");
        budgets.at_most(&what, median, WAKE_UPS, "a second");
    }
    table.print();
    budgets.print();
}
