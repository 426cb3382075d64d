//! This thread's state for each collector that it records into.
//!
//! A table has a place for each collector of the process, indexed by its
//! [`Seat`](crate::record::seat::Seat), so that a record finds its own with one load, whichever of
//! the thread's collectors it is for. A record takes the content out and puts it back, which costs
//! two stores. This allows the place to go to another collector once its first one is gone, without
//! unsafe code.
//!
//! A second thread-local frees the table when the thread ends. The table itself has no destructor,
//! so a record need not check whether it has run.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::rc::Rc;

use crate::lane::lane::mode;
use crate::lane::shared::Shared;
use crate::record::own::Own;
use crate::record::seat::{SEATS, SHARED};
use crate::sync::{Arc, thread_local};

/// A place in the table. Only [`Ending`] drops its content.
struct Place(Cell<Option<ManuallyDrop<Rc<Own>>>>);

impl Place {
    const fn new() -> Self {
        Self(Cell::new(None))
    }

    fn put(&self, own: Option<Rc<Own>>) -> Option<Rc<Own>> {
        self.0.replace(own.map(ManuallyDrop::new)).map(ManuallyDrop::into_inner)
    }

    fn get(&self) -> Option<Rc<Own>> {
        let own = self.put(None);
        self.put(own.clone());
        own
    }

    /// Like the function `with` below.
    #[inline]
    fn with<R>(&self, act: impl FnOnce(&Own) -> R) -> Option<R> {
        let own = self.0.take()?;
        let result = act(&own);
        self.0.set(Some(own));
        Some(result)
    }
}

/// Dropped when the thread ends.
struct Ending {
    /// The state for collectors without a seat.
    others: RefCell<Vec<Rc<Own>>>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        // Err: only a model's tables can be gone, and they are empty.
        let _ = TABLE.try_with(|table| table.iter().for_each(|place| drop(place.put(None))));
    }
}

thread_local! {
    static TABLE: [Place; SEATS] = const { [const { Place::new() }; SEATS] };
    static ENDING: Ending = const { Ending { others: RefCell::new(Vec::new()) } };
}

/// Runs `act` with the thread's state in a collector's place, which may belong to another
/// collector.
///
/// `act` must not call this again: it would find the place empty. That is the only effect, so code
/// that records but neither allocates nor calls back may run in it.
#[inline]
pub(crate) fn with<R>(seat: u8, act: impl FnOnce(&Own) -> R) -> Option<R> {
    // Err: only a model's tables can be gone, and they are empty.
    TABLE.try_with(|table| table[usize::from(seat)].with(act)).ok().flatten()
}

/// The thread's state for a collector, which may be kept while other code runs.
pub(crate) fn find(shared: &Shared) -> Option<Rc<Own>> {
    let is = |own: &Rc<Own>| own.is_of(shared);
    if shared.seat() != SHARED {
        let own = TABLE.try_with(|table| table[usize::from(shared.seat())].get());
        return own.ok().flatten().filter(is);
    }
    let other =
        |ending: &Ending| ending.others.try_borrow().ok()?.iter().find(|own| is(own)).cloned();
    ENDING.try_with(other).ok().flatten()
}

/// Creates the thread's state for a collector, replacing any previous one, and drops its state for
/// collectors that were shut down. Allocates. If the thread has ended and its table is gone, the
/// result is in none.
pub(crate) fn make(shared: &Arc<Shared>) -> Rc<Own> {
    let create = || Rc::new(Own::new(Arc::clone(shared)));
    // First, so that the table is emptied when the thread ends.
    if ENDING.try_with(|_| ()).is_err() {
        return create();
    }
    forget(|own| own.shared().mode() == mode::SHUTDOWN);
    forget(|own| own.is_of(shared));
    let own = create();
    let _ = match shared.seat() {
        SHARED => ENDING.try_with(|ending| {
            if let Ok(mut others) = ending.others.try_borrow_mut() {
                others.push(Rc::clone(&own));
            }
        }),
        seat => TABLE.try_with(|table| {
            drop(table[usize::from(seat)].put(Some(Rc::clone(&own))));
        }),
    };
    own
}

/// Drops the thread's state for some collectors: closes their lanes and, if the collector is gone,
/// frees them.
pub(crate) fn forget(is: impl Fn(&Own) -> bool) {
    let _ = TABLE.try_with(|table| {
        let is = |place: &&Place| place.with(&is).unwrap_or(false);
        table.iter().filter(is).for_each(|place| drop(place.put(None)));
    });
    let gone = |ending: &Ending| {
        // Err: the list is being added to.
        let mut others = ending.others.try_borrow_mut().ok()?;
        Some(others.extract_if(.., |own| is(own)).collect::<Vec<_>>())
    };
    // Dropped after the list is released.
    drop(ENDING.try_with(gone));
}

#[cfg(all(test, not(tachograph_loom), feature = "record"))]
mod tests {
    use std::sync::{Weak, mpsc};
    use std::thread;

    use super::*;
    use crate::MetricsCollector;
    use crate::lane::lane::Lane;

    fn manual() -> MetricsCollector {
        MetricsCollector::builder().manual().build()
    }

    fn lanes(metrics: &MetricsCollector) -> Vec<Weak<Lane>> {
        metrics.core().shared.lanes().iter().map(Arc::downgrade).collect()
    }

    fn freed(lanes: &[Weak<Lane>]) -> usize {
        lanes.iter().filter(|lane| lane.strong_count() == 0).count()
    }

    #[test]
    fn a_dropped_collectors_lane_is_freed_on_the_thread_that_drops_it() {
        let all: Vec<_> = (0..9).map(|_| manual()).collect();
        all.iter().for_each(|metrics| metrics.increment("counter"));
        let lanes: Vec<_> = all.iter().flat_map(lanes).collect();
        assert_eq!((lanes.len(), freed(&lanes)), (9, 0));
        drop(all);
        assert_eq!(freed(&lanes), 9);
    }

    #[test]
    fn a_dropped_collectors_lane_is_freed_where_another_thread_next_takes_one() {
        let (send, receive) = mpsc::sync_channel::<MetricsCollector>(0);
        let (done, wait) = mpsc::sync_channel(0);
        thread::scope(|scope| {
            scope.spawn(move || {
                for metrics in receive {
                    metrics.increment("counter");
                    drop(metrics);
                    done.send(()).expect("it is waited for");
                }
            });
            let mut all: Vec<Weak<Lane>> = Vec::new();
            for recorded in 0..20 {
                let metrics = manual();
                send.send(metrics.clone()).expect("the thread lives");
                wait.recv().expect("the thread lives");
                assert_eq!(freed(&all), recorded);
                all.extend(lanes(&metrics));
                assert_eq!(all.len(), recorded + 1);
            }
            drop(send);
        });
    }
}
