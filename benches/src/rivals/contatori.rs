//! `contatori`: counters in 64 padded slots, one per thread.

use std::sync::Arc;

use contatori::counters::Observable;
use contatori::counters::monotone::Monotone;

use super::Rival;
use crate::case::Case;

pub(super) fn counter() -> Rival {
    let counter = Arc::new(Monotone::new());
    let read = Arc::clone(&counter);
    let case = Case::new("contatori", move || Arc::clone(&counter), |counter, _| counter.add(1))
        .check(move |done| assert_eq!(read.value().as_u64(), done.operations));
    Rival::new(case, "4 to 8 KiB a counter, no names or snapshots of its own")
}
