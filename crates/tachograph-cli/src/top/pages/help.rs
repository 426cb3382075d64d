//! The page of keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::top::draw::lines::lines;
use crate::top::model::Model;

const KEYS: [(&str, &str); 21] = [
    ("1 2 3 4, tab", "health, series, alerts, doctor; next page"),
    ("↑ ↓, k j", "previous, next line"),
    ("pgup pgdn, b f", "ten lines up, down"),
    ("g G", "first, last line"),
    ("enter", "the selected series, or that of the selected alert or finding"),
    ("esc", "back"),
    ("/", "search: keys that contain every word; esc clears it"),
    ("s", "sort by rate, p99, max, name"),
    ("r", "reverse the order"),
    ("+ -", "shorter, longer range: 1 min to 2 h, or everything"),
    ("space", "pause at this frame; resume"),
    ("← →, h l", "one frame back, forward"),
    ("[ ]", "a minute back, forward"),
    ("home end", "oldest, newest frame"),
    ("t", "colours for a dark or a light background"),
    ("?, F1", "this help"),
    ("q, ctrl-c", "quit"),
    ("", ""),
    ("first lines", "rates of ten seconds; percentiles of the time they name"),
    ("rate/now", "rate per second over ten seconds; of a gauge, its value"),
    ("p50 … max", "over the range; – if nothing was recorded"),
];

pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &mut Model) {
    let theme = model.theme;
    let key = |(key, does): (&'static str, &'static str)| {
        vec![Span::styled(format!(" {key:<16}"), theme.strong()), Span::raw(does)]
    };
    let mut all: Vec<_> = KEYS.into_iter().map(key).collect();
    let colours = "NO_COLOR=1: none, COLORTERM=truecolor: 256";
    all.push(vec![Span::styled(format!(" {:<16}{colours}", "colours"), theme.quiet())]);
    model.scroll = lines(buffer, area, model.scroll, all);
}
