//! Colours for terminals with 256, 16 or no colours.

use ratatui::style::{Color, Modifier, Style};

/// The colours that a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// None, because of `NO_COLOR` or a terminal without any: bold and dim text, block characters.
    None,
    /// The 16 of every terminal. Heat maps have shades of one colour.
    Sixteen,
    /// The 256 of the xterm palette.
    Palette,
}

/// The colours to draw with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// The colours that the terminal has.
    pub colours: Colours,
    /// Whether the background is light.
    pub light: bool,
}

/// The colours of a heat map on a dark background, from few samples to many: from violet over green
/// to yellow, as indexes into the xterm palette. A light background has them in reverse order.
const RAMP: [u8; 10] = [54, 60, 24, 30, 36, 35, 71, 113, 149, 226];

impl Theme {
    /// The colours for an environment, from its variables `NO_COLOR`, `COLORTERM`, `TERM` and
    /// `COLORFGBG`.
    pub fn of_environment(light: bool, get: impl Fn(&str) -> Option<String>) -> Self {
        let is_set = |name: &str| get(name).is_some_and(|value| !value.is_empty());
        let term = get("TERM").unwrap_or_default();
        let colours = if is_set("NO_COLOR") || term == "dumb" {
            Colours::None
        } else if is_set("COLORTERM") || term.contains("256color") {
            Colours::Palette
        } else {
            Colours::Sixteen
        };
        // Some terminals set it to "foreground;background"; 7 and 15 are white.
        let fgbg = get("COLORFGBG").unwrap_or_default();
        let is_white = matches!(fgbg.rsplit(';').next(), Some("7" | "15"));
        Self { colours, light: light || is_white }
    }

    fn colour(self, palette: (u8, u8), sixteen: Color) -> Style {
        match self.colours {
            Colours::None => Style::new(),
            Colours::Sixteen => Style::new().fg(sixteen),
            Colours::Palette => {
                Style::new().fg(Color::Indexed(if self.light { palette.1 } else { palette.0 }))
            }
        }
    }

    /// For less important text: labels, rules, help.
    pub(crate) fn quiet(self) -> Style {
        match self.colours {
            Colours::None => Style::new().add_modifier(Modifier::DIM),
            _ => self.colour((245, 240), Color::DarkGray),
        }
    }

    /// For important numbers.
    pub(crate) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// For lines and bars.
    pub(crate) fn accent(self) -> Style {
        self.colour((74, 25), Color::Cyan)
    }

    /// For a good state.
    pub(crate) fn good(self) -> Style {
        self.colour((78, 28), Color::Green)
    }

    /// For a state that needs attention.
    pub(crate) fn warning(self) -> Style {
        self.colour((214, 130), Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// For a bad state, and nothing else.
    pub(crate) fn bad(self) -> Style {
        self.colour((203, 160), Color::Red).add_modifier(Modifier::BOLD)
    }

    /// For a cell of a heat map that is this full, from 0 to 1.
    pub(crate) fn heat(self, share: f64) -> Style {
        let place = (share.clamp(0.0, 1.0) * (RAMP.len() - 1) as f64).round() as usize;
        match self.colours {
            Colours::None => Style::new(),
            Colours::Sixteen => Style::new().fg(Color::Cyan),
            Colours::Palette => {
                let place = if self.light { RAMP.len() - 2 - place.min(8) } else { place };
                Style::new().fg(Color::Indexed(RAMP[place]))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_how_many_colours_there_are() {
        let of = |set: &[(&str, &str)]| {
            let set: Vec<_> = set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            Theme::of_environment(false, move |name| {
                set.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
            })
        };
        assert_eq!(of(&[("TERM", "xterm")]).colours, Colours::Sixteen);
        assert_eq!(of(&[("TERM", "xterm-256color")]).colours, Colours::Palette);
        assert_eq!(of(&[("TERM", "xterm"), ("COLORTERM", "truecolor")]).colours, Colours::Palette);
        let none = of(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]);
        assert_eq!((none.colours, none.heat(1.0).fg, none.bad().fg), (Colours::None, None, None));
        assert_eq!(of(&[("TERM", "xterm"), ("NO_COLOR", "")]).colours, Colours::Sixteen);
        assert!(of(&[("COLORFGBG", "0;15")]).light && !of(&[("COLORFGBG", "15;0")]).light);
    }
}
