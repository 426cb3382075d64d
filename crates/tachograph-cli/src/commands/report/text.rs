//! A report as a table.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tachograph::Unit;
use tachograph_history::compare::{Change, METHOD, Measure, Side};
use tachograph_history::format;

use super::read::Recorded;

/// Every series with its numbers; with an earlier run, every measure in both.
pub(super) fn table(after: &Recorded, before: Option<&Recorded>, changes: &[Change]) -> String {
    let Some(before) = before else {
        return format!("{}\n\n{}", title(after), columns(&single(changes)));
    };
    let sure = changes.iter().filter(|change| change.is_sure).count();
    format!(
        "before  {}\nafter   {}\n\n{}\n{sure} of {} changes are sure. {METHOD}\n",
        title(before),
        title(after),
        columns(&both(changes)),
        changes.len()
    )
}

fn title(recorded: &Recorded) -> String {
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(recorded.begin_ms);
    let seconds = recorded.end_ms.saturating_sub(recorded.begin_ms) as f64 / 1e3;
    format!(
        "{}: {} {}, {} from {}",
        recorded.file.display(),
        recorded.meta.program,
        recorded.meta.version,
        format(seconds, &Unit::Seconds),
        humantime::format_rfc3339_seconds(at)
    )
}

/// One line for each series, sorted by key.
fn single(changes: &[Change]) -> Vec<Vec<String>> {
    let mut series: BTreeMap<&Arc<str>, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        series.entry(&change.key).or_default().push(change);
    }
    let head = ["series", "count", "per second", "p50", "p95", "p99", "level"];
    let lines = series.into_iter().map(|(key, measures)| {
        let of = |measure| measures.iter().find(|it| it.measure == measure);
        let text = |measure| of(measure).map_or_else(String::new, |it| value(it, &it.after));
        let count = measures.first().map_or(0, |it| it.after.count);
        let mut line = vec![key.to_string(), count.to_string(), text(Measure::Rate)];
        let others = [Measure::P50, Measure::P95, Measure::P99, Measure::Level];
        line.extend(others.map(text));
        line
    });
    std::iter::once(head.map(str::to_owned).to_vec()).chain(lines).collect()
}

/// One line for each measure of each series, in the order of the comparison.
fn both(changes: &[Change]) -> Vec<Vec<String>> {
    let head = ["series", "measure", "before", "after", "change", "for sure", "counts"];
    let lines = changes.iter().map(|it| {
        vec![
            it.key.to_string(),
            it.measure.name().to_owned(),
            value(it, &it.before),
            value(it, &it.after),
            it.factor.map_or_else(|| "–".to_owned(), factor),
            sure(it),
            format!("{} → {}", it.before.count, it.after.count),
        ]
    });
    std::iter::once(head.map(str::to_owned).to_vec()).chain(lines).collect()
}

fn value(change: &Change, side: &Side) -> String {
    let Some(value) = side.value else { return "–".to_owned() };
    match change.measure {
        Measure::Rate => format!("{} /s", format(value, &Unit::None)),
        _ => format(value, &change.unit),
    }
}

/// The part of the change that is sure.
fn sure(change: &Change) -> String {
    let bound = [change.low.filter(|it| *it > 1.0), change.high.filter(|it| *it < 1.0)];
    match bound.into_iter().flatten().next() {
        Some(bound) => format!("at least {}", factor(bound)),
        None if change.is_sure => "yes".to_owned(),
        None => "–".to_owned(),
    }
}

/// `+12 %`, `−3 %`, `×4.20`.
fn factor(factor: f64) -> String {
    let percent = (factor - 1.0) * 100.0;
    if factor >= 2.0 {
        format!("×{}", format(factor, &Unit::None))
    } else if percent.abs() < 0.5 {
        "±0 %".to_owned()
    } else {
        format!("{}{:.0} %", if percent < 0.0 { "−" } else { "+" }, percent.abs())
    }
}

/// Lines of cells as text, the first column to the left, all others to the right.
fn columns(lines: &[Vec<String>]) -> String {
    let count = |text: &String| text.chars().count();
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| count(&line[column])).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let line = |cells: &Vec<String>| {
        let cells = cells.iter().zip(&widths).enumerate().map(|(place, (cell, width))| {
            let space = " ".repeat(width - count(cell));
            if place == 0 { format!("{cell}{space}") } else { format!("  {space}{cell}") }
        });
        cells.collect::<String>().trim_end().to_owned() + "\n"
    };
    lines.iter().map(line).collect()
}
