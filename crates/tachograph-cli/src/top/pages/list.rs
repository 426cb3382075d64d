//! The table of series.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;
use tachograph::Kind;

use crate::top::draw::charts;
use crate::top::draw::lines::{below, row, rule, write};
use crate::top::draw::text::{cut_middle, number, rate, sparkline, value};
use crate::top::model::{Model, Sort};
use crate::top::rows::Row;

/// The widths of the column of rates and values, and of those of p50, p95, p99 and max.
const FIRST: usize = 10;
const COLUMN: usize = 8;

/// Draws the page of all series.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model) {
    let rows = model.rows();
    let all = number(model.replay.history().definitions().count() as f64);
    let searched = if model.search.is_empty() {
        format!("{all} series")
    } else {
        format!("{} of {all} series match “{}”", number(rows.len() as f64), model.search)
    };
    let sorted = match model.sort {
        Sort::Name => "name",
        Sort::Rate => "rate",
        Sort::P99 => "p99",
        Sort::Max => "max",
    };
    let way = if model.is_reversed { "↑" } else { "↓" };
    let range = charts::range_name(model);
    rule(buffer, row(area, 0), &format!("{searched}, by {sorted} {way}, {range}"), model);
    table(buffer, below(area, 1), model, &rows);
}

/// Draws a table of rows, scrolled so that the selected one is visible.
pub(super) fn table(buffer: &mut Buffer, area: Rect, model: &Model, rows: &[Row]) {
    if area.height == 0 {
        return;
    }
    // Narrow screens leave out the trend, then p50 and p95.
    let width = usize::from(area.width);
    let trend = match width {
        0..76 => 0,
        76..100 => 6,
        _ => 12,
    };
    let columns = if width >= 60 { 5 } else { 3 };
    let name = width.saturating_sub(FIRST + (columns - 1) * COLUMN + 1 + trend + trend.min(1));
    heading(buffer, row(area, 0), model, (name, columns, trend > 0));
    if rows.is_empty() {
        let text = if model.search.is_empty() { " no series" } else { " no series matches" };
        return write(
            buffer,
            row(below(area, 1), 0),
            vec![Span::styled(text, model.theme.quiet())],
        );
    }
    let height = usize::from(area.height - 1);
    let chosen = model.chosen_of(rows);
    let first = (chosen + 1).saturating_sub(height);
    let range = model.range();
    for (line, row_of) in rows.iter().enumerate().skip(first).take(height) {
        let mut row_of = row_of.clone();
        row_of.fill(&range, model, trend);
        let cells = cells(&row_of, columns);
        let mark = if line == chosen { "▶" } else { " " };
        let style = if line == chosen { model.theme.strong() } else { Style::new() };
        let key = cut_middle(&row_of.definition.key, name.saturating_sub(1));
        let mut parts = vec![Span::styled(format!("{mark}{key:<name$}", name = name), style)];
        for (cell, width) in cells.iter().zip(widths()) {
            // No space between a number and its unit, so that columns stay apart.
            let cell = cell.replace(' ', "");
            parts.push(Span::styled(format!("{cell:>width$}"), style));
        }
        if trend > 0 {
            let trend = sparkline(&row_of.trend);
            parts.push(Span::styled(format!(" {trend}"), model.theme.accent()));
        }
        write(buffer, row(area, (line - first + 1) as u16), parts);
    }
}

fn heading(
    buffer: &mut Buffer,
    line: Rect,
    model: &Model,
    (name, columns, has_trend): (usize, usize, bool),
) {
    let titles = [
        ("rate/now", Sort::Rate),
        ("p50", Sort::Name),
        ("p95", Sort::Name),
        ("p99", Sort::P99),
        ("max", Sort::Max),
    ];
    let quiet = model.theme.quiet();
    let is_by = |sort| if model.sort == sort { model.theme.strong() } else { quiet };
    let mut parts = vec![Span::styled(format!(" {:<name$}", "series"), is_by(Sort::Name))];
    let shown = titles.into_iter().filter(|(title, _)| is_shown(title, columns));
    for ((title, sort), width) in shown.zip(widths()) {
        let style = if sort == Sort::Name { quiet } else { is_by(sort) };
        parts.push(Span::styled(format!("{title:>width$}"), style));
    }
    if has_trend {
        parts.push(Span::styled(" trend", quiet));
    }
    write(buffer, line, parts);
}

fn widths() -> impl Iterator<Item = usize> {
    std::iter::once(FIRST).chain(std::iter::repeat(COLUMN))
}

fn is_shown(title: &str, columns: usize) -> bool {
    columns == 5 || !matches!(title, "p50" | "p95")
}

fn cells(row: &Row, columns: usize) -> Vec<String> {
    let definition = &row.definition;
    let unit = &definition.unit;
    let first = match definition.kind {
        Kind::Gauge => value(row.current, unit),
        _ => rate(row.rate),
    };
    let is_distribution = matches!(definition.kind, Kind::Timing | Kind::Histogram);
    let of = |q: f64| if is_distribution { value(row.quantile(q), unit) } else { String::new() };
    let max = match definition.kind {
        Kind::Counter | Kind::UpDownCounter => String::new(),
        _ => value(row.greatest(), unit),
    };
    let cells = [("", first), ("p50", of(0.5)), ("p95", of(0.95)), ("p99", of(0.99)), ("", max)];
    cells.into_iter().filter(|(title, _)| is_shown(title, columns)).map(|(_, cell)| cell).collect()
}
