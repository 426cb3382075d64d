//! The total of each metric name in a snapshot, regardless of tags.

use std::collections::BTreeMap;

use tachograph::{Series, Snapshot, Value};

/// The total of every counter and gauge by name.
pub(crate) struct Totals<'a>(BTreeMap<&'a str, Total>);

struct Total {
    untagged: Option<i128>,
    /// The sum over all tag sets.
    tagged: i128,
    is_counter: bool,
}

impl Total {
    /// The value of the untagged series or, without one, the sum over the tags; at least 0.
    fn count(&self) -> u64 {
        let value = self.untagged.unwrap_or(self.tagged).max(0);
        u64::try_from(value).unwrap_or(u64::MAX)
    }
}

impl<'a> Totals<'a> {
    pub(crate) fn of(snapshot: &'a Snapshot) -> Self {
        let mut totals = BTreeMap::new();
        for series in snapshot.series() {
            let Some((value, is_counter)) = whole(series) else { continue };
            let name = &*series.metric.name;
            let total =
                totals.entry(name).or_insert(Total { untagged: None, tagged: 0, is_counter });
            if series.tags.is_empty() {
                total.untagged = Some(value);
            } else {
                total.tagged = total.tagged.saturating_add(value);
            }
        }
        Self(totals)
    }

    /// The total of a counter or the level of a gauge; 0 for a name that was never recorded.
    pub(crate) fn get(&self, name: &str) -> u64 {
        self.0.get(name).map_or(0, Total::count)
    }

    /// The totals of all counters whose names extend the prefix, sorted by name.
    pub(crate) fn counters(&self, prefix: &str) -> impl Iterator<Item = (&'a str, u64)> {
        self.0
            .iter()
            .filter(move |(name, total)| {
                total.is_counter && name.len() > prefix.len() && name.starts_with(prefix)
            })
            .map(|(name, total)| (*name, total.count()))
    }
}

/// The value of a counter or gauge as an integer, and whether it is a counter.
fn whole(series: &Series) -> Option<(i128, bool)> {
    match &series.value {
        Value::Counter(views) | Value::UpDownCounter(views) => {
            let value = views.lifetime.value;
            let metric = &series.metric;
            let scaled = || metric.scaled(value as f64).round() as i128;
            Some((if metric.scale == 1.0 { value } else { scaled() }, true))
        }
        // The cast saturates.
        Value::Gauge(views) => Some((views.lifetime.current?.round() as i128, false)),
        Value::Timing(_) | Value::Histogram(_) => None,
    }
}
