//! The collector and its options.

use std::ffi::{CString, c_char, c_void};
use std::mem::MaybeUninit;
use std::time::Duration;

use tachograph::{Builder, MetricsCollector, Unit};

use crate::border::{free, given, guard, text};
use crate::status::Status;

/// Collects metrics from any number of threads; every thread may use it.
#[derive(Debug)]
pub struct Collector(pub(crate) MetricsCollector);

/// The settings of a collector. Zero in every field, as `{0}` gives it, is every default.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Starts with recording switched off.
    pub disabled: bool,
    /// Starts no background thread: you call `tachograph_run_pass`.
    pub manual: bool,
    /// Keeps lifetime statistics only.
    pub no_window: bool,
    /// The sliding window's steps; 6 by default. Used together with `window_ms`.
    pub window_steps: u32,
    /// The sliding window; 60,000 by default.
    pub window_ms: u64,
    /// How often a snapshot is published; 100 by default.
    pub publish_every_ms: u64,
    /// Hides a series that records nothing for so long; never by default.
    pub idle_timeout_ms: u64,
    /// How many threads may record at once; 4,096 by default.
    pub max_threads: usize,
    /// How many series a metric may have; 2,000 by default.
    pub series_per_metric: usize,
    /// How many series there may be; 20,000 by default.
    pub max_series: usize,
    /// How many metrics there may be; 2,000 by default.
    pub max_metrics: usize,
    /// How many bytes all timings and histograms may take; 256 MiB by default.
    pub max_distribution_bytes: usize,
    /// Called once for each problem that you should look at; may be NULL. `text` is valid during
    /// the call. Runs on any thread that makes a pass or reads, and must neither throw nor
    /// `longjmp`.
    pub on_warning: Option<extern "C" fn(context: *mut c_void, text: *const c_char)>,
    /// The first argument of `on_warning`.
    pub context: *mut c_void,
}

/// What happened to every sample: recorded = aggregated + dropped.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ShutdownReport {
    /// Recording calls, including dropped ones.
    pub recorded: u64,
    /// Samples that are part of a series.
    pub aggregated: u64,
    /// Samples that were counted as dropped.
    pub dropped: u64,
    /// Threads that may have been recording at that moment; the next read counts it.
    pub unfinished_threads: u64,
}

/// C's function with its argument.
struct OnWarning {
    call: extern "C" fn(*mut c_void, *const c_char),
    context: *mut c_void,
}

// SAFETY: the header says that the function runs on any thread, so both it and its argument must
// work there.
unsafe impl Send for OnWarning {}
// SAFETY: as above.
unsafe impl Sync for OnWarning {}

impl OnWarning {
    fn tell(&self, warning: &tachograph::Warning) {
        // No name from C has a NUL, and nothing else in a warning should.
        let text = CString::new(warning.to_string().replace('\0', " ")).unwrap_or_default();
        (self.call)(self.context, text.as_ptr());
    }
}

impl Options {
    fn builder(&self) -> Builder {
        let limit = |limit: usize| (limit > 0).then_some(limit);
        let duration = |ms: u64| (ms > 0).then(|| Duration::from_millis(ms));
        let on_warning = self.on_warning.map(|call| OnWarning { call, context: self.context });
        let builder = MetricsCollector::builder().enabled(!self.disabled);
        let builder = with(builder, self.manual.then_some(()), |it, ()| it.manual());
        let builder = with(builder, self.window(), |it, (span, steps)| it.window(span, steps));
        let builder = with(builder, self.no_window.then_some(()), |it, ()| it.no_window());
        let builder = with(builder, duration(self.publish_every_ms), Builder::publish_every);
        let builder = with(builder, duration(self.idle_timeout_ms), Builder::idle_timeout);
        let builder = with(builder, limit(self.max_threads), Builder::max_lanes);
        let builder = with(builder, limit(self.series_per_metric), Builder::series_per_metric);
        let builder = with(builder, limit(self.max_series), Builder::max_series);
        let builder = with(builder, limit(self.max_metrics), Builder::max_metrics);
        let bytes = limit(self.max_distribution_bytes);
        let builder = with(builder, bytes, Builder::max_distribution_bytes);
        with(builder, on_warning, |it, on_warning| {
            it.on_warning(move |warning| on_warning.tell(warning))
        })
    }

    /// The window's span and steps, if either is given.
    fn window(&self) -> Option<(Duration, u32)> {
        let is_given = self.window_ms > 0 || self.window_steps > 0;
        let ms = if self.window_ms > 0 { self.window_ms } else { 60_000 };
        let steps = if self.window_steps > 0 { self.window_steps } else { 6 };
        is_given.then_some((Duration::from_millis(ms), steps))
    }
}

/// Applies a setting that is given.
fn with<T>(
    builder: Builder,
    setting: Option<T>,
    set: impl FnOnce(Builder, T) -> Builder,
) -> Builder {
    match setting {
        Some(setting) => set(builder, setting),
        None => builder,
    }
}

/// Creates a collector, which you free with `tachograph_collector_free`; sets `*out` to NULL on an
/// error. `options` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_collector_new(
    options: Option<&Options>,
    out: Option<&mut MaybeUninit<Option<Box<Collector>>>>,
) -> Status {
    guard(|| {
        let out = given(out.map(|out| out.write(None)))?;
        let builder = options.map_or_else(MetricsCollector::builder, Options::builder);
        *out = Some(Box::new(Collector(builder.build())));
        Ok(())
    })
}

/// Shuts a collector down, frees it and sets the pointer to NULL. Its handles and recorders may
/// outlive it; free them, too.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_collector_free(collector: Option<&mut Option<Box<Collector>>>) {
    free(collector);
}

/// Stops recording, makes a final pass, and says in `*report`, unless it is NULL, what happened to
/// every sample. Reading still works. After `timeout_ms` it returns
/// `TACHOGRAPH_STATUS_TIMED_OUT`, with only those counts that need no pass: call it again for all.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_shutdown(
    collector: Option<&Collector>,
    timeout_ms: u64,
    report: Option<&mut MaybeUninit<ShutdownReport>>,
) -> Status {
    guard(|| {
        let done = given(collector)?.0.shutdown(Duration::from_millis(timeout_ms));
        if let Some(report) = report {
            report.write(ShutdownReport {
                recorded: done.recorded,
                aggregated: done.aggregated,
                dropped: done.dropped,
                unfinished_threads: done.unfinished_lanes as u64,
            });
        }
        if done.timed_out { Err(Status::TimedOut) } else { Ok(()) }
    })
}

/// Switches recording on or off, for every thread and handle. Reading goes on.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_set_enabled(collector: Option<&Collector>, enabled: bool) -> Status {
    guard(|| {
        given(collector)?.0.set_enabled(enabled);
        Ok(())
    })
}

/// Discards all values; handles stay valid.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_reset(collector: Option<&Collector>) -> Status {
    guard(|| {
        given(collector)?.0.reset();
        Ok(())
    })
}

/// Aggregates and publishes now, for a loop that drives a manual collector. `*wait_ns`, unless it
/// is NULL, is how long the next pass may wait: 1 to 100 ms.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_run_pass(
    collector: Option<&Collector>,
    wait_ns: Option<&mut MaybeUninit<u64>>,
) -> Status {
    guard(|| {
        let wait = given(collector)?.0.publish();
        if let Some(wait_ns) = wait_ns {
            wait_ns.write(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX));
        }
        Ok(())
    })
}

/// Sets a metric's unit and description, before or after its first record. `unit` is a plural such
/// as `bytes`, `ratio` or `requests`, or "" for none; a timing's is always seconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tachograph_describe(
    collector: Option<&Collector>,
    name: *const c_char,
    unit: *const c_char,
    description: *const c_char,
) -> Status {
    guard(|| {
        let collector = given(collector)?;
        // SAFETY: what the caller promises.
        let (name, unit, description) = unsafe { (text(name)?, text(unit)?, text(description)?) };
        collector.0.describe(name, unit_of(unit), description);
        Ok(())
    })
}

fn unit_of(name: &str) -> Unit {
    let known = [Unit::None, Unit::Seconds, Unit::Bytes, Unit::Ratio, Unit::Percent];
    let is = |unit: &Unit| unit.name() == name;
    known.into_iter().find(is).unwrap_or_else(|| Unit::Other(name.into()))
}
