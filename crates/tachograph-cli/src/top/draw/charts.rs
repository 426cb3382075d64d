//! Heat maps, percentiles, histograms and columns.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use tachograph::Unit;
use tachograph_history::{Buckets, Definition, TimingStep};

use super::heat::Heat;
use super::lines::{row, write};
use super::text::{age, clock, number, value};
use crate::top::model::Model;
use crate::top::rows;

/// The width of the labels of an axis.
const AXIS: u16 = 9;

/// The shades of a heat map, from few samples to many.
const SHADES: [&str; 4] = ["░", "▒", "▓", "█"];

/// The quantiles of a spectrum.
pub(crate) const SPECTRUM: [(&str, f64); 9] = [
    ("p1", 0.01),
    ("p10", 0.1),
    ("p25", 0.25),
    ("p50", 0.5),
    ("p75", 0.75),
    ("p90", 0.9),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p99.9", 0.999),
];

/// The range in words.
pub(crate) fn range_name(model: &Model) -> String {
    match model.range_ms() {
        ms if ms > 86_400_000 => "everything".to_owned(),
        ms if ms >= 3_600_000 => format!("{} h", ms / 3_600_000),
        ms => format!("{} min", ms / 60_000),
    }
}

/// Draws a heat map of a timing or histogram, with the newest column at the right.
pub(crate) fn heat(buffer: &mut Buffer, area: Rect, model: &Model, definition: &Definition) {
    if area.width <= AXIS + 4 || area.height == 0 {
        return;
    }
    let columns = usize::from(area.width - AXIS - 1);
    let slot_ms = model.slot_ms(columns);
    let size = (columns, usize::from(area.height));
    let frames = model.frames(slot_ms * columns as u64);
    let heat = Heat::of(&frames, definition.number, model.at_ms(), slot_ms, size);
    if heat.most == 0 {
        let text = "nothing recorded in this range";
        return write(buffer, row(area, 0), vec![Span::styled(text, model.theme.quiet())]);
    }
    for (line, place) in (0..heat.tops.len()).rev().enumerate() {
        let line = row(area, line as u16);
        let edge = Buckets::upper_edge(heat.tops[place]);
        let label = format!(
            "{:>width$} ",
            value(Some(edge), &definition.unit),
            width = usize::from(AXIS - 1)
        );
        buffer.set_stringn(line.x, line.y, label, AXIS.into(), model.theme.quiet());
        for column in 0..columns {
            let Some(share) = heat.share(column, place) else { continue };
            let shade = SHADES[((share * 4.0).ceil() as usize).clamp(1, 4) - 1];
            let at = line.x + AXIS + column as u16;
            buffer.set_string(at, line.y, shade, model.theme.heat(share));
        }
    }
}

/// The time that a heat map and each of its columns cover, for its title.
pub(crate) fn heat_title(model: &Model, width: u16) -> String {
    let columns = usize::from(width.saturating_sub(AXIS + 1)).max(1);
    let slot = model.slot_ms(columns);
    let end = if model.is_live() { "now".to_owned() } else { clock(model.at_ms()) };
    format!("{}, {} per column, {end} →", age(slot * columns as u64), age(slot))
}

/// Draws percentiles with bars, on a logarithmic scale from the least sample to the greatest.
pub(crate) fn spectrum(
    buffer: &mut Buffer,
    area: Rect,
    model: &Model,
    (samples, unit): (&TimingStep, &Unit),
) {
    let (low, high) = (samples.min.max(f64::MIN_POSITIVE), samples.max);
    let width = usize::from(area.width.saturating_sub(19));
    let mut lines: Vec<_> = SPECTRUM.map(|(name, q)| (name, samples.quantile(q))).into();
    lines.insert(0, ("min", Some(samples.min)));
    lines.push(("max", Some(samples.max)));
    // On a small screen, only the tail is shown.
    let hidden = lines.len().saturating_sub(area.height.into());
    for (line, (name, at)) in lines.into_iter().skip(hidden).enumerate() {
        let share = at.map_or(0.0, |at| (at.max(low) / low).ln() / (high / low).ln().max(1e-9));
        let parts = vec![
            Span::styled(format!(" {name:<6}"), model.theme.quiet()),
            Span::raw(format!("{:>9} ", value(at, unit))),
            Span::styled(bar(share, width), model.theme.accent()),
        ];
        write(buffer, row(area, line as u16), parts);
    }
}

/// Draws a histogram with as many bars as the area has lines.
pub(crate) fn histogram(
    buffer: &mut Buffer,
    area: Rect,
    model: &Model,
    (samples, unit): (&TimingStep, &Unit),
) {
    let places: Vec<_> = samples.buckets.iter().collect();
    let known =
        || places.iter().map(|it| i32::from(it.0)).filter(|it| *it > i32::from(Buckets::ZERO));
    let (Some(low), Some(high)) = (known().min(), known().max()) else { return };
    let height = i32::from(area.height).max(1);
    let each = ((high - low) / height + 1).max(1);
    let count = ((high - low) / each + 1) as usize;
    let mut counts = vec![0u64; count];
    for (place, samples) in &places {
        let at = (i32::from(*place).max(low) - low) / each;
        counts[at as usize] += samples;
    }
    let most = counts.iter().copied().max().unwrap_or_default().max(1);
    let width = usize::from(area.width.saturating_sub(24));
    for (line, (place, count)) in counts.iter().enumerate().rev().enumerate() {
        let top = i32::from(i16::MAX - 1).min(low + (place as i32 + 1) * each - 1);
        let edge = Buckets::upper_edge(top as i16);
        let share = *count as f64 / most as f64;
        let parts = vec![
            Span::styled(format!(" ≤{:>9} ", value(Some(edge), unit)), model.theme.quiet()),
            Span::raw(format!("{:>10} ", number(*count as f64))),
            Span::styled(bar(share, width), model.theme.accent()),
        ];
        write(buffer, row(area, line as u16), parts);
    }
}

/// Draws a counter's rate or a gauge's value over the range, as columns.
pub(crate) fn columns(buffer: &mut Buffer, area: Rect, model: &Model, definition: &Definition) {
    if area.width <= AXIS + 4 || area.height == 0 {
        return;
    }
    let count = usize::from(area.width - AXIS - 1);
    let frames = model.frames(model.slot_ms(count) * count as u64);
    let values = rows::trend(&frames, definition, model, count);
    let most = values.iter().flatten().copied().fold(0.0, f64::max);
    for line in 0..area.height {
        let at = row(area, line);
        let from_below = f64::from(area.height - 1 - line);
        if line == 0 || line == area.height - 1 {
            let edge = if line == 0 { most } else { 0.0 };
            let label = value(Some(edge), &definition.unit);
            buffer.set_stringn(
                at.x,
                at.y,
                format!("{label:>8} "),
                AXIS.into(),
                model.theme.quiet(),
            );
        }
        for (column, value) in values.iter().enumerate() {
            let Some(value) = value.filter(|_| most > 0.0) else { continue };
            let filled = value.max(0.0) / most * f64::from(area.height) - from_below;
            let eighths = (filled * 8.0).round().clamp(0.0, 8.0) as usize;
            let shape = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"][eighths];
            buffer.set_string(at.x + AXIS + column as u16, at.y, shape, model.theme.accent());
        }
    }
}

/// A bar that fills this share of a width. A share above 0 gives at least an eighth of a cell.
fn bar(share: f64, width: usize) -> String {
    let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    let eighths = if share > 0.0 { eighths.max(1) } else { 0 };
    let mut text = "█".repeat(eighths / 8);
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    text.push_str(rest);
    text
}
