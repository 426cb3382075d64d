//! The terminal, given back as it was however the program ends.

use std::{process, thread};

use ratatui::DefaultTerminal;

use super::model::Model;
use super::pages;
use crate::failure::Failure;

/// The terminal while it shows screens. Dropping it gives the terminal back; a panic on any thread
/// does so too, before its message is printed.
#[derive(Debug)]
pub struct Screen {
    terminal: DefaultTerminal,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// If there is none.
    pub fn open() -> Result<Self, Failure> {
        let terminal = ratatui::try_init()
            .map_err(|error| Failure::Failed(format!("cannot use the terminal: {error}")))?;
        Ok(Self { terminal })
    }

    /// Shows the model; only what changed is written.
    ///
    /// # Errors
    /// If the terminal does not take it.
    pub fn draw(&mut self, model: &mut Model) -> Result<(), Failure> {
        let drawn = self.terminal.draw(|frame| pages::draw(frame, model));
        drawn.map_err(|error| Failure::Failed(format!("the terminal is gone: {error}")))?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A panic has given it back already: doing so again would write over its message.
        if !thread::panicking() {
            ratatui::restore();
        }
    }
}

/// Ends the program if the thread that holds it panics: a screen that nothing feeds shows no more,
/// and the terminal has been given back.
pub(super) struct Vital;

impl Drop for Vital {
    fn drop(&mut self) {
        if thread::panicking() {
            process::exit(101);
        }
    }
}
