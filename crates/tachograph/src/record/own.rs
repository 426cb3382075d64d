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

use std::cell::{Cell, OnceCell, RefCell};
use std::mem::ManuallyDrop;
use std::rc::Rc;

use crate::lane::lane::{Gate, mode};
use crate::lane::shared::Shared;
use crate::record::handle::Handle;
use crate::record::name_cache::NameCache;
use crate::record::own_lane::OwnLane;
use crate::record::seat::{SEATS, SHARED};
use crate::series::metric::Kind;
use crate::series::registry::Registry;
use crate::series::series_id::CONFLICTING;
use crate::sync::{Arc, thread_local};

/// A series as a caller names it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    pub(crate) name: &'a str,
    pub(crate) tags: &'a [(&'a str, &'a str)],
    /// The kind it is recorded as.
    pub(crate) kind: Kind,
}

/// What a thread has for one collector.
pub(crate) struct Own {
    pub(crate) lane: OwnLane,
    /// Created at the first use by name: it is large, and would spread the data that a record by
    /// handle reads over many cache lines.
    pub(crate) names: OnceCell<Box<NameCache>>,
    /// The open gate of the collector's lanes.
    gate: Gate,
}

impl Own {
    fn new(lane: OwnLane) -> Self {
        Self { gate: lane.shared().open_gate(), lane, names: OnceCell::new() }
    }

    /// Whether it belongs to the collector with this open gate.
    pub(crate) fn is_of(&self, open: Gate) -> bool {
        self.gate == open
    }

    fn names(&self) -> &NameCache {
        self.names.get_or_init(|| Box::new(NameCache::new(self.lane.shared())))
    }

    /// The handle of a name that this thread has used, whatever its kind.
    fn known(&self, name: &str, tags: &[(&str, &str)]) -> Option<Handle> {
        self.names.get()?.with(name, tags, Handle::clone)
    }

    /// The handle of a name, from the cache or else looked up and cached. Allocates, and takes a
    /// lock.
    pub(crate) fn handle(&self, registry: &Registry, series: Named<'_>) -> Handle {
        let Named { name, tags, kind } = series;
        // A name that was refused as one kind may be right as another.
        let good = |handle: &Handle| handle.id != CONFLICTING || handle.kind.fits(kind);
        self.known(name, tags).filter(good).unwrap_or_else(|| {
            let handle = Handle::new(self.lane.shared(), registry.resolve(name, tags, kind));
            self.lane.prepare(&handle);
            let names = self.names();
            names.insert(name, tags, handle.clone(), registry.cached_names_max());
            handle
        })
    }

    /// The handle of a timing or histogram that this thread has used by name as that kind.
    pub(crate) fn known_to_own(&self, series: Named<'_>) -> Option<Arc<Handle>> {
        let known = self.names.get()?.owned(series.name, series.tags);
        known.filter(|handle| handle.kind.fits(series.kind))
    }

    /// Like `handle`, but owned. If the series has another kind, the handle counts its records as
    /// conflicts.
    pub(crate) fn handle_or_conflict(&self, registry: &Registry, series: Named<'_>) -> Arc<Handle> {
        if let Some(known) = self.known_to_own(series) {
            return known;
        }
        let handle = self.handle(registry, series);
        if handle.kind.fits(series.kind) {
            return Arc::new(handle);
        }
        registry.warn_of_conflict(&handle.entry, series.kind);
        let refused = || Handle::new(self.lane.shared(), registry.conflicting(series.kind));
        self.names().conflicting(series.kind, refused)
    }
}

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

#[cfg(not(tachograph_loom))]
thread_local! {
    static TABLE: [Place; SEATS] = const { [const { Place::new() }; SEATS] };
    static ENDING: Ending = const { Ending { others: RefCell::new(Vec::new()) } };
}

#[cfg(tachograph_loom)]
thread_local! {
    static TABLE: [Place; SEATS] = [const { Place::new() }; SEATS];
    static ENDING: Ending = Ending { others: RefCell::new(Vec::new()) };
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
    let gate = shared.open_gate();
    let is = |own: &Rc<Own>| own.is_of(gate);
    if shared.seat() != SHARED {
        let own = TABLE.try_with(|table| table[usize::from(shared.seat())].get());
        return own.ok().flatten().filter(is);
    }
    let other =
        |ending: &Ending| ending.others.try_borrow().ok()?.iter().find(|own| is(own)).cloned();
    ENDING.try_with(other).ok().flatten()
}

/// Creates the thread's state for a collector, replacing any previous one, and drops its state for
/// collectors that were shut down. Allocates. `None`: the thread has ended, and its state is gone.
pub(crate) fn make(shared: &Arc<Shared>) -> Option<Rc<Own>> {
    // First, so that the table is emptied when the thread ends.
    ENDING.try_with(|_| ()).ok()?;
    forget(|own| own.lane.shared().mode() == mode::SHUTDOWN);
    forget(|own| own.is_of(shared.open_gate()));
    let own = Rc::new(Own::new(OwnLane::new(Arc::clone(shared))));
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
    Some(own)
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
