//! A receiver that adds up everything it is sent.

use std::collections::BTreeMap;

use super::decode::{Request, metrics, tags};
use super::definition::{AggregationTemporality, Data, ExponentialHistogramDataPoint, Number};

/// A series, by its name and attributes.
pub(crate) type Id = (String, BTreeMap<String, String>);

/// A growing distribution. Its scale is the coarsest received.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Distribution {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    pub(crate) zero_count: u64,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(crate) scale: i32,
    pub(crate) buckets: BTreeMap<i32, u64>,
}

impl From<&ExponentialHistogramDataPoint> for Distribution {
    fn from(point: &ExponentialHistogramDataPoint) -> Self {
        let counts = point
            .positive
            .iter()
            .flat_map(|positive| (positive.offset..).zip(positive.bucket_counts.iter().copied()));
        let buckets: BTreeMap<_, _> = counts.filter(|(_, count)| *count > 0).collect();
        let counted = buckets.values().sum::<u64>() + point.zero_count;
        assert_eq!(counted, point.count, "{point:?}");
        Self {
            count: point.count,
            sum: point.sum.expect("a sum"),
            zero_count: point.zero_count,
            min: point.min,
            max: point.max,
            scale: point.scale,
            buckets,
        }
    }
}

impl Distribution {
    fn at_scale(mut self, scale: i32) -> Self {
        let mut coarser = BTreeMap::new();
        for (index, count) in self.buckets {
            *coarser.entry(index >> (self.scale - scale)).or_insert(0) += count;
        }
        (self.scale, self.buckets) = (scale, coarser);
        self
    }

    fn add(self, other: Self) -> Self {
        let scale = self.scale.min(other.scale);
        let (mut sum, other) = (self.at_scale(scale), other.at_scale(scale));
        for (index, count) in other.buckets {
            *sum.buckets.entry(index).or_insert(0) += count;
        }
        sum.count += other.count;
        sum.sum += other.sum;
        sum.zero_count += other.zero_count;
        sum.min = sum.min.into_iter().chain(other.min).reduce(f64::min);
        sum.max = sum.max.into_iter().chain(other.max).reduce(f64::max);
        sum
    }

    /// The edges around the sample of a rank; ranks start at 1.
    pub(crate) fn edges(&self, rank: u64) -> (f64, f64) {
        let mut below = self.zero_count;
        if rank <= below {
            return (0.0, 0.0);
        }
        let width = f64::from(-self.scale).exp2();
        for (index, count) in &self.buckets {
            below += count;
            if rank <= below {
                let edge = |index: i32| (f64::from(index) * width).exp2();
                return (edge(*index), edge(index + 1));
            }
        }
        panic!("rank {rank} of {}", self.count)
    }
}

/// Everything a receiver has been sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Receiver {
    pub(crate) sums: BTreeMap<Id, i128>,
    pub(crate) gauges: BTreeMap<Id, f64>,
    pub(crate) distributions: BTreeMap<Id, Distribution>,
    /// The end of the time covered by each series of deltas.
    until: BTreeMap<Id, u64>,
}

impl Receiver {
    pub(crate) fn receive(&mut self, request: &Request) {
        for metric in metrics(request) {
            let id = |attributes: &_| (metric.name.clone(), tags(attributes));
            match metric.data.as_ref().expect("data") {
                Data::Gauge(gauge) => {
                    for point in &gauge.data_points {
                        let Some(Number::AsDouble(value)) = point.value else {
                            panic!("{point:?}")
                        };
                        self.gauges.insert(id(&point.attributes), value);
                    }
                }
                Data::Sum(sum) => {
                    let is_delta = is_delta(sum.aggregation_temporality);
                    for point in &sum.data_points {
                        let id = id(&point.attributes);
                        self.note(&id, is_delta, point.start_time_unix_nano, point.time_unix_nano);
                        let value = match point.value.expect("a value") {
                            Number::AsInt(value) => i128::from(value),
                            Number::AsDouble(value) => value as i128,
                        };
                        let known = self.sums.entry(id).or_insert(0);
                        *known = if is_delta { *known + value } else { value };
                    }
                }
                Data::ExponentialHistogram(histogram) => {
                    let is_delta = is_delta(histogram.aggregation_temporality);
                    for point in &histogram.data_points {
                        let id = id(&point.attributes);
                        self.note(&id, is_delta, point.start_time_unix_nano, point.time_unix_nano);
                        let told = Distribution::from(point);
                        let known = self.distributions.remove(&id).filter(|_| is_delta);
                        let sum = match known {
                            Some(known) => known.add(told),
                            None => told,
                        };
                        self.distributions.insert(id, sum);
                    }
                }
                other => panic!("{other:?} is never sent"),
            }
        }
    }

    /// Points end after they start, and deltas do not overlap.
    fn note(&mut self, id: &Id, is_delta: bool, start: u64, end: u64) {
        assert!(start <= end, "{id:?}");
        let until = self.until.entry(id.clone()).or_insert(0);
        assert!(!is_delta || *until <= start, "{id:?} overlaps");
        *until = end;
    }
}

fn is_delta(temporality: i32) -> bool {
    match AggregationTemporality::try_from(temporality) {
        Ok(AggregationTemporality::Delta) => true,
        Ok(AggregationTemporality::Cumulative) => false,
        other => panic!("{other:?}"),
    }
}
