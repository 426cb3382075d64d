//! Reading one series, including everything that was recorded before the call.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use tachograph::Tagged;

use crate::border::{Out, given, guard, tags, text};
use crate::collector::Collector;
use crate::register::Tag;
use crate::status::Status;

/// The statistics of a timing, in seconds, or of a histogram, in its own unit. NaN while nothing is
/// recorded, except `sum`, which is 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TimingStats {
    /// The number of samples.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The least one.
    pub min: f64,
    /// The greatest one.
    pub max: f64,
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// The 90th percentile.
    pub p90: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The 99.9th percentile.
    pub p999: f64,
    /// The relative error of the percentiles; everything else is exact.
    pub error: f64,
}

/// The statistics of a gauge. NaN while no value is set.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GaugeStats {
    /// How often it was set.
    pub count: u64,
    /// The value that was set last.
    pub current: f64,
    /// The least value.
    pub min: f64,
    /// The greatest value.
    pub max: f64,
    /// The mean of the finite values.
    pub mean: f64,
}

impl From<tachograph::TimingStats> for TimingStats {
    fn from(stats: tachograph::TimingStats) -> Self {
        let or_nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
        Self {
            count: stats.count,
            sum: stats.sum,
            min: or_nan(stats.min),
            max: or_nan(stats.max),
            mean: or_nan(stats.mean),
            p50: or_nan(stats.p50),
            p90: or_nan(stats.p90),
            p95: or_nan(stats.p95),
            p99: or_nan(stats.p99),
            p999: or_nan(stats.p999),
            error: stats.error(),
        }
    }
}

impl From<tachograph::GaugeStats> for GaugeStats {
    fn from(stats: tachograph::GaugeStats) -> Self {
        let or_nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
        Self {
            count: stats.count,
            current: or_nan(stats.current),
            min: or_nan(stats.min),
            max: or_nan(stats.max),
            mean: or_nan(stats.mean),
        }
    }
}

/// A read's arguments.
struct Series<'a> {
    collector: Option<&'a Collector>,
    name: *const c_char,
    tags: *const Tag,
    count: usize,
}

impl Series<'_> {
    /// # Safety
    /// The pointers are as `border::text` and `border::tags` want them.
    unsafe fn read<S>(
        self,
        out: Out<'_, S>,
        read: impl FnOnce(&Tagged<'_>, &str) -> Option<S>,
    ) -> Status {
        guard(|| {
            let (out, collector) = (given(out)?, given(self.collector)?);
            // SAFETY: what the caller promises.
            let (name, tags) = unsafe { (text(self.name)?, tags(self.tags, self.count)?) };
            let stats = read(&collector.0.with_tags(&tags), name).ok_or(Status::NotFound)?;
            out.write(stats);
            Ok(())
        })
    }
}

/// Reads the total of a monotonic counter. `*value` is set only if the status is OK, as in every
/// read. May wait for another reader; no recorder waits for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tachograph_read_counter(
    collector: Option<&Collector>,
    name: *const c_char,
    tags: *const Tag,
    tag_count: usize,
    value: Option<&mut MaybeUninit<u64>>,
) -> Status {
    let series = Series { collector, name, tags, count: tag_count };
    // SAFETY: what the caller promises.
    unsafe { series.read(value, |tagged, name| Some(tagged.get_counter(name)?.value as u64)) }
}

/// Reads the total of an up-down counter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tachograph_read_up_down_counter(
    collector: Option<&Collector>,
    name: *const c_char,
    tags: *const Tag,
    tag_count: usize,
    value: Option<&mut MaybeUninit<i64>>,
) -> Status {
    let series = Series { collector, name, tags, count: tag_count };
    // SAFETY: what the caller promises.
    unsafe { series.read(value, |tagged, name| Some(tagged.get_counter(name)?.value as i64)) }
}

/// Reads the lifetime statistics of a timing or histogram.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tachograph_read_timing(
    collector: Option<&Collector>,
    name: *const c_char,
    tags: *const Tag,
    tag_count: usize,
    stats: Option<&mut MaybeUninit<TimingStats>>,
) -> Status {
    let series = Series { collector, name, tags, count: tag_count };
    // SAFETY: what the caller promises.
    unsafe { series.read(stats, |tagged, name| tagged.get_timing(name).map(Into::into)) }
}

/// Reads the lifetime statistics of a gauge.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tachograph_read_gauge(
    collector: Option<&Collector>,
    name: *const c_char,
    tags: *const Tag,
    tag_count: usize,
    stats: Option<&mut MaybeUninit<GaugeStats>>,
) -> Status {
    let series = Series { collector, name, tags, count: tag_count };
    // SAFETY: what the caller promises.
    unsafe { series.read(stats, |tagged, name| tagged.get_gauge(name).map(Into::into)) }
}
