//! The rows of the table of series.

use std::collections::HashMap;
use std::sync::Arc;

use tachograph::Kind;
use tachograph_history::{Definition, Frame, Mark, Statistics, TimingStep};

use super::model::{Model, Sort};

/// The time that rates cover: the last ten seconds.
const RATE_MS: u64 = 10_000;

/// A series and the numbers in its row.
#[derive(Clone, Debug)]
pub struct Row {
    /// The series.
    pub definition: Arc<Definition>,
    /// The rate per second over the last ten seconds: of a counter's value, of a distribution's
    /// samples, or of the times a gauge was set. Frames with a mark are left out; `None` if no
    /// other frame remains.
    pub rate: Option<f64>,
    /// The current value of a gauge.
    pub current: Option<f64>,
    /// All samples of a timing or histogram in the range.
    pub samples: Option<TimingStep>,
    /// The greatest value of a gauge in the range.
    pub max: Option<f64>,
    /// The course over the range: a counter's rates, a gauge's values, a distribution's greatest
    /// samples.
    pub trend: Vec<Option<f64>>,
}

impl Row {
    /// A quantile of the samples in the range.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        self.samples.as_ref()?.quantile(q)
    }

    /// The greatest sample or value in the range.
    pub fn greatest(&self) -> Option<f64> {
        self.samples.as_ref().map(|samples| samples.max).or(self.max)
    }

    /// Computes the numbers that need all frames of the range; `trend` is the number of its slots.
    pub fn fill(&mut self, range: &[Arc<Frame>], model: &Model, trend: usize) {
        let number = self.definition.number;
        self.gather(range);
        if self.definition.kind == Kind::Gauge {
            let frames = model.replay.history().frames(tachograph_history::Depth::Fine);
            let mut before = frames.rev().filter(|frame| frame.end_ms <= model.at_ms());
            self.current = before.find_map(|frame| frame.gauge(number)).and_then(|it| it.current);
        }
        self.trend = self::trend(range, &self.definition, model, trend);
    }
}

impl Row {
    /// Computes what rows are sorted by.
    fn gather(&mut self, range: &[Arc<Frame>]) {
        let number = self.definition.number;
        match self.definition.kind {
            Kind::Timing | Kind::Histogram => self.samples = merged(range, number),
            Kind::Gauge => {
                self.max = range.iter().filter_map(|it| it.gauge(number)?.max).reduce(f64::max);
            }
            Kind::Counter | Kind::UpDownCounter => {}
        }
    }

    /// What is sorted by, greatest first; the least if it is unknown.
    fn rank(&self, sort: Sort) -> f64 {
        let rank = match sort {
            Sort::Name => None,
            Sort::Rate => self.rate,
            Sort::P99 => self.quantile(0.99),
            Sort::Max => self.greatest(),
        };
        rank.unwrap_or(f64::NEG_INFINITY)
    }
}

/// All samples of a series in these frames; `None` if there are none.
pub(super) fn merged(frames: &[Arc<Frame>], number: u32) -> Option<TimingStep> {
    let mut steps = frames.iter().filter_map(|frame| frame.timing(number));
    let mut sum = steps.next()?.clone();
    steps.for_each(|step| sum.append(step));
    Some(sum)
}

/// The course of a series over the range, with one value per column; `None` where it is unknown.
pub(super) fn trend(
    range: &[Arc<Frame>],
    definition: &Definition,
    model: &Model,
    columns: usize,
) -> Vec<Option<f64>> {
    let slot_ms = model.slot_ms(columns);
    let slot = |ms: u64| ms.saturating_sub(1) / slot_ms;
    let last = slot(model.at_ms());
    let mut slots: Vec<Vec<&Arc<Frame>>> = vec![Vec::new(); columns];
    for frame in range {
        let back = last.saturating_sub(slot(frame.end_ms)) as usize;
        if let Some(place) = columns.checked_sub(back + 1) {
            slots[place].push(frame);
        }
    }
    slots.iter().map(|frames| value(frames, definition)).collect()
}

fn value(frames: &[&Arc<Frame>], definition: &Definition) -> Option<f64> {
    let number = definition.number;
    match definition.kind {
        Kind::Counter | Kind::UpDownCounter => {
            let rates = frames.iter().filter(|frame| frame.marks.is_empty());
            let (amount, seconds) = rates.fold((0.0, 0.0), |(amount, seconds), frame| {
                let change = frame.counter(number).unwrap_or_default() as f64;
                (amount + change, seconds + frame.span().as_secs_f64())
            });
            (seconds > 0.0).then(|| amount / seconds)
        }
        Kind::Gauge => frames.iter().filter_map(|frame| frame.gauge(number)?.mean).next_back(),
        Kind::Timing | Kind::Histogram => {
            frames.iter().filter_map(|frame| Some(frame.timing(number)?.max)).reduce(f64::max)
        }
    }
}

/// The rows of the model's list, sorted. They have the numbers that sorting needs; [`Row::fill`]
/// computes the rest.
pub fn rows(model: &Model) -> Vec<Row> {
    let range = model.range();
    let at = model.at_ms();
    let recent = range.iter().filter(|it| it.end_ms + RATE_MS > at && it.marks.is_empty());
    let seconds: f64 = recent.clone().map(|frame| frame.span().as_secs_f64()).sum();
    let mut amounts: HashMap<u32, f64> = HashMap::new();
    for frame in recent {
        for (number, statistics) in frame.series() {
            *amounts.entry(number).or_default() += amount(statistics);
        }
    }
    let row = |definition: &Arc<Definition>| {
        let amount = amounts.get(&definition.number).copied().unwrap_or_default();
        Row {
            definition: Arc::clone(definition),
            rate: (seconds > 0.0).then(|| amount / seconds),
            current: None,
            samples: None,
            max: None,
            trend: Vec::new(),
        }
    };
    let wanted = |it: &&Arc<Definition>| model.wants(it);
    let rows = model.replay.history().definitions().filter(wanted).map(row);
    let ranked = rows.map(|mut row| {
        if matches!(model.sort, Sort::P99 | Sort::Max) {
            row.gather(&range);
        }
        (row.rank(model.sort), row)
    });
    let mut ranked: Vec<_> = ranked.collect();
    ranked.sort_by(|(a_rank, a), (b_rank, b)| {
        let by_name = a.definition.key.cmp(&b.definition.key);
        let order = match model.sort {
            Sort::Name => by_name,
            _ => b_rank.total_cmp(a_rank),
        };
        if model.is_reversed { order.reverse() } else { order }.then(by_name)
    });
    ranked.into_iter().map(|(_, row)| row).collect()
}

fn amount(step: Statistics<'_>) -> f64 {
    match step {
        Statistics::Counter(change) => change as f64,
        Statistics::Gauge(step) => step.count as f64,
        Statistics::Timing(step) => step.count as f64,
    }
}

/// Whether a frame belongs to a range that starts at `from_ms`. The first frame of a program covers
/// all the time before it, so it has to begin within the range.
pub(super) fn is_of(frame: &Frame, from_ms: u64) -> bool {
    let begin = frame.end_ms.saturating_sub(frame.span_ms);
    !frame.marks.contains(&Mark::Start) || begin >= from_ms
}
