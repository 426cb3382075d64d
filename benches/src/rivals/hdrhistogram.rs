//! `hdrhistogram`: its synchronised histogram with a recorder per thread, and the plain one.

use std::cell::RefCell;
use std::sync::Mutex;

use hdrhistogram::Histogram;
use hdrhistogram::sync::SyncHistogram;

use super::Rival;
use crate::case::Case;

pub(super) const NAME: &str = "hdrhistogram sync";

fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are valid")
}

pub(super) fn timing() -> Rival {
    let shared: &'static Mutex<SyncHistogram<u64>> =
        Box::leak(Box::new(Mutex::new(histogram().into_sync())));
    // Its recorder is written through a unique reference: the cell costs a flag.
    let subject = || RefCell::new(shared.lock().expect("no panic").recorder());
    let case = Case::new(NAME, subject, |recorder, i| {
        recorder.borrow_mut().record(i).expect("it grows");
    })
    .check(|done| {
        // Every recorder has been dropped, so none is waited for.
        let mut histogram = shared.lock().expect("no panic");
        histogram.refresh();
        assert_eq!(histogram.len(), done.operations);
    });
    Rival::new(case, "readers wait for idle recorders; no sum; at least 70 KB a thread and series")
        .seen("once every recorder has recorded again or has gone")
        .within("0.1 %")
}

/// A histogram that only one thread uses.
pub(super) fn own() -> Rival {
    let case = Case::new(
        "hdrhistogram, own",
        || RefCell::new(histogram()),
        |histogram, i| {
            histogram.borrow_mut().record(i).expect("it grows");
        },
    );
    Rival::new(case, "no sum").seen("never: nobody else can read it").within("0.1 %")
}
