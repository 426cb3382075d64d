//! A sample as it travels from a recorder to the aggregator: 16 bytes.

/// One measurement of one series.
///
/// The meaning of the value depends on the series' kind: nanoseconds for a timing, the plain value
/// for a histogram, the bits of an `f64` for a gauge, a wrapping amount for a counter without a
/// cell in this lane yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) series: u32,
    pub(crate) value: u64,
}
