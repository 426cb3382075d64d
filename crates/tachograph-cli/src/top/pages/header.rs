//! The first and the last line of every page.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;

use crate::top::draw::lines::{row, write, write_right};
use crate::top::draw::text::{age, clock};
use crate::top::model::{Link, Model, Page};

/// If the newest frame is older than this many steps, its age is shown as a warning.
const OLD_STEPS: u64 = 5;

/// Draws the first line: program, address, uptime, state, and the list of pages.
pub(super) fn top(buffer: &mut Buffer, line: Rect, model: &Model) {
    let theme = model.theme;
    let program = model.replay.meta().map_or("tachograph", |meta| meta.program.as_str());
    let mut parts = vec![
        Span::styled(format!(" {program} "), theme.strong()),
        Span::raw(format!("{}  ", short(model))),
    ];
    if let Some(meta) = model.replay.meta() {
        let up = model.at_ms().saturating_sub(meta.started_ms);
        if model.at_ms() > 0 {
            parts.push(Span::styled(format!("up {}  ", age(up)), theme.quiet()));
        }
    }
    parts.push(state(model));
    let used: usize = parts.iter().map(Span::width).sum();
    write(buffer, line, parts);
    let pages = [
        ("1:health", Page::Health),
        ("2:series", Page::Series),
        ("3:alerts", Page::Alerts),
        ("4:doctor", Page::Doctor),
        ("?", Page::Help),
    ];
    // A narrow screen shows only the numbers of the other pages.
    let is_wide = usize::from(line.width) > used + 42;
    let mut tabs = Vec::new();
    for (name, page) in pages {
        let is_shown = page == model.page || (page == Page::Series && model.page == Page::Detail);
        let style = if is_shown {
            theme.accent().add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
        } else {
            theme.quiet()
        };
        tabs.push(Span::raw(" "));
        tabs.push(Span::styled(if is_wide || is_shown { name } else { &name[..1] }, style));
    }
    tabs.push(Span::raw(" "));
    write_right(buffer, line, tabs);
}

/// The address, or the name of the file without its folder.
fn short(model: &Model) -> &str {
    let is_file = model.link == Link::File;
    model.name.rsplit('/').next().filter(|_| is_file).unwrap_or(&model.name)
}

/// The state of the connection or, if that is good, of the alerts.
fn state(model: &Model) -> Span<'static> {
    let theme = model.theme;
    if let Link::Lost { since_ms, .. } = &model.link {
        let lost = age(model.now_ms.saturating_sub(*since_ms));
        return Span::styled(format!("✗ lost {lost}"), theme.bad());
    }
    let alerts = model.alerts.iter();
    let count = |state: &'static str| alerts.clone().map(|it| it.in_state(state).count()).sum();
    let (firing, pending): (usize, usize) = (count("firing"), count("pending"));
    match (&model.link, firing, pending) {
        (Link::File, ..) => Span::styled("■ file", theme.accent()),
        (Link::Connecting, ..) => Span::styled("… connecting", theme.quiet()),
        (_, 1.., _) => Span::styled(format!("▲ {firing} firing"), theme.bad()),
        (_, 0, 1..) => Span::styled(format!("▲ {pending} pending"), theme.warning()),
        _ => Span::styled("● ok", theme.good()),
    }
}

/// Draws the last line: the keys of the page, and the age of the data.
pub(super) fn bottom(buffer: &mut Buffer, line: Rect, model: &Model) {
    let theme = model.theme;
    if model.is_searching {
        let parts = vec![
            Span::styled(" search: ", theme.strong()),
            Span::raw(model.search.clone()),
            Span::styled("█", theme.accent()),
            Span::styled("  enter keep  esc clear", theme.quiet()),
        ];
        return write(buffer, line, parts);
    }
    let keys: &[(&str, &str)] = match model.page {
        Page::Health => &[
            ("q", "quit"),
            ("/", "search"),
            ("enter", "detail"),
            ("space", "pause"),
            ("?", "help"),
        ],
        Page::Series => &[
            ("/", "search"),
            ("s", "sort"),
            ("r", "reverse"),
            ("enter", "detail"),
            ("space", "pause"),
        ],
        Page::Detail => {
            &[("esc", "back"), ("+ -", "range"), ("← →", "time"), ("space", "pause"), ("?", "help")]
        }
        Page::Alerts | Page::Doctor => {
            &[("esc", "back"), ("↑ ↓", "move"), ("enter", "series"), ("q", "quit"), ("?", "help")]
        }
        Page::Help => &[("esc", "back"), ("↑ ↓", "scroll"), ("q", "quit")],
    };
    let mut parts = Vec::new();
    for (key, does) in keys {
        parts.push(Span::styled(format!(" {key}"), theme.strong()));
        parts.push(Span::styled(format!(" {does} "), theme.quiet()));
    }
    write(buffer, line, parts);
    write_right(buffer, line, vec![when(model), Span::raw(" ")]);
}

/// The time that is shown, or the age of the newest frame.
fn when(model: &Model) -> Span<'static> {
    let (theme, at) = (model.theme, model.at_ms());
    let newest = model.replay.history().newest().map_or(0, |frame| frame.end_ms);
    if model.looked_at_ms.is_some() {
        let word = if model.link == Link::File { "at" } else { "paused at" };
        let back = age(newest.saturating_sub(at));
        return Span::styled(
            format!(" {word} {}, {back} before the end", clock(at)),
            theme.warning(),
        );
    }
    if model.link == Link::File {
        let word =
            if model.replay.notes().is_empty() { " ends at" } else { " incomplete, ends at" };
        return Span::styled(format!("{word} {}", clock(at)), theme.quiet());
    }
    if at == 0 {
        return Span::raw("");
    }
    let old = model.now_ms.saturating_sub(at);
    let missed =
        if model.missed > 0 { format!(" {} frames missed,", model.missed) } else { String::new() };
    match &model.link {
        Link::Lost { again_ms, .. } => {
            let again = age(again_ms.saturating_sub(model.now_ms));
            Span::styled(format!(" data {} old, retry in {again}", age(old)), theme.bad())
        }
        _ if old > OLD_STEPS * model.step_ms() => {
            Span::styled(format!("{missed} last frame {} ago", age(old)), theme.warning())
        }
        _ => Span::styled(format!("{missed} {} ago", age(old)), theme.quiet()),
    }
}

/// The screen before the first frame.
pub(super) fn waiting(buffer: &mut Buffer, area: Rect, model: &Model) {
    let (text, why) = match &model.link {
        Link::File => ("the recording contains no frames", String::new()),
        Link::Connecting => ("connecting", String::new()),
        Link::Live => {
            ("waiting for the first frame", "by default, a frame is sent every second".to_owned())
        }
        Link::Lost { reason, .. } => ("not connected", reason.clone()),
    };
    let middle = area.height / 2;
    for (line, text) in [(middle, text.to_owned()), (middle + 1, why)] {
        if line < area.height {
            let line = row(area, line);
            let width = u16::try_from(text.chars().count()).unwrap_or(line.width).min(line.width);
            let at = line.x + (line.width - width) / 2;
            buffer.set_stringn(at, line.y, text, width.into(), Style::new());
        }
    }
}
