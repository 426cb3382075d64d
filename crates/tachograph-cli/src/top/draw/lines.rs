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

/// Writes styled parts of text from the left edge of a line.
pub(crate) fn write(buffer: &mut Buffer, line: Rect, parts: Vec<Span<'_>>) {
    if line.height > 0 {
        buffer.set_line(line.x, line.y, &Line::from(parts), line.width);
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

/// Writes the lines of a page that scrolls: as many as fit, from line `scroll` on.
pub(crate) fn lines(buffer: &mut Buffer, area: Rect, scroll: usize, all: Vec<Vec<Span<'_>>>) {
    let first = scroll.min(all.len().saturating_sub(area.height.into()));
    for (line, parts) in (0..area.height).zip(all.into_iter().skip(first)) {
        write(buffer, row(area, line), parts);
    }
}
