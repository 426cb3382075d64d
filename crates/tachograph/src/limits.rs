//! Every bound of the core. In models, in this crate's own tests and under a fuzzer the structural
//! bounds are small, so that wrap-around and exhaustion happen within a few steps.

use std::time::Duration;

/// A bound in the product, in tests and under a fuzzer, and in models.
const fn bound(product: usize, test: usize, model: usize) -> usize {
    if cfg!(tachograph_loom) {
        model
    } else if cfg!(any(test, fuzzing)) {
        test
    } else {
        product
    }
}

/// Samples per block: 8 KiB, so one queue operation per 512 samples.
pub(crate) const BLOCK_SAMPLES: usize = bound(512, 16, 2);

/// Words of a trace in a lane, two per slot: both halves of the trace id, and the span id. In a
/// model, a block only has room for the lower half and the span id.
pub(crate) const TRACE_WORDS: usize = if cfg!(tachograph_loom) { 2 } else { 3 };

/// Slots of a traced sample: its own and those of its trace.
pub(crate) const TRACED_SLOTS: usize = 1 + TRACE_WORDS.div_ceil(2);

/// Blocks that a new lane starts with: room for 100 ms at 250,000 samples per second, plus a third.
/// A block's memory stays untouched until it is first taken.
pub(crate) const LANE_BLOCKS_INITIAL: usize = if cfg!(tachograph_loom) { 2 } else { 64 };

/// Blocks that a lane may grow to: 2 MiB. A block index fits a `u8`.
pub(crate) const LANE_BLOCKS_MAX: usize = if cfg!(tachograph_loom) { 3 } else { 256 };

/// Bytes of blocks that the aggregator may add over all lanes together.
pub(crate) const ADDED_BLOCK_BYTES_MAX: usize = 64 << 20;

/// Counter cells that every lane starts with, in whole chunks: 2 KiB.
pub(crate) const CELLS_IN_LANE: usize = bound(128, 4, 2);

/// Counter cells per additional chunk: 512 bytes.
pub(crate) const CELLS_PER_CHUNK: usize = bound(32, 4, 2);

/// Samples that a correction for coordinated omission adds at most for each of the greatest ones.
pub(crate) const CORRECTED_PARTS: u64 = 1_000_000;

/// Spill rows of either kind that a lane reserves, and that are added when half of them are taken.
/// Bounds the number of series that can meet their first overload between two passes.
pub(crate) const ROWS_PER_CHUNK: usize = bound(64, 4, 2);

/// Lanes per collector, which is the number of threads that can record at the same time.
pub(crate) const LANES_MAX: usize = if cfg!(tachograph_loom) { 4 } else { 4096 };

/// How often, at most, recorders without a lane are told that lanes are free. Models have no time.
pub(crate) const LANES_ANNOUNCED_EVERY: Duration =
    Duration::from_millis(if cfg!(tachograph_loom) { 0 } else { 100 });

/// Closed lanes kept ready for new threads, in addition to as many as are open.
pub(crate) const LANES_SPARE: usize = bound(16, 2, 0);

/// Bytes that all timings and histograms may hold together before further series overflow.
pub(crate) const DISTRIBUTION_BYTES: usize = 256 << 20;

/// Series per metric before its samples go to the overflow series.
pub(crate) const SERIES_PER_METRIC: usize = 2_000;

/// Series per collector.
pub(crate) const SERIES: usize = if cfg!(tachograph_loom) { 8 } else { 20_000 };

/// The highest value for any limit on series or metrics: each series takes room in every lane.
pub(crate) const SERIES_MAX: usize = 1 << 20;

/// Metrics (names) per collector.
pub(crate) const METRICS: usize = if cfg!(tachograph_loom) { 4 } else { 2_000 };

/// Tag keys per metric before its samples go to the overflow series.
pub(crate) const TAG_KEYS_PER_METRIC: usize = 64;

/// Bytes of a metric name, a tag key or a tag value; longer ones are cut.
pub(crate) const TEXT_BYTES: usize = 256;

/// Series that a collector remembers, as a multiple of its limit: series that have left the
/// snapshots may return.
pub(crate) const KNOWN_PER_SERIES: usize = 4;

/// Entries in a thread's by-name cache, as a multiple of the collector's limit of series.
pub(crate) const CACHED_NAMES_PER_SERIES: usize = 4;

/// Hints in a thread's by-name cache: 1 KiB.
pub(crate) const NAME_HINTS: usize = bound(256, 4, 4);

/// Buckets per octave; their counts are stored together.
pub(crate) const OCTAVE_BUCKETS: usize = 1_024;

/// Rows of a sparse distribution before it becomes dense.
pub(crate) const SPARSE_ROWS: usize = bound(2_048, 64, 2_048);

/// The default interval between published snapshots.
pub(crate) const PUBLISH_EVERY: Duration = Duration::from_millis(100);

/// The longest publish interval: a year.
pub(crate) const PUBLISH_EVERY_MAX: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Bounds of the adaptive wait between two drains.
pub(crate) const DRAIN_MIN: Duration = Duration::from_millis(1);
/// See [`DRAIN_MIN`].
pub(crate) const DRAIN_MAX: Duration = Duration::from_millis(100);

/// The default sliding window and its number of steps.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);
/// See [`WINDOW`].
pub(crate) const WINDOW_STEPS: usize = 6;

/// The most steps that a window may have: a series keeps every step with samples.
pub(crate) const WINDOW_STEPS_MAX: u32 = 1_000;

/// How long dropping the last clone of a collector waits for the final pass.
pub(crate) const DROP_TIMEOUT: Duration = Duration::from_secs(1);

/// Warnings that can wait for the next pass; further ones are only counted.
pub(crate) const WARNINGS_MAX: usize = 64;
