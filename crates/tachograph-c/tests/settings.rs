//! Every option at 0, at 1 and at its greatest, and every timeout of a shutdown.
#![allow(unsafe_code, reason = "a C interface")]

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};

use tachograph_c::collector::{
    Options, ShutdownReport, tachograph_collector_free, tachograph_collector_new,
    tachograph_run_pass, tachograph_shutdown,
};
use tachograph_c::handles::tachograph_counter_increment;
use tachograph_c::register::{tachograph_counter_free, tachograph_register_counter};
use tachograph_c::status::Status;

extern "C" fn on_warning(_: *mut c_void, _: *const c_char) {}

/// Zero in every field: the defaults. Names every field: a new one does not compile until it is
/// tried.
const ZERO: Options = Options {
    disabled: false,
    manual: false,
    no_window: false,
    window_steps: 0,
    window_ms: 0,
    publish_every_ms: 0,
    idle_timeout_ms: 0,
    max_threads: 0,
    series_per_metric: 0,
    max_series: 0,
    max_metrics: 0,
    max_distribution_bytes: 0,
    on_warning: None,
    context: null_mut(),
};

fn all() -> Vec<Options> {
    let mut all = vec![
        ZERO,
        Options { disabled: true, ..ZERO },
        Options { no_window: true, ..ZERO },
        Options { on_warning: Some(on_warning), ..ZERO },
        Options { on_warning: Some(on_warning), context: null_mut::<u8>().cast(), ..ZERO },
    ];
    for most in [1, u64::MAX] {
        let size = usize::try_from(most).unwrap_or(usize::MAX);
        all.extend([
            Options { window_steps: most.try_into().unwrap_or(u32::MAX), ..ZERO },
            Options { window_ms: most, ..ZERO },
            Options { publish_every_ms: most, ..ZERO },
            Options { idle_timeout_ms: most, ..ZERO },
            Options { max_threads: size, ..ZERO },
            Options { series_per_metric: size, ..ZERO },
            Options { max_series: size, ..ZERO },
            Options { max_metrics: size, ..ZERO },
            Options { max_distribution_bytes: size, ..ZERO },
        ]);
    }
    all
}

#[test]
fn every_option_works_at_its_extremes() {
    let with_and_without_a_thread =
        all().into_iter().flat_map(|options| [options, Options { manual: true, ..options }]);
    for options in with_and_without_a_thread {
        for timeout_ms in [0, 1, u64::MAX] {
            let mut collector = MaybeUninit::uninit();
            let made = tachograph_collector_new(Some(&options), Some(&mut collector));
            assert_eq!(made, Status::Ok, "{options:?}");
            // SAFETY: written where the status is `Ok`, as above.
            let mut collector = unsafe { collector.assume_init() };
            let mut counter = MaybeUninit::uninit();
            // SAFETY: a name with its NUL, and no tags.
            let registered = unsafe {
                tachograph_register_counter(
                    collector.as_deref(),
                    c"events".as_ptr(),
                    null(),
                    0,
                    Some(&mut counter),
                )
            };
            assert_eq!(registered, Status::Ok, "{options:?}");
            // SAFETY: written where the status is `Ok`, as above.
            let mut counter = unsafe { counter.assume_init() };
            (0..100).for_each(|_| tachograph_counter_increment(counter.as_deref()));
            assert_eq!(tachograph_run_pass(collector.as_deref(), None), Status::Ok, "{options:?}");
            let mut report = MaybeUninit::<ShutdownReport>::uninit();
            let ended = tachograph_shutdown(collector.as_deref(), timeout_ms, Some(&mut report));
            // The background thread may be in the middle of a pass.
            assert!(ended == Status::Ok || (ended == Status::TimedOut && timeout_ms < 2));
            // SAFETY: written with either status.
            let report = unsafe { report.assume_init() };
            let recorded = if options.disabled { 0 } else { 100 };
            // Without a final pass it has the counts of an earlier one, if any.
            if ended == Status::Ok {
                let counts = (report.recorded, report.aggregated + report.dropped);
                assert_eq!(counts, (recorded, recorded), "{options:?}");
            }
            tachograph_counter_free(Some(&mut counter));
            tachograph_collector_free(Some(&mut collector));
        }
    }
}
