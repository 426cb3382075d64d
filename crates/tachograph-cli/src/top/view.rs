//! From a model to a screen.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::model::{Model, Page};
use super::{alerts, detail, findings, header, health, help, list};

/// Draws what the model shows. The only thing that changes in the model are findings, which are made
/// when they are first looked at.
pub fn draw(frame: &mut Frame<'_>, model: &mut Model) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if area.height < 3 || area.width < 20 {
        buffer.set_stringn(0, 0, "too small", area.width.into(), Style::new());
        return;
    }
    let (top, bottom) = (row(area, 0), row(area, area.height - 1));
    let body = Rect { y: area.y + 1, height: area.height - 2, ..area };
    header::top(buffer, top, model);
    header::bottom(buffer, bottom, model);
    if model.replay.history().newest().is_none() && model.page != Page::Help {
        return header::waiting(buffer, body, model);
    }
    match model.page {
        Page::Health => health::draw(buffer, body, model),
        Page::Series => list::draw(buffer, body, model),
        Page::Detail => detail::draw(buffer, body, model),
        Page::Alerts => alerts::draw(buffer, body, model),
        Page::Doctor => findings::draw(buffer, body, model),
        Page::Help => help::draw(buffer, body, model),
    }
}

/// One line of an area.
pub(super) fn row(area: Rect, line: u16) -> Rect {
    Rect { y: area.y + line, height: 1, ..area }
}

/// The part of an area below its first lines.
pub(super) fn below(area: Rect, lines: u16) -> Rect {
    let lines = lines.min(area.height);
    Rect { y: area.y + lines, height: area.height - lines, ..area }
}

/// Writes parts, each with its style, from the left edge of a line.
pub(super) fn write(buffer: &mut Buffer, line: Rect, parts: Vec<Span<'_>>) {
    if line.height > 0 {
        buffer.set_line(line.x, line.y, &Line::from(parts), line.width);
    }
}

/// Writes parts against the right edge of a line.
pub(super) fn write_right(buffer: &mut Buffer, line: Rect, parts: Vec<Span<'_>>) {
    let text = Line::from(parts);
    let width = u16::try_from(text.width()).unwrap_or(u16::MAX).min(line.width);
    if line.height > 0 {
        buffer.set_line(line.x + line.width - width, line.y, &text, width);
    }
}

/// A line across, with a title.
pub(super) fn rule(buffer: &mut Buffer, line: Rect, title: &str, model: &Model) {
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

/// Lines of a page that scrolls: those that fit, from the first that is asked for.
pub(super) fn lines(buffer: &mut Buffer, area: Rect, scroll: usize, all: Vec<Vec<Span<'_>>>) {
    let first = scroll.min(all.len().saturating_sub(area.height.into()));
    for (line, parts) in (0..area.height).zip(all.into_iter().skip(first)) {
        write(buffer, row(area, line), parts);
    }
}
