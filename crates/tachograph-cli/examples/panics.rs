//! Draws in the terminal and panics: the terminal must be restored.

use std::error::Error;
use std::path::Path;

use tachograph_cli::Replay;
use tachograph_cli::top::{Colours, Link, Model, Screen, Theme};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("which recording?")?;
    let theme = Theme { colours: Colours::Sixteen, light: false };
    let mut model = Model::new(&file, Replay::read(Path::new(&file))?, Link::File, theme);
    let mut screen = Screen::open()?;
    screen.draw(&mut model)?;
    std::thread::sleep(std::time::Duration::from_secs(1));
    panic!("this panic is meant");
}
