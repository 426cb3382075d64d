//! The keyboard.

use std::sync::mpsc::Sender;
use std::thread;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::Message;
use super::model::{Model, Page, Sort};
use super::screen::Vital;
use crate::failure::Failure;

/// The number of lines that page up and page down move.
const PAGE: isize = 10;

/// Starts a thread that sends key presses to the model. It ends with the program.
pub(super) fn listen(send: &Sender<Message>) -> Result<(), Failure> {
    let send = send.clone();
    let run = move || {
        let _vital = Vital;
        loop {
            let message = match event::read() {
                Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => Message::Key(key),
                Ok(_) => Message::Redraw,
                Err(error) => {
                    let told = Failure::Failed(format!("the terminal is gone: {error}"));
                    let _ = send.send(Message::Stop(Some(told)));
                    return;
                }
            };
            if send.send(message).is_err() {
                return;
            }
        }
    };
    let started = thread::Builder::new().name("keys".to_owned()).spawn(run);
    started.map(drop).map_err(|error| Failure::Failed(format!("cannot start: {error}")))
}

/// Does what a key stands for; returns whether it stands for anything.
pub fn press(model: &mut Model, key: KeyEvent) -> bool {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        model.quit = matches!(key.code, KeyCode::Char('c' | 'd'));
        return true;
    }
    if model.is_searching {
        return search(model, key.code);
    }
    match key.code {
        KeyCode::Char('q') => model.quit = true,
        KeyCode::Char('1') => open(model, Page::Health),
        KeyCode::Char('2') => open(model, Page::Series),
        KeyCode::Char('3' | 'a') => open(model, Page::Alerts),
        KeyCode::Char('4' | 'd') => open(model, Page::Doctor),
        KeyCode::Char('?') | KeyCode::F(1) => open(model, Page::Help),
        KeyCode::Tab => open(model, next(model.page)),
        KeyCode::Esc | KeyCode::Backspace => back(model),
        KeyCode::Enter => enter(model),
        KeyCode::Char('/') => {
            open(model, Page::Series);
            model.is_searching = true;
            model.search.clear();
        }
        KeyCode::Char('s') => model.sort = after(model.sort),
        KeyCode::Char('r') => model.is_reversed = !model.is_reversed,
        KeyCode::Char('t') => model.theme.light = !model.theme.light,
        KeyCode::Char('+' | '=') => model.zoom_by(-1),
        KeyCode::Char('-') => model.zoom_by(1),
        KeyCode::Down | KeyCode::Char('j') => move_by(model, 1),
        KeyCode::Up | KeyCode::Char('k') => move_by(model, -1),
        KeyCode::PageDown | KeyCode::Char('f') => move_by(model, PAGE),
        KeyCode::PageUp | KeyCode::Char('b') => move_by(model, -PAGE),
        KeyCode::Char('g') => move_by(model, isize::MIN),
        KeyCode::Char('G') => move_by(model, isize::MAX),
        _ => return in_time(model, key.code),
    }
    true
}

/// Moves in time, through the frames of a recording or those remembered of a program.
fn in_time(model: &mut Model, key: KeyCode) -> bool {
    let frames = model.replay.history().range(
        std::time::SystemTime::UNIX_EPOCH,
        super::draw::text::time(u64::MAX / 2),
        std::time::Duration::ZERO,
    );
    let (Some(first), Some(last)) = (frames.first(), frames.last()) else { return false };
    let at = model.at_ms();
    let place = frames.partition_point(|frame| frame.end_ms < at);
    let to = |place: usize| frames[place.min(frames.len() - 1)].end_ms;
    let shift = |back: bool| {
        let minute = 60_000;
        if back { at.saturating_sub(minute).max(first.end_ms) } else { at.saturating_add(minute) }
    };
    let wanted = match key {
        KeyCode::Char(' ') => match model.looked_at_ms {
            Some(_) => None,
            None => Some(at),
        },
        KeyCode::Left | KeyCode::Char('h') => Some(to(place.saturating_sub(1))),
        KeyCode::Right | KeyCode::Char('l') => Some(to(place + 1)),
        KeyCode::Char('[') => Some(shift(true)),
        KeyCode::Char(']') => Some(shift(false)),
        KeyCode::Home => Some(first.end_ms),
        KeyCode::End => None,
        _ => return false,
    };
    // Moving to the end follows the newest frame again; pausing there does not.
    let is_end = wanted.is_some_and(|at| at >= last.end_ms) && key != KeyCode::Char(' ');
    model.looked_at_ms = wanted.filter(|_| !is_end);
    true
}

fn search(model: &mut Model, key: KeyCode) -> bool {
    match key {
        KeyCode::Char(c) => model.search.push(c),
        KeyCode::Backspace => {
            model.search.pop();
        }
        KeyCode::Enter => model.is_searching = false,
        KeyCode::Esc => {
            model.is_searching = false;
            model.search.clear();
        }
        KeyCode::Down => move_by(model, 1),
        KeyCode::Up => move_by(model, -1),
        _ => return false,
    }
    true
}

fn open(model: &mut Model, page: Page) {
    if model.page != page {
        model.before = if model.page == Page::Help { model.before } else { model.page };
        model.page = page;
        model.scroll = 0;
    }
}

fn back(model: &mut Model) {
    let page = match model.page {
        Page::Health => return,
        Page::Series if !model.search.is_empty() => return model.search.clear(),
        Page::Detail | Page::Help if model.before != model.page => model.before,
        _ => Page::Health,
    };
    (model.page, model.scroll, model.before) = (page, 0, Page::Health);
}

fn enter(model: &mut Model) {
    let place = model.scroll;
    let key = match model.page {
        Page::Health | Page::Series => {
            let rows = model.rows();
            rows.get(model.chosen_of(&rows)).map(|row| row.definition.key.clone())
        }
        Page::Alerts => {
            let alert = model.alerts.as_ref().and_then(|it| it.listed().nth(place));
            alert.and_then(|(_, alert)| alert.series.clone()).map(Into::into)
        }
        Page::Doctor => {
            model.findings().get(place).and_then(|it| it.series.clone()).map(Into::into)
        }
        Page::Detail | Page::Help => None,
    };
    if key.is_some() {
        model.chosen = key;
        open(model, Page::Detail);
    }
}

/// Moves the selection in lists, and scrolls the help.
fn move_by(model: &mut Model, by: isize) {
    if matches!(model.page, Page::Alerts | Page::Doctor | Page::Help) {
        // Drawing takes off what is beyond the end.
        model.scroll = model.scroll.saturating_add_signed(by).min(10_000);
        return;
    }
    let rows = model.rows();
    if rows.is_empty() {
        return;
    }
    let place = model.chosen_of(&rows).saturating_add_signed(by).min(rows.len() - 1);
    model.chosen = Some(rows[place].definition.key.clone());
}

fn next(page: Page) -> Page {
    match page {
        Page::Health => Page::Series,
        Page::Series | Page::Detail => Page::Alerts,
        Page::Alerts => Page::Doctor,
        Page::Doctor | Page::Help => Page::Health,
    }
}

fn after(sort: Sort) -> Sort {
    match sort {
        Sort::Rate => Sort::P99,
        Sort::P99 => Sort::Max,
        Sort::Max => Sort::Name,
        Sort::Name => Sort::Rate,
    }
}
