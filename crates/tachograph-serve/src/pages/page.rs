//! The pages, and how each is written.

use axum::body::Bytes;
use serde::Serialize;
use tachograph::Snapshot;
use tachograph_export::prometheus::Prometheus;
use tachograph_export::{json, prometheus};

use crate::pages::summary::Summary;

/// Parameters of a media type, by name.
type Parameters = &'static [(&'static str, &'static str)];

/// A body that takes time to produce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    Text,
    OpenMetrics,
    Protobuf,
    Json,
    JsonWithBuckets,
    Snapshot,
    Summary,
}

impl Page {
    pub(crate) const ALL: [Self; 7] = [
        Self::Text,
        Self::OpenMetrics,
        Self::Protobuf,
        Self::Json,
        Self::JsonWithBuckets,
        Self::Snapshot,
        Self::Summary,
    ];

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Text => prometheus::CONTENT_TYPE,
            Self::OpenMetrics => prometheus::OPEN_METRICS_CONTENT_TYPE,
            Self::Protobuf => prometheus::PROTOBUF_CONTENT_TYPE,
            _ => json::CONTENT_TYPE,
        }
    }

    /// The formats of `/metrics`: media type, and the parameters that distinguish versions.
    pub(crate) const FORMATS: [(&str, Parameters, Self); 3] = [
        ("text/plain", &[("version", "0.0.4")], Self::Text),
        ("application/openmetrics-text", &[("version", "1.0.0")], Self::OpenMetrics),
        (
            "application/vnd.google.protobuf",
            &[("proto", "io.prometheus.client.MetricFamily"), ("encoding", "delimited")],
            Self::Protobuf,
        ),
    ];

    /// The value of the tag `format` in the scrape metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::OpenMetrics => "open_metrics",
            Self::Protobuf => "protobuf",
            Self::Json => "json",
            Self::JsonWithBuckets => "json_buckets",
            Self::Snapshot => "snapshot",
            Self::Summary => "summary",
        }
    }

    /// Whether it shows the last published snapshot. The other pages show everything recorded
    /// before the request.
    pub(crate) fn is_of_published(self) -> bool {
        matches!(self, Self::Text | Self::OpenMetrics | Self::Protobuf | Self::Snapshot)
    }
}

/// Writes one page repeatedly.
#[derive(Debug)]
pub(crate) struct Writer {
    page: Page,
    prometheus: Prometheus,
    summary: Option<Summary>,
    #[cfg(test)]
    pub(crate) panics: bool,
}

impl Writer {
    pub(crate) fn new(page: Page, prometheus: Prometheus, summary: Option<Summary>) -> Self {
        Self {
            page,
            prometheus,
            summary,
            #[cfg(test)]
            panics: false,
        }
    }

    pub(crate) fn write(&mut self, snapshot: &Snapshot) -> Bytes {
        #[cfg(test)]
        assert!(!self.panics, "as a bug would");
        match self.page {
            Page::Text => {
                let mut text = String::new();
                self.prometheus.text(snapshot, &mut text);
                text.into()
            }
            Page::OpenMetrics => {
                let mut text = String::new();
                self.prometheus.open_metrics(snapshot, &mut text);
                text.into()
            }
            Page::Protobuf => {
                let mut body = Vec::new();
                self.prometheus.protobuf(snapshot, &mut body);
                body.into()
            }
            Page::Json | Page::JsonWithBuckets => {
                let buckets = self.page == Page::JsonWithBuckets;
                let mut body = Vec::new();
                json::encode(snapshot, json::Options { buckets, ..Default::default() }, &mut body);
                body.into()
            }
            Page::Snapshot => to_json(snapshot),
            Page::Summary => {
                self.summary.as_ref().expect("it is asked for where there is one").of(snapshot)
            }
        }
    }
}

pub(crate) fn to_json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).expect("keys are strings, and memory accepts every write").into()
}
