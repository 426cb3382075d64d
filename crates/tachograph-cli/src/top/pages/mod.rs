//! The pages of `top`, each drawn from the [`Model`].
//!
//! May use the model, its rows and `draw`; never the terminal, the clock or the network. In reading
//! order:
//! - `header`: the first and the last line of every page
//! - `list`: the table of series
//! - `detail`: one series
//! - `alerts`: rules, their alerts and where they are sent
//! - `health`: the overview, made of parts of the pages above
//! - `findings`: the doctor's findings
//! - `help`: the keys

mod alerts;
mod detail;
mod findings;
mod header;
mod health;
mod help;
mod list;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::draw::lines::row;
use super::model::{Model, Page};

/// Draws the page that the model is on. Changes nothing in the model but its findings, which are
/// computed when their page is first shown, and a place beyond the end of a page.
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
