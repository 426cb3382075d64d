//! The forms in which a process can be read.

use tachograph::Snapshot;
use tachograph_export::otlp::{Settings, Temporality};
use tachograph_export::prometheus::{Bounds, Form as Histograms, Prometheus, Schema};

use crate::decode::families;

/// A form of all of a process's metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Prometheus text, timings as summaries.
    TextSummaries,
    /// Prometheus text, timings as classic histograms.
    TextClassic,
    /// OpenMetrics, timings as summaries.
    OpenMetricsSummaries,
    /// OpenMetrics, timings as classic histograms.
    OpenMetricsClassic,
    /// Prometheus protobuf, timings as native histograms of schema 5.
    ProtobufNative,
    /// The same, with classic buckets beside them.
    ProtobufBoth,
    /// OTLP in protobuf, cumulative.
    OtlpTotals,
    /// OTLP in protobuf, deltas since the previous push.
    OtlpDeltas,
}

/// A process's metrics in one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    /// Samples that a server stores: a native or exponential histogram is one sample.
    pub(crate) samples: usize,
}

impl Form {
    /// All forms.
    pub const ALL: [Self; 8] = [
        Self::TextSummaries,
        Self::TextClassic,
        Self::OpenMetricsSummaries,
        Self::OpenMetricsClassic,
        Self::ProtobufNative,
        Self::ProtobufBoth,
        Self::OtlpTotals,
        Self::OtlpDeltas,
    ];

    /// The form's name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::TextSummaries => "text, summaries",
            Self::TextClassic => "text, classic histograms",
            Self::OpenMetricsSummaries => "OpenMetrics, summaries",
            Self::OpenMetricsClassic => "OpenMetrics, classic histograms",
            Self::ProtobufNative => "protobuf, native histograms",
            Self::ProtobufBoth => "protobuf, native and classic",
            Self::OtlpTotals => "OTLP, totals",
            Self::OtlpDeltas => "OTLP, deltas",
        }
    }

    /// Returns an encoder for a process's snapshots, one after another.
    pub(crate) fn encoder(self) -> Box<dyn FnMut(&Snapshot) -> Body> {
        let classic = Histograms::Classic(Bounds::default());
        let both = Histograms::NativeAndClassic(Schema::default(), Bounds::default());
        match self {
            Self::TextSummaries => lines(Histograms::Summary, Prometheus::text),
            Self::TextClassic => lines(classic, Prometheus::text),
            Self::OpenMetricsSummaries => lines(Histograms::Summary, Prometheus::open_metrics),
            Self::OpenMetricsClassic => lines(classic, Prometheus::open_metrics),
            Self::ProtobufNative => messages(Histograms::Native(Schema::default())),
            Self::ProtobufBoth => messages(both),
            Self::OtlpTotals => otlp(Temporality::Cumulative),
            Self::OtlpDeltas => otlp(Temporality::Delta),
        }
    }
}

fn lines(
    timings: Histograms,
    write: fn(&mut Prometheus, &Snapshot, &mut String) -> usize,
) -> Box<dyn FnMut(&Snapshot) -> Body> {
    let mut prometheus = Prometheus::new().timings(timings);
    Box::new(move |snapshot| {
        let mut text = String::new();
        write(&mut prometheus, snapshot, &mut text);
        let samples = text.lines().filter(|line| !line.starts_with('#')).count();
        Body { bytes: text.into_bytes(), samples }
    })
}

/// Samples that a server stores for a classic histogram besides its finite buckets: the infinite
/// bucket, the sum and the count.
const BESIDE_BUCKETS: usize = 3;

fn messages(timings: Histograms) -> Box<dyn FnMut(&Snapshot) -> Body> {
    let mut prometheus = Prometheus::new().timings(timings);
    Box::new(move |snapshot| {
        let mut bytes = Vec::new();
        prometheus.protobuf(snapshot, &mut bytes);
        let families = families(&bytes);
        let metrics = families.iter().flat_map(|family| &family.metric);
        let samples = metrics.map(|metric| match &metric.histogram {
            Some(both) if !both.bucket.is_empty() => 1 + both.bucket.len() + BESIDE_BUCKETS,
            _ => 1,
        });
        let samples = samples.sum();
        Body { bytes, samples }
    })
}

fn otlp(temporality: Temporality) -> Box<dyn FnMut(&Snapshot) -> Body> {
    let settings = Settings::new("fleet").attribute("service.instance.id", "process-0001");
    let mut encoder = settings.temporality(temporality).encoder();
    Box::new(move |snapshot| {
        let mut bytes = Vec::new();
        let samples = encoder.encode(snapshot, &mut bytes);
        Body { bytes, samples }
    })
}
