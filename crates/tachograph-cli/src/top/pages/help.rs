//! What keys do.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::top::draw::lines::lines;
use crate::top::model::Model;

const KEYS: [(&str, &str); 20] = [
    ("1 2 3 4, tab", "health, series, alerts, doctor; the next page"),
    ("↑ ↓, k j", "the series before, after; scroll"),
    ("pgup pgdn, b f", "ten at once"),
    ("g G", "to the first, to the last"),
    ("enter", "the chosen series in detail: heat map, percentiles, histogram"),
    ("esc", "back"),
    ("/", "search: every word must be in the key; esc clears it"),
    ("s", "sort by rate, p99, max, name"),
    ("r", "sort the other way round"),
    ("+ -", "a shorter, a longer range: 1 min to 2 h, everything"),
    ("space", "stop at this frame; go on"),
    ("← →, h l", "one frame back, forth"),
    ("[ ]", "a minute back, forth"),
    ("home end", "the oldest frame; the newest"),
    ("t", "colours for a dark or a light background"),
    ("?, F1", "this help"),
    ("q, ctrl-c", "quit"),
    ("", ""),
    ("rate/now", "a second, over the last ten seconds; of a gauge, its value"),
    ("p50 … max", "over the range; – across a restart, a reset or a gap"),
];

pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model) {
    let theme = model.theme;
    let key = |(key, does): (&'static str, &'static str)| {
        vec![Span::styled(format!(" {key:<16}"), theme.strong()), Span::raw(does)]
    };
    let mut all: Vec<_> = KEYS.into_iter().map(key).collect();
    let colours = "NO_COLOR=1: none, COLORTERM=truecolor: 256";
    all.push(vec![Span::styled(format!(" {:<16}{colours}", "colours"), theme.quiet())]);
    lines(buffer, area, model.scroll, all);
}
