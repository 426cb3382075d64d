//! Every series as text, in the caller's buffer.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use tachograph_export::{json, prometheus};

use crate::border::{copy, given, guard};
use crate::collector::Collector;
use crate::status::Status;

/// Writes every series in Prometheus text format 0.0.4 and a NUL into `buffer`, which has
/// `capacity` bytes, and the length without the NUL into `*length`.
///
/// If the buffer is NULL or too small, it stays as it is, and `*length` says how much is needed.
/// Between two calls the text may grow: ask for some more than that. Includes everything that was
/// recorded before the call. Allocates; may wait for another reader.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tachograph_prometheus(
    collector: Option<&Collector>,
    buffer: *mut c_char,
    capacity: usize,
    length: Option<&mut MaybeUninit<usize>>,
) -> Status {
    guard(|| {
        let mut text = String::new();
        prometheus::encode(&given(collector)?.0.get_all_metrics(), &mut text);
        // SAFETY: what the caller promises.
        unsafe { copy(text.as_bytes(), buffer, capacity, length) }
    })
}

/// Like `tachograph_prometheus`, but writes JSON with every statistic of every series.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tachograph_json(
    collector: Option<&Collector>,
    buffer: *mut c_char,
    capacity: usize,
    length: Option<&mut MaybeUninit<usize>>,
) -> Status {
    guard(|| {
        let mut text = Vec::new();
        let snapshot = given(collector)?.0.get_all_metrics();
        json::encode(&snapshot, json::Options::default(), &mut text);
        // SAFETY: what the caller promises.
        unsafe { copy(&text, buffer, capacity, length) }
    })
}
