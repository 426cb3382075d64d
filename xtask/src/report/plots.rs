//! Plots, drawn as SVG.

use anyhow::{Context, Result};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use serde::Deserialize;

use super::tables::{Cell, Table, Tables, figure};

/// One entry of `benches/plots.toml`: what to draw, and from which tables.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plot {
    pub(super) file: String,
    pub(super) title: String,
    unit: String,
    /// A group of bars per row, with a bar for each entry; rows are matched by their first cell.
    #[serde(default)]
    bars: Vec<Bars>,
    tails: Option<Tails>,
}

/// The bars of one colour.
#[derive(Debug, Deserialize)]
struct Bars {
    label: String,
    table: String,
    column: String,
}

/// A line per operation with this suffix, over quantiles, and one for no call at all.
#[derive(Debug, Deserialize)]
struct Tails {
    table: String,
    only: String,
}

/// The quantile columns of a table of tails.
const QUANTILES: [&str; 5] = ["p50", "p99", "p99.9", "p99.99", "max"];

/// Colours that colour-blind people can tell apart: those of Okabe and Ito.
const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(213, 94, 0),
];

const WIDTH: u32 = 860;
/// Space on the left for the names of the bars.
const NAMES: u32 = 230;
const BAR: u32 = 13;
const FONT: &str = "sans-serif";

/// Height of a group of bars in pixels.
fn group_height(series: &[Bars]) -> u32 {
    BAR * series.len() as u32 + 8
}

/// Height of the legend in pixels; 0 for a single colour.
fn legend_height(series: &[Bars]) -> u32 {
    if series.len() > 1 { 17 * series.len() as u32 + 20 } else { 0 }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

impl Plot {
    /// Parses a list of plots.
    pub(super) fn parse(file: &str) -> Result<Vec<Self>> {
        #[derive(Deserialize)]
        struct File {
            plot: Vec<Plot>,
        }
        Ok(toml::from_str::<File>(file).context("the list of plots")?.plot)
    }

    /// The plot as an SVG document.
    pub(super) fn draw(&self, tables: &Tables) -> Result<String> {
        let mut svg = String::new();
        if let Some(Tails { table, only }) = &self.tails {
            let lines = lines(tables.get(table)?, only)?;
            let area = SVGBackend::with_string(&mut svg, (WIDTH, 420)).into_drawing_area();
            self.draw_tails(&area, &lines)?;
        } else {
            let groups = groups(&self.bars, tables)?;
            let height = groups.len() as u32 * group_height(&self.bars) + legend_height(&self.bars);
            let area = SVGBackend::with_string(&mut svg, (WIDTH, 110 + height)).into_drawing_area();
            self.draw_bars(&area, &groups)?;
        }
        Ok(svg)
    }

    /// Every column that the plot reads, with its table.
    #[cfg(test)]
    pub(super) fn columns(&self) -> Vec<(String, String)> {
        let bars = self.bars.iter().map(|it| (it.table.clone(), it.column.clone()));
        let tails = self.tails.iter().flat_map(|tails| {
            let columns = QUANTILES.into_iter().chain([""]);
            columns.map(|column| (tails.table.clone(), column.to_owned()))
        });
        bars.chain(tails).collect()
    }

    fn draw_bars(&self, area: &Area<'_>, groups: &[Group]) -> Result<()> {
        area.fill(&WHITE)?;
        let series = &self.bars;
        let values = groups.iter().flat_map(|group| &group.values).flatten();
        let most = values.copied().fold(1.0, f64::max) * 1.12;
        let rows = groups.len() as f64;
        // Below the last group, where there are no bars.
        let legend = f64::from(legend_height(series)) / f64::from(group_height(series));
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, (FONT, 18))
            .margin(10)
            .margin_right(24)
            .margin_left(NAMES)
            .x_label_area_size(42)
            .build_cartesian_2d(0.0..most, -legend..rows)?;
        let mut mesh = chart.configure_mesh();
        mesh.disable_y_mesh().disable_y_axis().x_desc(&self.unit).label_style((FONT, 12));
        mesh.light_line_style(WHITE).x_label_formatter(&|ns| format!("{ns}"));
        mesh.draw()?;
        let small = (FONT, 12).into_font().color(&BLACK);
        let right = small.pos(Pos::new(HPos::Right, VPos::Center));
        let left = (FONT, 11).into_font().color(&BLACK).pos(Pos::new(HPos::Left, VPos::Center));
        let step = 0.84 / series.len() as f64;
        for (number, (of, colour)) in series.iter().zip(COLOURS).enumerate() {
            // The first group is at the top.
            let top = |group: usize| rows - group as f64 - 0.08 - number as f64 * step;
            let bars = groups.iter().enumerate().filter_map(|(group, it)| {
                let value = it.values[number]?.max(0.0);
                let corners = [(0.0, top(group)), (value, top(group) - step * 0.92)];
                Some(Rectangle::new(corners, colour.filled()))
            });
            let drawn = chart.draw_series(bars)?;
            drawn.label(&of.label).legend(move |(x, y)| {
                Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled())
            });
            for (group, it) in groups.iter().enumerate() {
                let Some(value) = it.values[number] else { continue };
                let (x, y) = chart.backend_coord(&(value.max(0.0), top(group) - step * 0.46));
                area.draw_text(&figure(value), &left, (x + 5, y))?;
            }
        }
        for (group, it) in groups.iter().enumerate() {
            let (x, y) = chart.backend_coord(&(0.0, rows - group as f64 - 0.5));
            area.draw_text(&it.name, &right, (x - 8, y))?;
        }
        if series.len() > 1 {
            let mut legend = chart.configure_series_labels();
            legend.position(SeriesLabelPosition::LowerRight).background_style(WHITE.mix(0.9));
            legend.border_style(BLACK.mix(0.2)).label_font((FONT, 12)).draw()?;
        }
        Ok(())
    }

    fn draw_tails(&self, area: &Area<'_>, lines: &[Group]) -> Result<()> {
        area.fill(&WHITE)?;
        let values = || lines.iter().flat_map(|line| &line.values).flatten().copied();
        let (least, most) = (values().fold(f64::MAX, f64::min), values().fold(1.0, f64::max));
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, (FONT, 18))
            .margin(10)
            .margin_right(24)
            .x_label_area_size(30)
            .y_label_area_size(70)
            .build_cartesian_2d(
                -0.2..QUANTILES.len() as f64 - 0.8,
                ((least * 0.8).max(0.1)..most * 1.5).log_scale(),
            )?;
        let mut mesh = chart.configure_mesh();
        mesh.disable_x_mesh().disable_x_axis().y_desc(&self.unit).label_style((FONT, 12));
        mesh.light_line_style(BLACK.mix(0.05)).y_label_formatter(&|ns| format!("{ns:.0}"));
        mesh.draw()?;
        for (line, colour) in lines.iter().zip(COLOURS) {
            let points = || {
                let values = line.values.iter().enumerate();
                values.filter_map(|(x, value)| Some((x as f64, (*value)?)))
            };
            let drawn = LineSeries::new(points(), colour.stroke_width(2)).point_size(3);
            let drawn = chart.draw_series(drawn)?;
            drawn.label(&*line.name).legend(move |(x, y)| {
                PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2))
            });
        }
        let style = (FONT, 12).into_font().color(&BLACK).pos(Pos::new(HPos::Center, VPos::Top));
        for (x, name) in QUANTILES.iter().enumerate() {
            let (x, y) = chart.backend_coord(&(x as f64, (least * 0.8).max(0.1)));
            area.draw_text(name, &style, (x, y + 8))?;
        }
        let mut legend = chart.configure_series_labels();
        legend.position(SeriesLabelPosition::UpperLeft).background_style(WHITE.mix(0.9));
        legend.border_style(BLACK.mix(0.2)).label_font((FONT, 12)).draw()?;
        Ok(())
    }
}

/// The bars of one row or the points of one line.
struct Group {
    name: String,
    values: Vec<Option<f64>>,
}

/// The rows of the first series' table, with the values of every series.
fn groups(series: &[Bars], tables: &Tables) -> Result<Vec<Group>> {
    let first = series.first().context("a plot without bars")?;
    let rows = &tables.get(&first.table)?.rows;
    let names = rows.iter().filter_map(|row| row.first()).map(Cell::to_string);
    let mut groups: Vec<_> =
        names.map(|name| Group { name, values: Vec::with_capacity(series.len()) }).collect();
    for Bars { table, column, .. } in series {
        let table = tables.get(table)?;
        let column = table.column(column)?;
        for group in &mut groups {
            let is_it =
                |row: &&Vec<Cell>| row.first().is_some_and(|cell| cell.to_string() == group.name);
            let row = table.rows.iter().find(is_it);
            group.values.push(row.and_then(|row| Table::number(row, column)));
        }
    }
    Ok(groups)
}

/// The tails of the selected calls, and the machine's own tail from the first of them.
fn lines(table: &Table, only: &str) -> Result<Vec<Group>> {
    let columns = QUANTILES.map(|name| table.column(name));
    let columns = columns.into_iter().collect::<Result<Vec<_>, _>>()?;
    let (operation, kind) = (table.column("operation")?, table.column("")?);
    let line = |row: &Vec<Cell>, name: String| Group {
        name,
        values: columns.iter().map(|column| Table::number(row, *column)).collect(),
    };
    let text = |row: &Vec<Cell>, column: usize| row.get(column).map(Cell::to_string);
    let wanted = |row: &&Vec<Cell>| text(row, operation).is_some_and(|name| name.ends_with(only));
    let of = |wanted_kind: &'static str| {
        let rows = table.rows.iter().filter(wanted);
        rows.filter(move |row| text(row, kind).as_deref() == Some(wanted_kind))
    };
    let calls = of("call").map(|row| line(row, text(row, operation).unwrap_or_default()));
    let nothing = of("nothing").take(1).map(|row| line(row, "no call at all".to_owned()));
    Ok(calls.chain(nothing).collect())
}
