//! The terminal, which is restored however the program ends.

use std::{process, thread};

use ratatui::DefaultTerminal;

use super::model::Model;
use super::pages;
use crate::failure::Failure;

/// The terminal while it shows pages. Dropping this restores the terminal; a panic on any thread
/// does so too, before its message is printed.
#[derive(Debug)]
pub struct Screen {
    terminal: DefaultTerminal,
}

impl Screen {
    /// Takes over the terminal.
    ///
    /// # Errors
    /// If standard output is no terminal, or it cannot be set up.
    pub fn open() -> Result<Self, Failure> {
        let terminal = ratatui::try_init()
            .map_err(|error| Failure::Failed(format!("cannot use the terminal: {error}")))?;
        Ok(Self { terminal })
    }

    /// Draws the model; writes only the cells that changed.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    pub fn draw(&mut self, model: &mut Model) -> Result<(), Failure> {
        let drawn = self.terminal.draw(|frame| pages::draw(frame, model));
        drawn.map_err(|error| Failure::Failed(format!("the terminal is gone: {error}")))?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A panic has already restored it: doing so again would overwrite its message.
        if !thread::panicking() {
            ratatui::restore();
        }
    }
}

/// Ends the program if the thread that holds this panics: nothing would update the screen any more,
/// and the panic has already restored the terminal.
pub(super) struct Vital;

impl Drop for Vital {
    fn drop(&mut self) {
        if thread::panicking() {
            process::exit(101);
        }
    }
}
