//! What a rule is.

use std::collections::BTreeMap;
use std::time::Duration;

use tachograph_history::Definition;

use crate::quantity::Quantity;

/// A rule: a condition, how long it must hold, and what to say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The alert's name, such as `HighLatency`.
    pub name: String,
    /// What makes it pending.
    pub condition: Condition,
    /// How long the condition must hold before the alert fires; 0: at once.
    pub hold: Duration,
    /// How long the alert goes on firing after the condition has ceased.
    pub keep_firing: Duration,
    /// Such as `warning` or `critical`.
    pub severity: String,
    /// Labels beside the series' tags.
    pub labels: BTreeMap<String, String>,
    /// A sentence, with `{value}`, `{threshold}` and `{labels.NAME}` filled in; may be empty.
    pub message: String,
    /// Where to read on; may be empty.
    pub runbook: String,
}

impl Rule {
    /// A rule that fires as soon as its condition holds, with severity `warning`.
    pub fn new(name: impl Into<String>, condition: Condition) -> Self {
        Self {
            name: name.into(),
            condition,
            hold: Duration::ZERO,
            keep_firing: Duration::ZERO,
            severity: "warning".to_owned(),
            labels: BTreeMap::new(),
            message: String::new(),
            runbook: String::new(),
        }
    }
}

/// When an alert is due.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// A statistic of a metric compares so with a threshold.
    Compare(Comparison),
    /// There is no series of this name.
    Absent {
        /// The metric's name.
        metric: String,
    },
    /// Nothing was recorded for so long: of these series, or at all (no frame came).
    Stale {
        /// Which series; `None`: the frames themselves.
        selector: Option<Selector>,
        /// For how long.
        last: Duration,
    },
    /// Always: a receiver notices when it ceases.
    Heartbeat,
}

/// `statistic(selector, last) op threshold`.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Of which series; each has an alert of its own.
    pub selector: Selector,
    /// Which statistic.
    pub statistic: Statistic,
    /// Counters that are taken off, with the same tags.
    pub minus: Vec<String>,
    /// Of a ratio: the counters that it is a share of, with the same tags.
    pub over: Vec<String>,
    /// Of how long; `None`: since the engine was started.
    pub last: Option<Duration>,
    /// How it compares.
    pub op: Op,
    /// With what.
    pub threshold: Quantity,
    /// Hysteresis: a firing alert goes on until the statistic does not compare so with this.
    pub until: Option<Quantity>,
}

/// A statistic of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// A quantile of a timing or histogram, from 0 to 1: within 4.5 %, as frames have it.
    Quantile(f64),
    /// The mean of a timing, histogram or gauge.
    Mean,
    /// The greatest value of one.
    Max,
    /// The least value of one.
    Min,
    /// The number of samples, or of values set.
    Count,
    /// The change of a counter: exact, not extrapolated.
    Increase,
    /// The change a second.
    Rate,
    /// The value of a gauge.
    Current,
    /// The share of a counter's increase in others'; 0 where nothing was counted.
    Ratio,
}

impl Statistic {
    /// Every name of a statistic, as rule files have them.
    pub const NAMES: [(&'static str, Self); 13] = [
        ("p50", Self::Quantile(0.5)),
        ("p90", Self::Quantile(0.9)),
        ("p95", Self::Quantile(0.95)),
        ("p99", Self::Quantile(0.99)),
        ("p999", Self::Quantile(0.999)),
        ("mean", Self::Mean),
        ("max", Self::Max),
        ("min", Self::Min),
        ("count", Self::Count),
        ("increase", Self::Increase),
        ("rate", Self::Rate),
        ("current", Self::Current),
        ("ratio", Self::Ratio),
    ];

    /// Whether series of a kind have it.
    pub fn fits(self, kind: tachograph::Kind) -> bool {
        use tachograph::Kind;
        match self {
            Self::Quantile(_) => matches!(kind, Kind::Timing | Kind::Histogram),
            Self::Mean | Self::Max | Self::Min | Self::Count => {
                matches!(kind, Kind::Timing | Kind::Histogram | Kind::Gauge)
            }
            Self::Increase | Self::Rate | Self::Ratio => {
                matches!(kind, Kind::Counter | Kind::UpDownCounter)
            }
            Self::Current => kind == Kind::Gauge,
        }
    }

    /// The unit of its values, where the metric has another one.
    pub(crate) fn unit(self, of_metric: &tachograph::Unit) -> tachograph::Unit {
        match self {
            Self::Count => tachograph::Unit::None,
            Self::Ratio => tachograph::Unit::Ratio,
            _ => of_metric.clone(),
        }
    }
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
}

impl Op {
    /// Every operator, as rule files have them.
    pub const NAMES: [(&'static str, Self); 6] = [
        (">", Self::Above),
        (">=", Self::AtLeast),
        ("<", Self::Below),
        ("<=", Self::AtMost),
        ("==", Self::Equal),
        ("!=", Self::Unequal),
    ];

    pub(crate) fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Above => value > threshold,
            Self::AtLeast => value >= threshold,
            Self::Below => value < threshold,
            Self::AtMost => value <= threshold,
            Self::Equal => value == threshold,
            Self::Unequal => value != threshold,
        }
    }
}

/// Which series of a metric.
///
/// Tags match exactly: a series has the selector's keys and no others. Without tags it is the
/// untagged series, or, where there is none, the sum over all series of the metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selector {
    /// The metric's name.
    pub metric: String,
    /// By key.
    pub tags: BTreeMap<String, TagMatch>,
}

/// Which values of a tag.
#[derive(Clone, Debug, PartialEq)]
pub enum TagMatch {
    /// One of these; one is enough.
    OneOf(Vec<String>),
    /// Each value: an alert for every one.
    Each,
}

impl Selector {
    /// The untagged series of a metric.
    pub fn metric(name: impl Into<String>) -> Self {
        Self { metric: name.into(), tags: BTreeMap::new() }
    }

    /// Whether a series of the metric has the tags.
    pub(crate) fn has_tags(&self, definition: &Definition) -> bool {
        self.tags.len() == definition.tags.len()
            && self.tags.iter().zip(&definition.tags).all(|((key, wanted), (other, value))| {
                key == other
                    && match wanted {
                        TagMatch::OneOf(values) => values.contains(value),
                        TagMatch::Each => true,
                    }
            })
    }
}
