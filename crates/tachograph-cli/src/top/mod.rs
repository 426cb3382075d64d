//! `tachograph top`: a program, or a recording, in the terminal.
//!
//! Three parts that know of each other in one direction: the [`Model`] is what is known and what the
//! user looks at, without a terminal or a clock; keys change it; [`draw`] is a pure function from it
//! to a screen. This file joins them to the stream, the keyboard and the terminal.
//!
//! A recording is shown at its end; left and right move in time, as they do in what is remembered of
//! a running program.

mod alerts;
mod charts;
mod detail;
mod feed;
mod findings;
mod header;
mod health;
mod heat;
mod help;
mod keys;
mod list;
mod model;
mod remote;
mod rows;
mod screen;
mod text;
mod theme;
mod view;

use std::io::{IsTerminal, stdout};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime};

use tachograph_history::Settings;

use crate::commands::Source;
use crate::failure::Failure;
use crate::replay::Replay;

pub use self::heat::Heat;
pub use self::keys::press;
pub use self::model::{Link, Model, Page, Sort};
pub use self::remote::Alerts;
pub use self::rows::{Row, rows};
pub use self::screen::Screen;
pub use self::theme::{Colours, Theme};
pub use self::view::draw;

/// What reaches the model from outside.
#[derive(Debug)]
pub(crate) enum Message {
    Key(ratatui::crossterm::event::KeyEvent),
    /// Another size, or the focus: the screen is drawn again.
    Redraw,
    News(crate::live::News),
    Alerts(Option<Alerts>),
    /// A signal, or the end of what cannot go on: the program ends with the reason.
    Stop(Option<Failure>),
}

/// At most ten times a second.
const REDRAW: Duration = Duration::from_millis(100);

/// So often ages grow.
const REST: Duration = Duration::from_secs(1);

pub(crate) fn run(source: Source, name: &str, light: bool) -> Result<ExitCode, Failure> {
    if !stdout().is_terminal() {
        return Err(Failure::Input(
            "`top` needs a terminal; in scripts use `tachograph doctor` or `tachograph record`"
                .to_owned(),
        ));
    }
    let theme = Theme::of_environment(light, |name| std::env::var(name).ok());
    let (replay, link) = match &source {
        Source::File(file) => (Replay::read(file)?, Link::File),
        Source::Program(_) => (Replay::new(Settings::default()), Link::Connecting),
    };
    let (send, receive) = channel();
    feed::start(source, &send)?;
    let mut model = Model::new(name, replay, link, theme);
    let mut screen = Screen::open()?;
    keys::listen(&send)?;
    let mut drawn: Option<Instant> = None;
    let mut is_dirty = true;
    while !model.quit {
        if is_dirty && drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW) {
            model.now_ms = milliseconds(SystemTime::now());
            screen.draw(&mut model)?;
            (drawn, is_dirty) = (Some(Instant::now()), false);
        }
        let pause = if is_dirty {
            REDRAW.saturating_sub(drawn.map_or(REDRAW, |drawn| drawn.elapsed()))
        } else {
            REST
        };
        match receive.recv_timeout(pause) {
            Ok(Message::Stop(failure)) => return failure.map_or(Ok(ExitCode::SUCCESS), Err),
            Ok(message) => {
                model.now_ms = milliseconds(SystemTime::now());
                is_dirty |= model.take(message);
            }
            Err(RecvTimeoutError::Timeout) => is_dirty = true,
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
