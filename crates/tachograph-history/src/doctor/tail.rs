//! Findings about distributions whose tail grew.

use std::cmp::Ordering;
use std::time::Duration;

use super::view::{View, span};
use super::{Finding, Severity};
use crate::definition::Definition;
use crate::frame::{Frame, TimingStep};
use crate::text::format;

/// The recent time: the last minute.
const NOW: Duration = Duration::from_secs(60);

/// The earlier time begins this long ago and ends where the recent time begins.
const BEFORE: Duration = Duration::from_secs(600);

/// The least number of samples in each of the two times. With fewer, the p99 is almost the maximum.
const SAMPLES: u64 = 200;

/// So many are enough for the last minute if half of them are beyond the p99 before.
const FEW: u64 = 20;

/// The growth of the p99 that is reported, and the growth that is bad.
const GROWN: f64 = 2.0;
const BAD: f64 = 10.0;

/// The greatest number of these findings. With more, everything is slower.
const MOST: usize = 5;

/// One finding for each timing and histogram whose p99 in the last minute is at least twice that of
/// the nine minutes before, or of the first half of them: an incident that began before the last
/// minute is in the second half. For those that grew the most. If a metric's untagged series grew, its
/// tagged series get no findings; the finding names the one that grew the most.
pub(super) fn grown(view: &View<'_>) -> Vec<Finding> {
    let definitions = view.history.definitions();
    let mut found: Vec<_> = definitions.filter_map(|it| Growth::of(view, it)).collect();
    found.sort_by(|a, b| b.factor.partial_cmp(&a.factor).unwrap_or(Ordering::Equal));
    let is_told_untagged = |growth: &Growth<'_>| {
        let is_it = |it: &Growth<'_>| it.of.name == growth.of.name && it.of.tags.is_empty();
        !growth.of.tags.is_empty() && found.iter().any(is_it)
    };
    let most = |growth: &Growth<'_>| {
        let mut tagged = found.iter().filter(|it| !it.of.tags.is_empty());
        tagged.find(|it| it.of.name == growth.of.name && growth.of.tags.is_empty())
    };
    let shown = found.iter().filter(|growth| !is_told_untagged(growth)).take(MOST);
    shown.map(|growth| growth.finding(most(growth))).collect()
}

/// A tail that grew: the samples of the last minute, and those before.
struct Growth<'a> {
    of: &'a Definition,
    now: TimingStep,
    before: TimingStep,
    factor: f64,
}

impl<'a> Growth<'a> {
    fn of(view: &View<'_>, of: &'a Definition) -> Option<Self> {
        let age = |end_ms: u64| Duration::from_millis(view.end_ms().saturating_sub(end_ms));
        let now = view.timing(of.number, |frame| age(frame.end_ms) < NOW)?;
        let oldest = age(view.frames.first()?.end_ms).min(BEFORE);
        let since = |youngest: Duration| {
            let is_before = |frame: &Frame| (youngest..BEFORE).contains(&age(frame.end_ms));
            let before = view.timing(of.number, is_before).filter(|it| it.count >= SAMPLES)?;
            let (old, new) = (before.quantile(0.99)?, now.quantile(0.99)?);
            let is_beyond = || now.count >= FEW && now.quantile(0.5) >= Some(GROWN * old);
            let factor = new / old;
            let is_grown = factor.is_finite() && factor >= GROWN;
            (is_grown && (now.count >= SAMPLES || is_beyond())).then_some((before, factor))
        };
        let (before, factor) = since(NOW).or_else(|| since((NOW + oldest) / 2))?;
        Some(Self { of, now, before, factor })
    }

    fn finding(&self, most: Option<&Self>) -> Finding {
        let Self { of, now, before, factor } = self;
        let text = |value: Option<f64>| format(value.unwrap_or_default(), &of.unit);
        let most =
            most.map(|it| format!("; most in `{}`, by a factor of {:.1}", it.of.key, it.factor));
        Finding {
            severity: if *factor < BAD { Severity::Warning } else { Severity::Bad },
            title: format!("the tail of `{}` grew by a factor of {factor:.1}", of.key),
            detail: format!(
                "p99 is {} over {} samples of the last {}, and was {} over {} samples before; the \
                 maximum is {}{}",
                text(now.quantile(0.99)),
                now.count,
                span(NOW),
                text(before.quantile(0.99)),
                before.count,
                text(Some(now.max)),
                most.unwrap_or_default()
            ),
            advice:
                "open the heat map of the series: if all samples are slower, suspect load or a \
                     slow dependency; if there is a separate slow band, one kind of work is slow: \
                     look at the tags and the worst samples"
                    .to_owned(),
            series: Some(of.key.to_string()),
        }
    }
}
