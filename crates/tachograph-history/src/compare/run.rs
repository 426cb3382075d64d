//! One of the two runs: its frames in thirty stretches, and the measures of a series.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Side;
use super::interval::{dispersion, ranks};
use crate::buckets::Buckets;
use crate::definition::Definition;
use crate::frame::{Frame, GaugeStep, Mark, TimingStep};

/// Schmeiser (1982) advises between 10 and 30 batches.
const STRETCHES: u128 = 30;

/// Fewer tell nothing of how much counts vary.
const STRETCHES_MIN: usize = 10;

/// A recording to be compared.
///
/// Marked frames give their counts and samples, but no rate. A first frame that holds much from
/// before the recording gives nothing.
#[derive(Clone, Debug, Default)]
pub struct Run {
    series: BTreeMap<Arc<str>, Arc<Definition>>,
    stretches: Vec<Frame>,
    marked: Option<Frame>,
    /// The last of each gauge in any frame, also in those that a program starts with.
    last: BTreeMap<u32, GaugeStep>,
}

impl Run {
    /// From all frames of a recording, in their order.
    pub fn new(definitions: &[Arc<Definition>], frames: &[Arc<Frame>]) -> Self {
        let series = definitions.iter().map(|it| (Arc::clone(&it.key), Arc::clone(it))).collect();
        let (plain, marked): (Vec<_>, Vec<_>) =
            frames.iter().partition(|frame| frame.marks.is_empty());
        // Wide, because a file may say anything.
        let total: u128 = plain.iter().map(|frame| u128::from(frame.span_ms)).sum();
        let last = frames.iter().flat_map(|frame| frame.gauges.iter().copied()).collect();
        let mut run = Self { series, last, ..Self::default() };
        let (mut passed, mut open) = (0, None);
        for frame in plain {
            let span = u128::from(frame.span_ms);
            let place = (passed + span / 2) * STRETCHES / total.max(1);
            passed += span;
            match run.stretches.last_mut().filter(|_| open == Some(place)) {
                Some(stretch) => stretch.append(frame),
                None => run.stretches.push(Frame::clone(frame)),
            }
            open = Some(place);
        }
        let is_before = is_before(frames);
        for frame in marked.into_iter().skip(usize::from(is_before)) {
            match &mut run.marked {
                Some(marked) => marked.append(frame),
                None => run.marked = Some(Frame::clone(frame)),
            }
        }
        run
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Arc<str>> {
        self.series.keys()
    }

    /// Whether its variation is known well enough to call a change sure.
    pub(super) fn is_long(&self) -> bool {
        self.stretches.len() >= STRETCHES_MIN
    }

    pub(super) fn part(&self, key: &str) -> Part<'_> {
        Part { run: self, series: self.series.get(key) }
    }
}

/// A series in a run; it may have none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    run: &'a Run,
    series: Option<&'a Arc<Definition>>,
}

impl<'a> Part<'a> {
    pub(super) fn definition(&self) -> Option<&'a Definition> {
        self.series.map(|it| &**it)
    }

    pub(super) fn seconds(&self) -> f64 {
        self.run.stretches.iter().map(|it| it.span().as_secs_f64()).sum()
    }

    /// Its events or samples in a stretch.
    fn amount(&self, stretch: &Frame) -> i128 {
        let Some(number) = self.series.map(|it| it.number) else { return 0 };
        let samples = || stretch.timing(number).map(|step| i128::from(step.count));
        stretch.counter(number).or_else(samples).unwrap_or_default()
    }

    fn total<'f>(&self, frames: impl IntoIterator<Item = &'f Frame>) -> i128 {
        frames.into_iter().map(|it| self.amount(it)).fold(0, i128::saturating_add)
    }

    /// Its events or samples in frames without marks: those that rates are of.
    pub(super) fn timed(&self) -> i128 {
        self.total(&self.run.stretches)
    }

    /// Its events or samples in all frames.
    fn count(&self) -> u64 {
        let all = self.total(self.run.stretches.iter().chain(&self.run.marked));
        u64::try_from(all.max(0)).unwrap_or(u64::MAX)
    }

    /// The counts of all stretches, each with what a constant rate would give.
    pub(super) fn counts(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let rate = self.timed() as f64 / self.seconds();
        self.run.stretches.iter().map(move |stretch| {
            let expected = rate * stretch.span().as_secs_f64();
            (self.amount(stretch) as f64, expected, expected)
        })
    }

    pub(super) fn rate(&self) -> Side {
        let seconds = self.seconds();
        let value = (seconds > 0.0).then(|| self.timed() as f64 / seconds);
        Side { value, count: self.count(), ..Side::default() }
    }

    /// A quantile of all samples, within the buckets in which its ranks are.
    pub(super) fn quantile(&self, q: f64, doubt: f64) -> Option<Side> {
        let number = self.series?.number;
        let steps = || self.run.stretches.iter().filter_map(|it| it.timing(number));
        let marked = self.run.marked.iter().filter_map(|it| it.timing(number));
        let all = steps().chain(marked).fold(None, |sum: Option<TimingStep>, step| match sum {
            Some(mut sum) => {
                sum.append(step);
                Some(sum)
            }
            None => Some(step.clone()),
        })?;
        let value = all.quantile(q)?;
        let bucket = at_rank(&all.buckets, (q * all.count as f64).ceil() as u64);
        let share = up_to(&all.buckets, bucket) / all.count as f64;
        let spread = dispersion(steps().map(|step| {
            let count = step.count as f64;
            (up_to(&step.buckets, bucket), share * count, share * (1.0 - share) * count)
        }));
        let (low, high) = ranks(q, all.count, all.count as f64 / spread, doubt);
        let edge =
            |rank, below| Buckets::upper_edge(at_rank(&all.buckets, rank).saturating_sub(below));
        Some(Side {
            value: Some(value),
            low: low.map(|rank| edge(rank, 1).max(all.min).min(value)),
            high: high.map(|rank| edge(rank, 0).min(all.max).max(value)),
            count: all.count,
        })
    }

    /// The median of the means of stretches; those in which it was not set do not count. A gauge
    /// that was set in none keeps the value that it had from the start.
    pub(super) fn level(&self, doubt: f64) -> Side {
        let Some(number) = self.series.map(|it| it.number) else { return Side::default() };
        let steps: Vec<&GaugeStep> =
            self.run.stretches.iter().filter_map(|it| it.gauge(number)).collect();
        let marked = self.run.marked.iter().filter_map(|it| it.gauge(number));
        let all = steps.iter().copied().chain(marked);
        let set = all.fold(0, |sum: u64, it| sum.saturating_add(it.count));
        let mut means: Vec<f64> = steps.iter().filter_map(|it| it.mean.or(it.current)).collect();
        means.sort_by(f64::total_cmp);
        let kept = self.run.last.get(&number).filter(|_| means.is_empty());
        if let Some(kept) = kept {
            return Side { value: kept.current, count: set, ..Side::default() };
        }
        let count = means.len();
        let at = |rank: u64| means.get((rank as usize).max(1) - 1).copied();
        let (low, high) = match count {
            0 => (None, None),
            _ => ranks(0.5, count as u64, count as f64, doubt),
        };
        Side {
            value: at(count.div_ceil(2) as u64),
            low: low.and_then(at),
            high: high.and_then(at),
            count: set,
        }
    }
}

/// Whether the first frame is one that a program starts with and holds more than two and a half of
/// its other frames: most of it was recorded before the recording began.
fn is_before(frames: &[Arc<Frame>]) -> bool {
    let Some((first, rest)) = frames.split_first() else { return false };
    let shortest = rest.iter().map(|it| it.span()).filter(|it| !it.is_zero()).min();
    first.marks.contains(&Mark::Start) && shortest.is_some_and(|step| first.is_late(step))
}

/// The bucket in which the sample of a rank is.
fn at_rank(buckets: &Buckets, rank: u64) -> i16 {
    let mut below = 0u64;
    let found = buckets.iter().find(|(_, count)| {
        below = below.saturating_add(*count);
        below >= rank
    });
    found.or_else(|| buckets.iter().last()).map_or(Buckets::ZERO, |it| it.0)
}

/// The number of samples in a bucket and below.
fn up_to(buckets: &Buckets, bucket: i16) -> f64 {
    buckets.iter().take_while(|it| it.0 <= bucket).map(|it| it.1 as f64).sum()
}
