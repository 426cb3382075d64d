//! Rules.

use std::collections::BTreeMap;
use std::time::Duration;

use tachograph_history::Definition;

use crate::quantity::Quantity;

/// A rule: a condition, how long it must hold, and the text of its alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The alert's name, such as `HighLatency`.
    pub name: String,
    /// The condition that makes it pending.
    pub condition: Condition,
    /// How long the condition must hold before the alert fires; 0 fires at once.
    pub hold: Duration,
    /// How long the alert keeps firing after the condition stops holding.
    pub keep_firing: Duration,
    /// The severity, such as `warning` or `critical`.
    pub severity: String,
    /// Labels in addition to the series' tags.
    pub labels: BTreeMap<String, String>,
    /// The alert's message; `{value}`, `{threshold}` and `{labels.NAME}` are filled in. May be
    /// empty.
    pub message: String,
    /// A link to further information; may be empty.
    pub runbook: String,
    /// Whether the engine evaluates it. A disabled rule still takes its name, so it can silence a
    /// default of that name.
    pub enabled: bool,
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
            enabled: true,
        }
    }
}

/// The condition of a rule.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// A statistic of a metric compares with a threshold.
    Compare(Comparison),
    /// No series of this name exists.
    Absent {
        /// The metric's name.
        metric: String,
    },
    /// Nothing was recorded for some time: in these series, or at all (no frame arrived).
    Stale {
        /// The series; `None` for the frames themselves.
        selector: Option<Selector>,
        /// How long nothing was recorded.
        last: Duration,
    },
    /// Always holds: a receiver notices when the alert stops.
    Heartbeat,
}

/// `statistic(selector, last) op threshold`.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The series to compare; each has its own alert.
    pub selector: Selector,
    /// The statistic.
    pub statistic: Statistic,
    /// Counters to subtract, matched by tags.
    pub minus: Vec<String>,
    /// For a ratio: the counters that make up the whole, matched by tags.
    pub over: Vec<String>,
    /// The window; `None` for everything since the engine started.
    pub last: Option<Duration>,
    /// The operator.
    pub op: Op,
    /// The threshold.
    pub threshold: Quantity,
    /// Hysteresis: once firing, the alert continues while the statistic compares with this value
    /// instead.
    pub until: Option<Quantity>,
}

/// A statistic of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// A quantile of a timing or histogram, from 0 to 1. Frames hold it to within 4.5 %.
    Quantile(f64),
    /// The mean of a timing, histogram or gauge.
    Mean,
    /// The greatest value of a timing, histogram or gauge.
    Max,
    /// The least value of a timing, histogram or gauge.
    Min,
    /// The number of samples, or of values that were set.
    Count,
    /// The change of a counter: exact, not extrapolated.
    Increase,
    /// The change of a counter per second of the time that frames cover: before a whole window has
    /// passed, of what has.
    Rate,
    /// The value of a gauge.
    Current,
    /// A counter's increase as a share of other counters' increase; 0 if nothing was counted.
    Ratio,
}

impl Statistic {
    /// Every statistic by its name in rule files.
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

    /// Whether series of this kind have the statistic.
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

    /// The unit of its values, which can differ from the metric's.
    pub fn unit(self, of_metric: &tachograph::Unit) -> tachograph::Unit {
        match self {
            Self::Count => tachograph::Unit::None,
            Self::Ratio => tachograph::Unit::Ratio,
            _ => of_metric.clone(),
        }
    }
}

/// A comparison operator.
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
    /// Every operator by its name in rule files.
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

/// Selects series of a metric.
///
/// Tags match exactly: a series has the selector's keys and no others. A selector without tags
/// selects the untagged series or, if there is none, the sum over all series of the metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selector {
    /// The metric's name.
    pub metric: String,
    /// The accepted values of each tag key.
    pub tags: BTreeMap<String, TagMatch>,
}

/// The accepted values of a tag.
#[derive(Clone, Debug, PartialEq)]
pub enum TagMatch {
    /// Any one of these.
    OneOf(Vec<String>),
    /// Every value, with an alert for each.
    Each,
}

impl Selector {
    /// The untagged series of a metric.
    pub fn metric(name: impl Into<String>) -> Self {
        Self { metric: name.into(), tags: BTreeMap::new() }
    }

    /// Whether a series of the metric matches the tags; one without tags does if no tags are selected.
    pub fn has_tags(&self, definition: &Definition) -> bool {
        self.tags.len() == definition.tags.len()
            && self.tags.iter().zip(definition.tags.iter()).all(
                |((key, wanted), (other, value))| {
                    key == other
                        && match wanted {
                            TagMatch::OneOf(values) => values.iter().any(|it| it == value),
                            TagMatch::Each => true,
                        }
                },
            )
    }
}
