//! The only door to atomics and the shared structures built on them, loom's stand-ins for these,
//! and fault points.
//!
//! May use nothing else in the crate. In reading order:
//! - `single_writer`: a word that one thread at a time writes
//! - `pages`: zeroed memory straight from the system
//! - `stand_ins`: replacements for structures of std and other crates in models
//! - `door`: everything that two threads touch, std's or loom's
//! - `cold_path`: whether this thread is in the middle of something that may hold a lock
//! - `fault`: points where tests make the aggregator fail

mod cold_path;
mod door;
pub(crate) mod fault;
#[cfg(all(unix, not(tachograph_loom)))]
mod pages;
mod single_writer;
#[cfg(tachograph_loom)]
mod stand_ins;

pub(crate) use cold_path::ColdPath;
pub(crate) use door::{
    Arc, ArcSwap, ArrayQueue, AtomicBool, AtomicF64, AtomicU8, AtomicU64, AtomicUsize, Cache,
    Mutex, MutexGuard, OnceBox, Ordering, Pages, Zeroed, lock, thread_local, zeroed,
};
pub(crate) use single_writer::SingleWriter;
