//! Two recordings side by side: what changed, and how sure that is.
//!
//! Counts decide: a rate is known from the number of events, a quantile from the number of samples
//! below and above it. Bursts count less than independent samples: each run is divided into thirty
//! stretches, and where their counts vary more than independent ones would, the effective number of
//! samples is that much smaller. Changes that take longer than a thirtieth of a run, such as a
//! warm-up, are not noise in this sense: they are what is compared.

mod interval;
mod run;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use tachograph::{Kind, Unit};

use self::interval::{dispersion, proportion};
use self::run::Part;
pub use self::run::Run;

/// The probability that a change is called sure by chance.
const DOUBT: f64 = 0.05;

/// The name of the method and its sources, for those who read a comparison.
pub const METHOD: &str = "A change is sure where the interval of its factor, which is right with a \
    probability of at least 95 %, leaves out 1. Rates: the share that one run has of the events of \
    both, given their times (a conditional test of two Poisson rates), with Hoeffding's bound (1963) \
    on it. Quantiles: ranks by Woodruff's method (1952) with the same bound, for each run at 97.5 %, \
    and no better than the 9 % of a bucket. Levels of gauges: the median of a run's stretches, in \
    the same way. Bursts: counts are divided by their dispersion over thirty stretches of a run; \
    nothing is sure where a run has fewer than ten. \
    With many series, one in twenty may still differ by chance alone: trust large factors first.";

/// What is compared of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Events or samples per second.
    Rate,
    /// The median of a timing's or histogram's samples.
    P50,
    /// The quantile 0.95.
    P95,
    /// The quantile 0.99.
    P99,
    /// The median of a gauge's means.
    Level,
}

impl Measure {
    /// The quantile, of a distribution.
    fn quantile(self) -> Option<f64> {
        match self {
            Self::P50 => Some(0.5),
            Self::P95 => Some(0.95),
            Self::P99 => Some(0.99),
            Self::Rate | Self::Level => None,
        }
    }

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rate => "per second",
            Self::P50 => "p50",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::Level => "level",
        }
    }
}

/// A measure in one of two runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Side {
    /// The value, in the series' unit; per second for a rate. `None` without samples.
    pub value: Option<f64>,
    /// The least value that the counts leave possible; `None` without a bound.
    pub low: Option<f64>,
    /// The greatest such value.
    pub high: Option<f64>,
    /// The number of events or samples.
    pub count: u64,
}

/// A measure of a series in two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The series' display key.
    pub key: Arc<str>,
    /// Its unit.
    pub unit: Unit,
    /// What is compared.
    pub measure: Measure,
    /// In the earlier run.
    pub before: Side,
    /// In the later run.
    pub after: Side,
    /// The factor from before to after; `None` where one of them is 0, negative or missing.
    pub factor: Option<f64>,
    /// The least factor that the counts leave possible; `None` without a bound.
    pub low: Option<f64>,
    /// The greatest such factor.
    pub high: Option<f64>,
    /// Whether all possible factors are on one side of 1.
    pub is_sure: bool,
    /// By what factor, up or down, it changed at least: 1 unless the change is sure. `None` where
    /// it is beyond every factor: from 0, or across it.
    pub at_least: Option<f64>,
}

/// All measures of all series of two runs: sure changes first, by how large they are at least.
pub fn compare(before: &Run, after: &Run) -> Vec<Change> {
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let mut changes: Vec<_> =
        keys.into_iter().flat_map(|key| of_series(key, before, after)).collect();
    let size = |change: &Change| change.at_least.unwrap_or(f64::INFINITY);
    // Stable: by key and measure where nothing is sure.
    changes.sort_by(|a, b| size(b).total_cmp(&size(a)));
    changes
}

fn of_series(key: &Arc<str>, before: &Run, after: &Run) -> Vec<Change> {
    let (from, to) = (before.part(key), after.part(key));
    let Some(series) = to.definition().or(from.definition()) else { return Vec::new() };
    if from.definition().is_some_and(|it| (it.kind, &it.unit) != (series.kind, &series.unit)) {
        // They have nothing in common but the key: each is compared with nothing.
        let none = Run::default();
        return [of_series(key, before, &none), of_series(key, &none, after)].concat();
    }
    let changes = measures(series, &from, &to).into_iter();
    let is_known = before.is_long() && after.is_long();
    changes.map(|change| if is_known { change } else { change.unjudged() }).collect()
}

/// All measures of a series.
fn measures(series: &crate::Definition, from: &Part<'_>, to: &Part<'_>) -> Vec<Change> {
    let change = |measure, sides| Change::new(series, measure, sides);
    let quantile = |measure: Measure| {
        let side = |part: &Part<'_>| part.quantile(measure.quantile()?, DOUBT / 2.0);
        let sides = [side(from).unwrap_or_default(), side(to).unwrap_or_default()];
        change(measure, sides).by_intervals()
    };
    match series.kind {
        Kind::Counter => {
            vec![change(Measure::Rate, [from.rate(), to.rate()]).by_counts(from, to)]
        }
        // Its net change may be negative, so that counts tell nothing of how sure it is.
        Kind::UpDownCounter => vec![change(Measure::Rate, [from.rate(), to.rate()])],
        Kind::Gauge => {
            let sides = [from.level(DOUBT / 2.0), to.level(DOUBT / 2.0)];
            vec![change(Measure::Level, sides).by_intervals()]
        }
        Kind::Timing | Kind::Histogram => {
            let rate = change(Measure::Rate, [from.rate(), to.rate()]).by_counts(from, to);
            let quantiles = [Measure::P50, Measure::P95, Measure::P99].map(quantile);
            std::iter::once(rate).chain(quantiles).collect()
        }
    }
}

impl Change {
    fn new(series: &crate::Definition, measure: Measure, [before, after]: [Side; 2]) -> Self {
        let factor = before.value.zip(after.value).filter(|(a, b)| *a > 0.0 && *b > 0.0);
        Self {
            key: Arc::clone(&series.key),
            unit: series.unit.clone(),
            measure,
            before,
            after,
            factor: factor.map(|(before, after)| after / before),
            low: None,
            high: None,
            is_sure: false,
            at_least: Some(1.0),
        }
    }

    /// The factor of two rates: of all events of both runs, the share of the later one.
    fn by_counts(self, from: &Part<'_>, to: &Part<'_>) -> Self {
        let (before, after) = (from.timed().max(0) as f64, to.timed().max(0) as f64);
        let (time_before, time_after) = (from.seconds(), to.seconds());
        if before + after == 0.0 || time_before == 0.0 || time_after == 0.0 {
            return self;
        }
        let spread = dispersion(from.counts()).max(dispersion(to.counts()));
        let (low, high) = proportion(after / spread, (before + after) / spread, DOUBT);
        let factor = |share: f64| share / (1.0 - share) * (time_before / time_after);
        self.within((after > 0.0).then(|| factor(low)), (before > 0.0).then(|| factor(high)))
    }

    /// The factor of two values, each known within its interval.
    fn by_intervals(self) -> Self {
        let (before, after) = (self.before, self.after);
        let is_apart = |a: Option<f64>, b: Option<f64>| a.zip(b).is_some_and(|(a, b)| a < b);
        let positive = |side: Side| side.low.is_some_and(|low| low > 0.0);
        if positive(before) && positive(after) {
            let low = after.low.zip(before.high).map(|(low, high)| low / high);
            let high = after.high.zip(before.low).map(|(high, low)| high / low);
            return self.within(low, high);
        }
        let is_sure = is_apart(before.high, after.low) || is_apart(after.high, before.low);
        Self { is_sure, at_least: if is_sure { None } else { Some(1.0) }, ..self }
    }

    /// Without what only enough stretches can tell.
    fn unjudged(self) -> Self {
        Self { low: None, high: None, is_sure: false, at_least: Some(1.0), ..self }
    }

    fn within(self, low: Option<f64>, high: Option<f64>) -> Self {
        let up = low.filter(|low| *low > 1.0);
        let down = high.filter(|high| *high < 1.0).map(f64::recip);
        let at_least = up.or(down);
        Self { low, high, is_sure: at_least.is_some(), at_least: at_least.or(Some(1.0)), ..self }
    }
}
