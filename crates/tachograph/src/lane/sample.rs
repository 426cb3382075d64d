//! What travels from a recorder to the aggregator: 16 bytes.

/// One measurement of one series.
///
/// The value's meaning is the series' kind's: nanoseconds for a timing, the plain value for a
/// histogram, the bits of an `f64` for a gauge, a wrapping amount for a counter that has no cell
/// in this lane yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) series: u32,
    pub(crate) value: u64,
}
