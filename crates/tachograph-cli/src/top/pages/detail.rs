//! The page of one series: heat map, percentiles, histogram.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use tachograph::{Kind, Unit};
use tachograph_history::{Definition, Frame, TimingStep};

use crate::top::draw::charts;
use crate::top::draw::lines::{below, row, rule, write};
use crate::top::draw::text::{number, rate, value};
use crate::top::model::Model;
use crate::top::rows;

pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model) {
    let Some(definition) = model.chosen() else {
        let text = " this series does not exist any more: esc goes back";
        return write(buffer, row(area, 0), vec![Span::styled(text, model.theme.quiet())]);
    };
    title(buffer, area, model, definition);
    let body = below(area, 3);
    let range = model.range();
    match definition.kind {
        Kind::Timing | Kind::Histogram => match rows::merged(&range, definition.number) {
            Some(samples) => distribution(buffer, body, model, definition, &samples),
            None => {
                let text = " nothing recorded in this range: - selects a longer one";
                write(buffer, row(body, 0), vec![Span::styled(text, model.theme.quiet())]);
            }
        },
        _ => {
            let what = if definition.kind == Kind::Gauge { "value" } else { "per second" };
            let name = format!("{what}, {}", charts::heat_title(model, area.width));
            rule(buffer, row(body, 0), &name, model);
            charts::columns(buffer, below(body, 1), model, definition);
        }
    }
}

/// Draws the key, kind, unit and description, and the numbers over the range.
fn title(buffer: &mut Buffer, area: Rect, model: &Model, definition: &Definition) {
    let theme = model.theme;
    let unit = match definition.unit.name() {
        "" => String::new(),
        unit => format!(" in {unit}"),
    };
    let of = format!("  {}{unit}", definition.kind.name());
    let key = Span::styled(format!(" {}", definition.key), theme.strong());
    write(buffer, row(area, 0), vec![key, Span::styled(of, theme.quiet())]);
    if area.height > 1 {
        let description = format!(" {}", definition.description);
        write(buffer, row(area, 1), vec![Span::styled(description, theme.quiet())]);
    }
    if area.height > 2 {
        let mut parts =
            vec![Span::styled(format!(" {}: ", charts::range_name(model)), theme.quiet())];
        parts.push(Span::raw(numbers(model, definition)));
        write(buffer, row(area, 2), parts);
    }
}

fn numbers(model: &Model, definition: &Definition) -> String {
    let (range, unit) = (model.range(), &definition.unit);
    match definition.kind {
        Kind::Counter | Kind::UpDownCounter => {
            let change = |frame: &Arc<Frame>| frame.counter(definition.number).unwrap_or_default();
            let sum = range.iter().map(change).fold(0, i128::saturating_add);
            let timed = range.iter().filter(|frame| frame.marks.is_empty());
            let seconds: f64 = timed.clone().map(|frame| frame.span().as_secs_f64()).sum();
            let amount = timed.map(change).fold(0, i128::saturating_add);
            let mean = (seconds > 0.0).then(|| amount as f64 / seconds);
            format!("change {}, {} on average", number(sum as f64), rate(mean))
        }
        Kind::Gauge => {
            let mut gauges = range.iter().filter_map(|frame| frame.gauge(definition.number));
            let Some(first) = gauges.next() else { return "nothing set".to_owned() };
            let mut all = *first;
            gauges.for_each(|step| all.append(step));
            format!(
                "now {}, mean {}, min {}, max {}, set {} times",
                value(all.current, unit),
                value(all.mean, unit),
                value(all.min, unit),
                value(all.max, unit),
                number(all.count as f64)
            )
        }
        Kind::Timing | Kind::Histogram => match rows::merged(&range, definition.number) {
            None => "nothing recorded".to_owned(),
            Some(all) => format!(
                "{} samples, mean {}, p50 {}, p99 {}, max {}",
                number(all.count as f64),
                value(all.mean(), unit),
                value(all.quantile(0.5), unit),
                value(all.quantile(0.99), unit),
                value(Some(all.max), unit)
            ),
        },
    }
}

fn distribution(
    buffer: &mut Buffer,
    area: Rect,
    model: &Model,
    definition: &Definition,
    samples: &TimingStep,
) {
    // The heat map has the upper half, but at most 24 lines; percentiles and histogram share the
    // rest.
    let heat = (area.height.saturating_sub(2) / 2).min(24);
    rule(
        buffer,
        row(area, 0),
        &format!("heat map, {}", charts::heat_title(model, area.width)),
        model,
    );
    charts::heat(buffer, Rect { height: heat, ..below(area, 1) }, model, definition);
    let rest = below(area, heat + 1);
    if rest.height < 3 {
        return;
    }
    let unit: &Unit = &definition.unit;
    let half = rest.width / 2;
    let left = Rect { width: half, ..rest };
    let right = Rect { x: rest.x + half, width: rest.width - half, ..rest };
    rule(buffer, row(left, 0), "percentiles, within 4.5 %", model);
    charts::spectrum(buffer, below(left, 1), model, (samples, unit));
    rule(buffer, row(right, 0), "histogram", model);
    charts::histogram(buffer, below(right, 1), model, (samples, unit));
}
