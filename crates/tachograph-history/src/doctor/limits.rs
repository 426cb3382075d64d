//! Findings about metrics that have reached their series limit.

use std::sync::Arc;

use super::view::View;
use super::{Finding, Severity};
use crate::definition::Definition;

/// One finding for each metric that recorded into its series `overflow=true`, most records first.
pub(super) fn overflowing(view: &View<'_>) -> Vec<Finding> {
    let overflows =
        |it: &&Arc<Definition>| it.tags.get("overflow").is_some_and(|value| value == "true");
    let series = view.history.definitions().filter(overflows);
    let mut found: Vec<_> = series.map(|it| (view.records(it.number), it)).collect();
    found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.key.cmp(&b.1.key)));
    let text = |(records, definition): (u128, &Arc<Definition>)| {
        let of_metric = view.history.definitions().filter(|it| it.name == definition.name);
        let own = of_metric.count() - 1;
        Finding {
            severity: Severity::Warning,
            title: format!("`{}` has reached its series limit", definition.name),
            detail: format!(
                "{records} records in {} went into the overflow series, beside {own} other series",
                view.span()
            ),
            advice: "use tags with fewer values (no ids, no addresses), or raise \
                     `Builder::series_per_metric`, `max_series` or `max_distribution_bytes`"
                .to_owned(),
            series: Some(definition.key.to_string()),
        }
    };
    found.into_iter().filter(|(records, _)| *records > 0).map(text).collect()
}
