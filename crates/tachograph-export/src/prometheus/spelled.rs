//! What protobuf says of a family whatever its values are, as bytes.

use prost::Message;
use tachograph::{Kind, Snapshot};

use super::escape::{INSTEAD_OF_NUL, label_value};
use super::family::{Family, Moved, labels};
use super::message::{LabelPair, LabelPairs, MetricFamily, MetricType};

/// A family's own fields, and the labels of each of its series.
#[derive(Clone, Debug, Default)]
pub(super) struct Spelled {
    pub(super) head: Vec<u8>,
    /// The labels of all series, one behind the other.
    labels: Vec<u8>,
    /// Where those of each series end.
    ends: Vec<usize>,
}

impl Spelled {
    pub(super) fn new(family: &Family, snapshot: &Snapshot) -> Result<Self, Moved> {
        let head = MetricFamily {
            name: family.name.clone(),
            help: family.help.replace('\0', INSTEAD_OF_NUL),
            r#type: metric_type(family).into(),
            unit: family.names.unit().to_owned(),
        };
        let mut spelled = Self { head: head.encode_to_vec(), ..Self::default() };
        for member in family.series(snapshot)? {
            let (series, _) = member?;
            let pair = |(label, value): (&str, &str)| LabelPair {
                name: label.to_owned(),
                value: label_value(value).into_owned(),
            };
            let label = labels(&family.names, series).map(pair).collect();
            spelled.labels.extend(LabelPairs { label }.encode_to_vec());
            spelled.ends.push(spelled.labels.len());
        }
        spelled.labels.shrink_to_fit();
        Ok(spelled)
    }

    /// The labels of each series, in the order of the family's.
    pub(super) fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| &self.labels[std::mem::replace(&mut start, end)..end])
    }
}

fn metric_type(family: &Family) -> MetricType {
    match family.kind() {
        Kind::Counter => MetricType::Counter,
        Kind::UpDownCounter | Kind::Gauge => MetricType::Gauge,
        Kind::Timing | Kind::Histogram if family.is_histogram() => MetricType::Histogram,
        Kind::Timing | Kind::Histogram => MetricType::Summary,
    }
}
