//! Tails that grew.

use std::cmp::Ordering;
use std::time::Duration;

use super::view::{View, span};
use super::{Finding, Severity};
use crate::definition::Definition;
use crate::text::format;

/// What counts as now.
const NOW: Duration = Duration::from_secs(60);

/// With what it is compared: the time before, back to so long ago.
const BEFORE: Duration = Duration::from_secs(600);

/// Samples that a p99 needs on each side: with fewer it is nearly the maximum.
const SAMPLES: u64 = 200;

/// How much greater is worth telling, and how much is bad.
const GROWN: f64 = 2.0;
const BAD: f64 = 10.0;

/// More findings would be one finding: everything is slower.
const MOST: usize = 5;

/// A finding for each timing and histogram whose p99 of the last minute is at least twice that of the
/// ten minutes before, those that grew the most.
pub(super) fn grown(view: &View<'_>) -> Vec<Finding> {
    let definitions = view.history.definitions();
    let mut found: Vec<_> = definitions.filter_map(|it| growth(view, it)).collect();
    found.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap_or(Ordering::Equal));
    found.truncate(MOST);
    found.into_iter().map(|(_, finding)| finding).collect()
}

fn growth(view: &View<'_>, definition: &Definition) -> Option<(f64, Finding)> {
    let age = |end_ms: u64| Duration::from_millis(view.end_ms().saturating_sub(end_ms));
    let now = view.timing(definition.number, |frame| age(frame.end_ms) < NOW)?;
    let before =
        view.timing(definition.number, |frame| (NOW..BEFORE).contains(&age(frame.end_ms)))?;
    if now.count < SAMPLES || before.count < SAMPLES {
        return None;
    }
    let (p99, p99_before) = (now.quantile(0.99)?, before.quantile(0.99)?);
    let factor = p99 / p99_before;
    if !factor.is_finite() || factor < GROWN {
        return None;
    }
    let text = |value| format(value, &definition.unit);
    let finding = Finding {
        severity: if factor < BAD { Severity::Warning } else { Severity::Bad },
        title: format!("the tail of `{}` grew {factor:.1} times", definition.key),
        detail: format!(
            "p99 is {} over {} samples of the last {}, {} over {} samples of the {} before; the \
             worst was {}",
            text(p99),
            now.count,
            span(NOW),
            text(p99_before),
            before.count,
            span(BEFORE - NOW),
            text(now.max)
        ),
        advice: "open the series' heat map: all slower means load or a slow dependency, a band \
                 above the rest means one kind of work; look at its tags and worst samples"
            .to_owned(),
        series: Some(definition.key.to_string()),
    };
    Some((factor, finding))
}
