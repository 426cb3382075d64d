//! Writes lines of text into parts of the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::top::model::Model;

/// One line of an area.
pub(crate) fn row(area: Rect, line: u16) -> Rect {
    Rect { y: area.y + line, height: 1, ..area }
}

/// The part of an area below its first lines.
pub(crate) fn below(area: Rect, lines: u16) -> Rect {
    let lines = lines.min(area.height);
    Rect { y: area.y + lines, height: area.height - lines, ..area }
}

/// Writes styled parts of text from the left edge of a line. Text that does not fit ends with `…`.
pub(crate) fn write(buffer: &mut Buffer, line: Rect, parts: Vec<Span<'_>>) {
    if line.height == 0 || line.width == 0 {
        return;
    }
    let text = Line::from(parts);
    buffer.set_line(line.x, line.y, &text, line.width);
    if text.width() > line.width.into()
        && let Some(last) = buffer.cell_mut((line.x + line.width - 1, line.y))
    {
        last.set_symbol("…");
    }
}

/// Writes styled parts of text that end at the right edge of a line.
pub(crate) fn write_right(buffer: &mut Buffer, line: Rect, parts: Vec<Span<'_>>) {
    let text = Line::from(parts);
    let width = u16::try_from(text.width()).unwrap_or(u16::MAX).min(line.width);
    if line.height > 0 {
        buffer.set_line(line.x + line.width - width, line.y, &text, width);
    }
}

/// Draws a horizontal rule with a title.
pub(crate) fn rule(buffer: &mut Buffer, line: Rect, title: &str, model: &Model) {
    if line.height == 0 {
        return;
    }
    let quiet = model.theme.quiet();
    buffer.set_stringn(line.x, line.y, "─".repeat(line.width.into()), line.width.into(), quiet);
    if !title.is_empty() {
        let title = format!(" {title} ");
        buffer.set_stringn(line.x + 1, line.y, title, line.width.saturating_sub(2).into(), quiet);
    }
}

/// Writes the lines of a page that scrolls: as many as fit, from line `scroll` on, or from the last
/// line from which they fill the page, which is returned.
pub(crate) fn lines(
    buffer: &mut Buffer,
    area: Rect,
    scroll: usize,
    all: Vec<Vec<Span<'_>>>,
) -> usize {
    let first = scroll.min(all.len().saturating_sub(area.height.into()));
    for (line, parts) in (0..area.height).zip(all.into_iter().skip(first)) {
        write(buffer, row(area, line), parts);
    }
    first
}

/// Writes a page of entries of some lines each, scrolled so that the chosen one is visible, with a
/// mark in its first column. Returns which it is: at most the last one.
pub(crate) fn entries(
    buffer: &mut Buffer,
    area: Rect,
    chosen: usize,
    all: Vec<Vec<Vec<Span<'_>>>>,
) -> usize {
    let chosen = chosen.min(all.len().saturating_sub(1));
    let begin: usize = all.iter().take(chosen).map(Vec::len).sum();
    let end = begin + all.get(chosen).map_or(0, Vec::len);
    let scroll = end.saturating_sub(area.height.into()).min(begin);
    lines(buffer, area, scroll, all.into_iter().flatten().collect());
    if end > begin && area.height > 0 {
        let line = row(area, u16::try_from(begin - scroll).unwrap_or(0));
        write(buffer, Rect { width: 1, ..line }, vec![Span::raw("▶")]);
    }
    chosen
}
