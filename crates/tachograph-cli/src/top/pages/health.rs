//! The overview: the most important numbers, the busiest series, a heat map.

use std::collections::BTreeMap;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use tachograph::{Kind, Unit};
use tachograph_history::{Definition, Frame};

use super::{alerts, list};
use crate::top::draw::charts;
use crate::top::draw::lines::{below, lines, row, rule, write};
use crate::top::draw::text::{clock, number, rate, sparkline, value};
use crate::top::model::Model;
use crate::top::rows::{self, Row};

/// The metric that stands for the latency of the program, if it has that metric.
const LATENCY: &str = "event.processing.duration";

/// Screens of at least this width have a second column.
const WIDE: u16 = 120;

pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model) {
    let mut rest = area;
    if let Some(alerts) = &model.alerts {
        let firing = alerts::firing(alerts, model);
        // At most two: the page of alerts has all of them.
        for parts in firing.into_iter().take(if area.height > 14 { 2 } else { 1 }) {
            write(buffer, row(rest, 0), parts);
            rest = below(rest, 1);
        }
    }
    for parts in Numbers::of(model).lines() {
        if rest.height > 1 {
            write(buffer, row(rest, 0), parts);
            rest = below(rest, 1);
        }
    }
    let rows = model.rows();
    let pictured = pictured(model, &rows);
    let left =
        if area.width >= WIDE { Rect { width: area.width - area.width / 3, ..rest } } else { rest };
    if area.width >= WIDE {
        // A column between the two stays empty.
        let x = rest.x + left.width + 1;
        let right = Rect { x, width: rest.width - left.width - 1, ..rest };
        tiles(buffer, right, model, pictured.as_ref());
    }
    // If there is not enough room, the table stays and the heat map is left out.
    let lines = u16::try_from(rows.len() + 3).unwrap_or(u16::MAX);
    let heat = match left.height {
        0..12 => 0,
        height => height.saturating_sub(lines).max(height / 3).clamp(5, 28),
    };
    let has_heat = pictured.is_some() && heat > 0;
    let table = left.height - if has_heat { heat + 1 } else { 0 };
    rule(buffer, row(left, 0), &format!("busiest, {}", charts::range_name(model)), model);
    list::table(buffer, Rect { height: table.saturating_sub(1), ..below(left, 1) }, model, &rows);
    if let Some(definition) = pictured.filter(|_| has_heat) {
        let lower = below(left, table);
        let title = format!("{}, {}", definition.key, charts::heat_title(model, lower.width));
        rule(buffer, row(lower, 0), &title, model);
        charts::heat(buffer, below(lower, 1), model, &definition);
    }
}

/// The timing in the heat map: the selected one, else the program's latency, else the busiest.
fn pictured(model: &Model, rows: &[Row]) -> Option<Arc<Definition>> {
    let is_timing = |it: &&Arc<Definition>| matches!(it.kind, Kind::Timing | Kind::Histogram);
    let history = model.replay.history();
    let latency = || history.number(LATENCY).and_then(|number| history.definition(number));
    let busiest = || rows.iter().map(|row| &row.definition).find(is_timing);
    model.chosen().filter(is_timing).or_else(latency).or_else(busiest).cloned()
}

/// Draws the second column of wide screens: percentiles, worst samples, alerts.
fn tiles(buffer: &mut Buffer, area: Rect, model: &Model, pictured: Option<&Arc<Definition>>) {
    let mut rest = area;
    if let Some(definition) = pictured {
        let range = model.range();
        if let Some(samples) = rows::merged(&range, definition.number) {
            let lines = (charts::SPECTRUM.len() + 2) as u16;
            rule(buffer, row(rest, 0), &format!("percentiles of {}", definition.key), model);
            let spectrum =
                Rect { height: lines.min(rest.height.saturating_sub(1)), ..below(rest, 1) };
            charts::spectrum(buffer, spectrum, model, (&samples, &definition.unit));
            rest = below(rest, lines + 1);
        }
        if rest.height > 3 {
            rule(buffer, row(rest, 0), "worst samples", model);
            let worst = worst(&range, definition);
            for (line, (at, max)) in (1..rest.height.min(6)).zip(worst) {
                let text = format!(" {:>9}  {}", value(Some(max), &definition.unit), clock(at));
                write(buffer, row(rest, line), vec![Span::raw(text)]);
            }
            rest = below(rest, 6);
        }
    }
    if rest.height > 2 && model.alerts.is_some() {
        rule(buffer, row(rest, 0), "alerts", model);
        let all = alerts::overview(model).into_iter().flatten().collect();
        lines(buffer, below(rest, 1), 0, all);
    }
}

/// The greatest sample of each frame with the end of the frame, greatest first.
fn worst(range: &[Arc<Frame>], definition: &Definition) -> Vec<(u64, f64)> {
    let of = |frame: &Arc<Frame>| Some((frame.end_ms, frame.timing(definition.number)?.max));
    let mut found: Vec<_> = range.iter().filter_map(of).collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found
}

/// The most important numbers, over the last ten seconds.
struct Numbers<'a> {
    model: &'a Model,
    recent: Vec<Arc<Frame>>,
    by_name: BTreeMap<&'a str, Vec<&'a Arc<Definition>>>,
}

impl<'a> Numbers<'a> {
    fn of(model: &'a Model) -> Self {
        let mut by_name: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for definition in model.replay.history().definitions() {
            by_name.entry(&definition.name).or_default().push(definition);
        }
        let mut recent = model.range();
        let at = model.at_ms();
        recent.retain(|frame| frame.end_ms + 10_000 > at && frame.marks.is_empty());
        Self { model, recent, by_name }
    }

    /// The series that stand for a metric: the untagged one if there is one, else all of them.
    fn series(&self, name: &str) -> Option<Vec<&'a Arc<Definition>>> {
        let all = self.by_name.get(name)?;
        let untagged = all.iter().find(|it| it.tags.is_empty());
        Some(untagged.map_or_else(|| all.clone(), |it| vec![it]))
    }

    /// The increase of a counter.
    fn count(&self, name: &str) -> Option<f64> {
        let series = self.series(name)?;
        let changes = self
            .recent
            .iter()
            .flat_map(|frame| series.iter().filter_map(|it| frame.counter(it.number)));
        Some(changes.fold(0.0, |sum, change| sum + change as f64))
    }

    /// The rate of a counter per second; 0 if the program has no such metric yet.
    fn rate(&self, name: &str) -> Option<f64> {
        let seconds: f64 = self.recent.iter().map(|frame| frame.span().as_secs_f64()).sum();
        (seconds > 0.0).then(|| self.count(name).unwrap_or_default() / seconds)
    }

    /// The current value of a gauge.
    fn gauge(&self, name: &str) -> Option<f64> {
        let number = self.series(name)?.first()?.number;
        let frames = self.model.replay.history().frames(tachograph_history::Depth::Fine).rev();
        let mut frames = frames.filter(|frame| frame.end_ms <= self.model.at_ms());
        frames.find_map(|frame| frame.gauge(number))?.current
    }

    fn lines(&self) -> Vec<Vec<Span<'static>>> {
        let is_host = ["events.processed", LATENCY].iter().any(|it| self.by_name.contains_key(it));
        if is_host { vec![self.events(), self.links()] } else { vec![self.any()] }
    }

    /// ` events 4,982/s ▁▂▃▃▄▅  p50 8.9µs  p95 120µs  p99 330µs  max 1.9ms, 1 min`
    fn events(&self) -> Vec<Span<'static>> {
        let mut parts = self.named("events", rate(self.rate("events.processed")));
        if let Some(events) = self.series("events.processed").and_then(|it| it.first().copied()) {
            let trend = rows::trend(&self.model.range(), events, self.model, 6);
            parts.push(Span::styled(format!(" {}", sparkline(&trend)), self.model.theme.accent()));
        }
        let number = self.series(LATENCY).and_then(|it| Some(it.first()?.number));
        let range = self.model.range();
        // Of the last frame with samples, while they are in the window.
        let from = self.model.at_ms().saturating_sub(self.model.window_ms());
        let mut recent = range.iter().rev().take_while(|frame| frame.end_ms > from);
        let last = number.and_then(|it| recent.find_map(|frame| frame.timing(it)));
        let window = last.and_then(|step| {
            let merged = || {
                let of = |q| step.quantile(q);
                Some([of(0.5)?, of(0.95)?, of(0.99)?, step.max])
            };
            step.window.map(|it| [it.p50, it.p95, it.p99, it.max]).or_else(merged)
        });
        for (place, name) in ["p50", "p95", "p99", "max"].into_iter().enumerate() {
            let at = window.map(|window| window[place]);
            parts.extend(self.named(name, value(at, &Unit::Seconds)));
        }
        let length = value(Some(self.model.window_ms() as f64 / 1e3), &Unit::Seconds);
        parts.push(Span::styled(format!(", {length}"), self.model.theme.quiet()));
        parts
    }

    /// ` udp 4,990/s loss 0.00%  gaps 0  ws 3  sent 4,980/s  cache 87.3%  errors 0`
    fn links(&self) -> Vec<Span<'static>> {
        let count = |name| self.count(name).unwrap_or_default();
        let theme = self.model.theme;
        let received = count("udp.packet.received");
        let lost = (count("udp.packet.dropped") - count("udp.packet.recovered")).max(0.0);
        let share = |part: f64, all: f64| {
            if all > 0.0 { format!("{:.2} %", part / all * 100.0) } else { "–".to_owned() }
        };
        let mut parts = Vec::new();
        let has = |name| self.by_name.contains_key(name);
        if has("udp.packet.received") {
            parts = self.named("udp", rate(self.rate("udp.packet.received")));
            parts.push(Span::styled(" loss ", theme.quiet()));
            let loss = share(lost, received + lost);
            parts.push(Span::styled(loss, if lost > 0.0 { theme.bad() } else { theme.strong() }));
            parts.extend(self.named("gaps", number(count("udp.sequence.gap"))));
        }
        if has("websocket.clients") {
            parts.extend(self.named("ws", value(self.gauge("websocket.clients"), &Unit::None)));
            parts.extend(self.named("sent", rate(self.rate("websocket.broadcast.success"))));
        }
        if has("cache.hit") || has("cache.miss") {
            let (hits, misses) = (count("cache.hit"), count("cache.miss"));
            parts.extend(self.named("cache", share(hits, hits + misses)));
        }
        let errors = self
            .by_name
            .keys()
            .filter(|name| name.starts_with("errors.") && !name.ends_with(".by_type"));
        let errors = errors.fold(0.0, |sum, name| sum + count(name));
        parts.push(Span::styled("  errors ", theme.quiet()));
        let style = if errors > 0.0 { theme.bad() } else { theme.strong() };
        parts.push(Span::styled(number(errors), style));
        parts
    }

    /// The collector's own numbers, for any other program.
    fn any(&self) -> Vec<Span<'static>> {
        let own = |unit: Unit, name: &str| value(self.gauge(name), &unit);
        let mut parts = self.named("records", rate(self.rate("telemetry.recorded")));
        parts.extend(self.named("series", own(Unit::None, "telemetry.series")));
        parts.extend(self.named("threads", own(Unit::None, "telemetry.recorders")));
        parts.extend(self.named("memory", own(Unit::Bytes, "telemetry.memory")));
        let dropped = self.count("telemetry.dropped").unwrap_or_default();
        parts.extend(self.named("dropped", number(dropped)));
        parts
    }

    fn named(&self, name: &'static str, text: String) -> Vec<Span<'static>> {
        let theme = self.model.theme;
        vec![Span::styled(format!("  {name} "), theme.quiet()), Span::styled(text, theme.strong())]
    }
}
