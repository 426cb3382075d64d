//! The only door to atomics and the shared structures built on them.
//!
//! Everything in this crate that two threads touch comes through here, so that one private cfg,
//! `tachograph_loom`, replaces all of it with loom's versions. Three of the structures have no loom
//! support: in models a stand-in gives exactly what their documentation promises and nothing more
//! (`stand_ins.rs`).

pub(crate) use std::sync::Arc;

#[cfg(not(tachograph_loom))]
pub(crate) use {
    arc_swap::{ArcSwap, Cache},
    atomic_float::AtomicF64,
    crossbeam_queue::ArrayQueue,
    once_cell::race::OnceBox,
    std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
    std::sync::{Mutex, MutexGuard},
    std::thread_local,
};

#[cfg(tachograph_loom)]
pub(crate) use {
    crate::sync::stand_ins::{ArcSwap, ArrayQueue, AtomicF64, Cache, OnceBox},
    loom::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
    loom::sync::{Mutex, MutexGuard},
};

/// Loom's thread-locals, declared like std's with a constant.
#[cfg(tachograph_loom)]
macro_rules! per_thread {
    ($(static $name:ident: $kind:ty = const $first:block;)*) => {
        loom::thread_local! { $(static $name: $kind = $first;)* }
    };
}

#[cfg(tachograph_loom)]
pub(crate) use per_thread as thread_local;

#[cfg(not(tachograph_loom))]
use crate::sync::single_writer::SingleWriter;

#[cfg(not(tachograph_loom))]
macro_rules! single_writer {
    ($($atomic:ident: $value:ty),*) => {$(
        impl SingleWriter for $atomic {
            type Value = $value;

            #[inline]
            fn load_own(&self) -> $value {
                // Relaxed: a thread sees its own stores.
                self.load(Ordering::Relaxed)
            }
        }
    )*};
}

#[cfg(not(tachograph_loom))]
single_writer!(AtomicU64: u64, AtomicUsize: usize);

/// Types that may start as zeroed memory.
#[cfg(not(tachograph_loom))]
pub(crate) use zerocopy::FromZeros as Zeroed;

/// Types that may start as zeroed memory; in models, as their default.
#[cfg(tachograph_loom)]
pub(crate) use std::default::Default as Zeroed;

/// Values that start as zeroes; where there are pages, those that were never written take no RAM.
#[cfg(all(unix, not(tachograph_loom)))]
pub(crate) use crate::sync::pages::Pages;

/// Values that start as zeroes; where there are pages, those that were never written take no RAM.
#[cfg(not(all(unix, not(tachograph_loom))))]
pub(crate) type Pages<T> = Box<[T]>;

/// Zeroed values.
///
/// # Panics
/// If there is no memory, as any allocation may.
pub(crate) fn zeroed<T: Zeroed>(len: usize) -> Pages<T> {
    #[cfg(tachograph_loom)]
    return (0..len).map(|_| T::default()).collect();
    #[cfg(all(unix, not(tachograph_loom)))]
    return Pages::zeroed(len);
    #[cfg(not(any(unix, tachograph_loom)))]
    return T::new_vec_zeroed(len).expect("there is memory").into_boxed_slice();
}

/// Locks, even if an earlier holder panicked: every holder here leaves its data usable.
// RealtimeSanitizer only sees a lock that has to wait. Marked as blocking, it reports every lock
// that recording would take.
#[cfg_attr(tachograph_rtsan, inline(never), sanitize(realtime = "blocking"))]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // ThreadSanitizer cannot see into std's compiled code where a lock waits, so it would miss what
    // such a lock synchronizes with. It does see a successful try-lock.
    #[cfg(tachograph_tsan)]
    loop {
        match mutex.try_lock() {
            Ok(guard) => return guard,
            Err(std::sync::TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
            Err(std::sync::TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
    #[cfg(not(tachograph_tsan))]
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
