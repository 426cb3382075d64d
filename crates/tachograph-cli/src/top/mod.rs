//! `tachograph top`: shows a running program, or a recording, in the terminal.
//!
//! The [`Model`] holds the data and the state of the screen; it has no terminal and no clock. Keys
//! and messages change it, and [`draw`] turns it into a screen. `run` connects it to the stream,
//! the keyboard and the terminal.
//!
//! May use all of this crate but the command line. In reading order:
//! - `remote`: the answer of `/alerts`
//! - `model`: the data and the state of the screen
//! - `rows`: the rows of the table of series
//! - `keys`: the keyboard
//! - `draw`: numbers, lines and charts; `pages`: the pages made of them
//! - `screen`: the terminal
//! - `feed`: the stream, the alerts and the signals, on their own thread

mod draw;
mod feed;
mod keys;
mod model;
mod pages;
mod remote;
mod rows;
mod screen;

use std::io::{IsTerminal, stdout};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime};

use tachograph_history::Settings;

use crate::commands::Source;
use crate::failure::Failure;
use crate::replay::Replay;

pub use self::draw::heat::Heat;
pub use self::draw::theme::{Colours, Theme};
pub use self::keys::press;
pub use self::model::{Link, Model, Page, Sort};
pub use self::pages::draw;
pub use self::remote::Alerts;
pub use self::rows::{Row, rows};
pub use self::screen::Screen;

/// What the threads send to the model.
#[derive(Debug)]
pub(crate) enum Message {
    Key(ratatui::crossterm::event::KeyEvent),
    /// The terminal was resized or focused: the screen has to be drawn again.
    Redraw,
    News(crate::live::News),
    Alerts(Option<Alerts>),
    /// The program has to end: after a signal, or because of this failure.
    Stop(Option<Failure>),
}

/// The shortest time between two redraws.
const REDRAW: Duration = Duration::from_millis(100);

/// The longest time between two redraws: ages on the screen grow meanwhile.
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
