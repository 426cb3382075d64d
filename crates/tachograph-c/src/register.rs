//! Registration: handles by name and tags.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use crate::border::{Out, free, given, guard, tags, text};
use crate::collector::Collector;
use crate::handles::{Counter, Gauge, Histogram, Timing, UpDownCounter};
use crate::status::Status;

/// A tag. Tags are a set: their order makes no difference, and the last one with a key wins.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Tag {
    /// UTF-8, ends with NUL. Cut at 256 bytes.
    pub key: *const c_char,
    /// UTF-8, ends with NUL. Cut at 256 bytes. A tag with an empty value is no tag.
    pub value: *const c_char,
}

/// A registration's arguments: `count` tags, which may be NULL if there are none.
struct Request<'a> {
    collector: Option<&'a Collector>,
    name: *const c_char,
    tags: *const Tag,
    count: usize,
}

impl Request<'_> {
    /// # Safety
    /// The pointers are as `border::text` and `border::tags` want them.
    unsafe fn register<H>(
        self,
        out: Out<'_, Option<Box<H>>>,
        register: impl FnOnce(&tachograph::Tagged<'_>, &str) -> H,
    ) -> Status {
        guard(|| {
            let out = out.map(|out| out.write(None));
            let (out, collector) = (given(out)?, given(self.collector)?);
            // SAFETY: what the caller promises.
            let (name, tags) = unsafe { (text(self.name)?, tags(self.tags, self.count)?) };
            *out = Some(Box::new(register(&collector.0.with_tags(&tags), name)));
            Ok(())
        })
    }
}

/// Registers a monotonic counter, or finds it again: sets `*out` to a handle that you free with
/// `tachograph_counter_free`, or to NULL on an error. `tags` are `tag_count` tags, NULL if there
/// are none. Takes a lock and allocates.
///
/// A name that has another kind still gives a handle: what it records is dropped and counted, and
/// the collector warns. Any number of threads may use a handle at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tachograph_register_counter(
    collector: Option<&Collector>,
    name: *const c_char,
    tags: *const Tag,
    tag_count: usize,
    out: Option<&mut MaybeUninit<Option<Box<Counter>>>>,
) -> Status {
    let request = Request { collector, name, tags, count: tag_count };
    // SAFETY: what the caller promises.
    unsafe { request.register(out, |tagged, name| Counter(tagged.register_counter(name))) }
}

/// Registers an up-down counter; see `tachograph_register_counter`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tachograph_register_up_down_counter(
    collector: Option<&Collector>,
    name: *const c_char,
    tags: *const Tag,
    tag_count: usize,
    out: Option<&mut MaybeUninit<Option<Box<UpDownCounter>>>>,
) -> Status {
    let request = Request { collector, name, tags, count: tag_count };
    let register = |tagged: &tachograph::Tagged<'_>, name: &str| {
        UpDownCounter(tagged.register_up_down_counter(name))
    };
    // SAFETY: what the caller promises.
    unsafe { request.register(out, register) }
}

/// Registers a timing; see `tachograph_register_counter`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tachograph_register_timing(
    collector: Option<&Collector>,
    name: *const c_char,
    tags: *const Tag,
    tag_count: usize,
    out: Option<&mut MaybeUninit<Option<Box<Timing>>>>,
) -> Status {
    let request = Request { collector, name, tags, count: tag_count };
    // SAFETY: what the caller promises.
    unsafe { request.register(out, |tagged, name| Timing(tagged.register_timing(name))) }
}

/// Registers a histogram of plain values; see `tachograph_register_counter`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tachograph_register_histogram(
    collector: Option<&Collector>,
    name: *const c_char,
    tags: *const Tag,
    tag_count: usize,
    out: Option<&mut MaybeUninit<Option<Box<Histogram>>>>,
) -> Status {
    let request = Request { collector, name, tags, count: tag_count };
    // SAFETY: what the caller promises.
    unsafe { request.register(out, |tagged, name| Histogram(tagged.register_histogram(name))) }
}

/// Registers a gauge; see `tachograph_register_counter`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tachograph_register_gauge(
    collector: Option<&Collector>,
    name: *const c_char,
    tags: *const Tag,
    tag_count: usize,
    out: Option<&mut MaybeUninit<Option<Box<Gauge>>>>,
) -> Status {
    let request = Request { collector, name, tags, count: tag_count };
    // SAFETY: what the caller promises.
    unsafe { request.register(out, |tagged, name| Gauge(tagged.register_gauge(name))) }
}

/// Frees a handle and sets the pointer to NULL. The series and its values stay.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_counter_free(counter: Option<&mut Option<Box<Counter>>>) {
    free(counter);
}

/// Frees a handle and sets the pointer to NULL. The series and its values stay.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_up_down_counter_free(
    counter: Option<&mut Option<Box<UpDownCounter>>>,
) {
    free(counter);
}

/// Frees a handle and sets the pointer to NULL. The series and its values stay.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_timing_free(timing: Option<&mut Option<Box<Timing>>>) {
    free(timing);
}

/// Frees a handle and sets the pointer to NULL. The series and its values stay.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_histogram_free(histogram: Option<&mut Option<Box<Histogram>>>) {
    free(histogram);
}

/// Frees a handle and sets the pointer to NULL. The series and its values stay.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_gauge_free(gauge: Option<&mut Option<Box<Gauge>>>) {
    free(gauge);
}
