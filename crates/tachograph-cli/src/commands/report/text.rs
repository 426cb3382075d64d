//! A report as a table.

use std::collections::BTreeMap;
use std::sync::Arc;

use tachograph::Unit;
use tachograph_history::compare::{Change, METHOD, Measure, Side};
use tachograph_history::format;

use super::read::Recorded;
use crate::output::{clock, printable};

/// Every series with its numbers; with an earlier run, every measure in both. Then what rules give.
pub(super) fn table(after: &Recorded, before: Option<&Recorded>, changes: &[Change]) -> String {
    let alerts = after.alerts.as_ref().map(|alerts| {
        let changes: String = alerts.changes.iter().map(String::as_str).collect();
        format!("\nalerts\n{changes}{}", alerts.outcomes)
    });
    series(after, before, changes) + &alerts.unwrap_or_default()
}

fn series(after: &Recorded, before: Option<&Recorded>, changes: &[Change]) -> String {
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
    let seconds = recorded.facts.end_ms.saturating_sub(recorded.facts.begin_ms) as f64 / 1e3;
    let title = format!(
        "{}: {} {}, {} from {}",
        recorded.path.display(),
        recorded.facts.meta.program,
        recorded.facts.meta.version,
        format(seconds, &Unit::Seconds),
        clock(recorded.facts.begin_ms)
    );
    printable(&title)
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
        let mut line = vec![printable(key), count.to_string(), text(Measure::Rate)];
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
            printable(&it.key),
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
        _ => printable(&format(value, &change.unit)),
    }
}

/// The part of the change that is sure.
fn sure(change: &Change) -> String {
    if !change.is_sure {
        return "–".to_owned();
    }
    let bound = [change.low.filter(|it| *it > 1.0), change.high.filter(|it| *it < 1.0)];
    let bound = bound.into_iter().flatten().map(factor).find(|it| it != SAME);
    bound.map_or_else(|| "yes".to_owned(), |bound| format!("at least {bound}"))
}

/// A factor of 1.
const SAME: &str = "±0 %";

/// `+12 %`, `−3 %`, `+0.4 %`, `×4.20`.
fn factor(factor: f64) -> String {
    let percent = (factor - 1.0) * 100.0;
    if factor >= 2.0 {
        format!("×{}", format(factor, &Unit::None))
    } else if percent.abs() < 0.05 {
        SAME.to_owned()
    } else {
        let digits = usize::from(percent.abs() < 0.95);
        format!("{}{:.digits$} %", if percent < 0.0 { "−" } else { "+" }, percent.abs())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_factors_are_not_told_as_none() {
        let told = [
            (1.0, "±0 %"),
            (1.0004, "±0 %"),
            (1.002, "+0.2 %"),
            (0.9961, "−0.4 %"),
            (0.9903, "−1 %"),
            (1.12, "+12 %"),
            (4.2, "×4.20"),
        ];
        for (ratio, wanted) in told {
            assert_eq!(factor(ratio), wanted, "{ratio}");
        }
    }
}
