//! The settings of an encoder.

use crate::exponential::{SCALE_MAX, SCALE_MIN};
use crate::otlp::encoder::Encoder;

/// What counters, timings and histograms report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Temporality {
    /// Totals since the series was created or reset.
    #[default]
    Cumulative,
    /// The gain since the previous payload.
    Delta,
}

/// The encoding of the messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Protobuf, which every receiver accepts.
    #[default]
    Protobuf,
    /// OTLP/JSON: several times as long, but human-readable.
    Json,
}

impl Encoding {
    /// The media type of the request body.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// The resolution of an exponential histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    /// As fine as this many buckets allow.
    MaxBuckets(usize),
    Scale(i32),
}

/// The settings of an [`Encoder`]: resource attributes, temporality and encoding.
///
/// ```
/// use tachograph_export::otlp::{Encoding, Settings, Temporality};
///
/// let settings = Settings::new("mixer")
///     .attribute("service.instance.id", "studio-1")
///     .temporality(Temporality::Delta)
///     .encoding(Encoding::Json);
/// let encoder = settings.encoder();
/// assert_eq!(settings.content_type(), "application/json");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub(super) resource: Vec<(String, String)>,
    pub(super) temporality: Temporality,
    pub(super) encoding: Encoding,
    pub(super) resolution: Resolution,
    pub(super) telemetry: bool,
}

/// With fewer buckets, the distance between two 64-bit numbers would not fit at the coarsest scale.
const BUCKETS_MIN: usize = 8;

impl Settings {
    /// Cumulative totals in protobuf. `service` is the resource's `service.name`.
    ///
    /// If several processes of one service push to the same receiver, tell them apart with the
    /// attribute `service.instance.id`.
    pub fn new(service: &str) -> Self {
        let own = [
            ("service.name", service),
            ("telemetry.sdk.language", "rust"),
            ("telemetry.sdk.name", "tachograph"),
            ("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
        ];
        Self {
            resource: own.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            temporality: Temporality::default(),
            encoding: Encoding::default(),
            // The default of OpenTelemetry's SDKs.
            resolution: Resolution::MaxBuckets(160),
            telemetry: true,
        }
    }

    /// Adds a resource attribute, such as `service.instance.id` or `host.name`. It replaces an
    /// attribute with the same key; an empty key is ignored.
    pub fn attribute(mut self, key: &str, value: &str) -> Self {
        self.resource.retain(|(known, _)| known != key);
        if !key.is_empty() {
            self.resource.push((key.to_owned(), value.to_owned()));
        }
        self
    }

    /// Whether the collector's own series, `telemetry.*`, are written; on by default.
    pub fn telemetry(mut self, telemetry: bool) -> Self {
        self.telemetry = telemetry;
        self
    }

    /// Totals or deltas; [`Temporality::Cumulative`] by default.
    pub fn temporality(mut self, temporality: Temporality) -> Self {
        self.temporality = temporality;
        self
    }

    /// Protobuf or JSON; [`Encoding::Protobuf`] by default.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// Uses the finest scale at which each distribution's samples fit into this many buckets: 160
    /// by default, at least 8. Replaces [`Settings::scale`].
    pub fn max_buckets(mut self, buckets: usize) -> Self {
        self.resolution = Resolution::MaxBuckets(buckets.max(BUCKETS_MIN));
        self
    }

    /// Uses the same scale for every distribution, from -4 (buckets of a factor of 65,536) to 8
    /// (0.27 % wide); 5 is 2.2 %. The number of buckets then depends on the range of the samples:
    /// 32 for every factor of two at scale 5. Replaces [`Settings::max_buckets`].
    pub fn scale(mut self, scale: i32) -> Self {
        self.resolution = Resolution::Scale(scale.clamp(SCALE_MIN, SCALE_MAX));
        self
    }

    /// The media type of the encoder's output.
    pub const fn content_type(&self) -> &'static str {
        self.encoding.content_type()
    }

    /// Whether counters, timings and histograms are reported as deltas.
    pub const fn is_delta(&self) -> bool {
        matches!(self.temporality, Temporality::Delta)
    }

    /// An encoder that has not written anything yet.
    pub fn encoder(&self) -> Encoder {
        Encoder::new(self.clone())
    }
}
