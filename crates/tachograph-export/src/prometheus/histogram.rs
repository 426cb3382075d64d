//! Histograms as messages: native buckets, classic ones, exemplars.

use prost::Message;
use tachograph::TimingStats;

use super::bounds::Edges;
use super::exemplar::{SPAN_ID, TRACE_ID, within};
use super::form::Schema;
use super::message::{LabelPair, Timestamp};
use crate::exponential::{Exponential, ZERO_THRESHOLD};

/// Up to this many empty buckets are written as zeros, because a new span takes more room.
const GAP_MAX: u32 = 2;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Histogram {
    #[prost(uint64, tag = "1")]
    pub(super) sample_count: u64,
    #[prost(double, tag = "2")]
    pub(super) sample_sum: f64,
    #[prost(message, repeated, tag = "3")]
    pub(super) bucket: Vec<Bucket>,
    #[prost(sint32, tag = "5")]
    pub(super) schema: i32,
    #[prost(double, tag = "6")]
    pub(super) zero_threshold: f64,
    #[prost(uint64, tag = "7")]
    pub(super) zero_count: u64,
    #[prost(message, repeated, tag = "12")]
    pub(super) positive_span: Vec<BucketSpan>,
    /// Each count minus the previous one. Packed, which decoders of proto2 and proto3 both accept.
    #[prost(sint64, repeated, tag = "13")]
    pub(super) positive_delta: Vec<i64>,
    #[prost(message, optional, tag = "15")]
    pub(super) created_timestamp: Option<Timestamp>,
    /// For the native histogram; a classic one has them in its buckets.
    #[prost(message, repeated, tag = "16")]
    pub(super) exemplars: Vec<Exemplar>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Bucket {
    #[prost(uint64, tag = "1")]
    pub(super) cumulative_count: u64,
    #[prost(double, tag = "2")]
    pub(super) upper_bound: f64,
    #[prost(message, optional, tag = "3")]
    pub(super) exemplar: Option<Exemplar>,
}

/// Exemplars of native histograms need their time: a server drops those without.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Exemplar {
    #[prost(message, repeated, tag = "1")]
    pub(super) label: Vec<LabelPair>,
    #[prost(double, tag = "2")]
    pub(super) value: f64,
    #[prost(message, optional, tag = "3")]
    pub(super) timestamp: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(super) struct BucketSpan {
    /// The gap to the previous span; for the first span, its index.
    #[prost(sint32, tag = "1")]
    pub(super) offset: i32,
    #[prost(uint32, tag = "2")]
    pub(super) length: u32,
}

impl Histogram {
    /// Resets to the counts of a distribution; keeps the allocations.
    pub(super) fn start(&mut self, stats: &TimingStats, created: Timestamp) {
        self.clear();
        self.sample_count = stats.count;
        self.sample_sum = stats.sum;
        self.created_timestamp = Some(created);
    }

    /// Adds native buckets.
    pub(super) fn native(
        &mut self,
        schema: Schema,
        exponential: &Exponential,
        exemplar: Option<tachograph::Exemplar>,
    ) {
        self.schema = schema.get();
        self.zero_threshold = ZERO_THRESHOLD;
        self.zero_count = exponential.zero_count();
        let mut deltas = Deltas::new(&mut self.positive_span, &mut self.positive_delta);
        for (index, count) in exponential.buckets() {
            deltas.push(*index, *count);
        }
        self.exemplars.extend(exemplar.map(Exemplar::new));
    }

    /// Adds classic buckets.
    pub(super) fn classic(
        &mut self,
        edges: &Edges,
        stats: &TimingStats,
        mut exemplar: Option<tachograph::Exemplar>,
    ) {
        let mut bucket = |upper_bound, cumulative_count| {
            let exemplar = within(&mut exemplar, upper_bound).map(Exemplar::new);
            self.bucket.push(Bucket { cumulative_count, upper_bound, exemplar });
        };
        edges.counts(stats.buckets(), |bound, count| bucket(bound.value, count));
        bucket(f64::INFINITY, stats.count);
    }
}

impl Exemplar {
    fn new(exemplar: tachograph::Exemplar) -> Self {
        let trace = &exemplar.trace;
        let pair = |name: &str, value| LabelPair { name: name.to_owned(), value };
        let trace_id = pair(TRACE_ID, trace.trace_id().to_string());
        let span_id = trace.span_id().map(|id| pair(SPAN_ID, id.to_string()));
        Self {
            label: [trace_id].into_iter().chain(span_id).collect(),
            value: exemplar.value,
            timestamp: Some(Timestamp::new(exemplar.timestamp)),
        }
    }
}

/// Buckets as runs of neighbours; each count as the difference from the previous one.
struct Deltas<'a> {
    spans: &'a mut Vec<BucketSpan>,
    deltas: &'a mut Vec<i64>,
    /// The index after the last bucket.
    next: i32,
    count: u64,
}

impl<'a> Deltas<'a> {
    fn new(spans: &'a mut Vec<BucketSpan>, deltas: &'a mut Vec<i64>) -> Self {
        Self { spans, deltas, next: 0, count: 0 }
    }

    fn push(&mut self, index: i32, count: u64) {
        let gap = index - self.next;
        match self.spans.last_mut() {
            Some(span) if gap.cast_unsigned() <= GAP_MAX => {
                span.length += gap.cast_unsigned() + 1;
                (0..gap).for_each(|_| self.delta(0));
            }
            _ => self.spans.push(BucketSpan { offset: gap, length: 1 }),
        }
        self.delta(count);
        self.next = index + 1;
    }

    fn delta(&mut self, count: u64) {
        // Counts of 2^63 and more wrap here, and wrap back when they are added up.
        self.deltas.push(count.wrapping_sub(self.count).cast_signed());
        self.count = count;
    }
}
