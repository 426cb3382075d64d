//! What an encoder writes, and how.

use crate::exponential::{SCALE_MAX, SCALE_MIN};
use crate::otlp::encoder::Encoder;

/// What counters, timings and histograms tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Temporality {
    /// Totals since the series was made or reset.
    #[default]
    Cumulative,
    /// What was recorded since the payload before.
    Delta,
}

/// How the messages are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Protobuf, which every receiver takes.
    #[default]
    Protobuf,
    /// OTLP/JSON: about five times as long, but people can read it.
    Json,
}

impl Encoding {
    /// The media type of a request's body.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// How fine an exponential histogram is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    /// As fine as so many buckets allow.
    MaxBuckets(usize),
    Scale(i32),
}

/// What an [`Encoder`] writes: who tells, and in which form.
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
}

/// With fewer buckets the distance of two numbers of 64 bits would not fit at the coarsest scale.
const BUCKETS_MIN: usize = 8;

impl Settings {
    /// Totals of a service, in protobuf. `service` is the resource's `service.name`.
    ///
    /// Where several processes of a service push to one receiver, tell them apart by the attribute
    /// `service.instance.id`.
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
            // As of OpenTelemetry's own libraries.
            resolution: Resolution::MaxBuckets(160),
        }
    }

    /// Adds an attribute of the resource, such as `service.instance.id` or `host.name`. It replaces
    /// one of the same key; one without a key is left out.
    pub fn attribute(mut self, key: &str, value: &str) -> Self {
        self.resource.retain(|(known, _)| known != key);
        if !key.is_empty() {
            self.resource.push((key.to_owned(), value.to_owned()));
        }
        self
    }

    /// Totals or gains; [`Temporality::Cumulative`] by default.
    pub fn temporality(mut self, temporality: Temporality) -> Self {
        self.temporality = temporality;
        self
    }

    /// Protobuf or JSON; [`Encoding::Protobuf`] by default.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// Takes for each distribution the finest scale at which its samples fit into so many buckets;
    /// 160 by default, at least 8. Replaces [`Settings::scale`].
    pub fn max_buckets(mut self, buckets: usize) -> Self {
        self.resolution = Resolution::MaxBuckets(buckets.max(BUCKETS_MIN));
        self
    }

    /// Takes the same scale for every distribution: -4 (buckets of a factor of 65,536) to 8 (0.27 %
    /// wide); 5 is 2.2 %. As many buckets as there are between the least sample and the greatest:
    /// 32 for every factor of two at scale 5. Replaces [`Settings::max_buckets`].
    pub fn scale(mut self, scale: i32) -> Self {
        self.resolution = Resolution::Scale(scale.clamp(SCALE_MIN, SCALE_MAX));
        self
    }

    /// The media type of what encoders write.
    pub const fn content_type(&self) -> &'static str {
        self.encoding.content_type()
    }

    /// Whether counters, timings and histograms are told as gains.
    pub const fn is_delta(&self) -> bool {
        matches!(self.temporality, Temporality::Delta)
    }

    /// An encoder that has not written anything yet.
    pub fn encoder(&self) -> Encoder {
        Encoder::new(self.clone())
    }
}
