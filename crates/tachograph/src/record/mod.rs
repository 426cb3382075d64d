//! Recording: by handle, by recorder, by name.
//!
//! May use `sync`, `time`, `drops`, `series` and `lane`. In reading order:
//! - `handle`: the common part of all handles
//! - `operation`: what recording does with a lane
//! - `name_cache`, `own`: what a thread or a recorder has for one collector: a lane, names
//! - `seat`, `own_table`: a thread's state for each of its collectors
//! - `this_thread`: recording with that state, by handle and by name
//! - `timer`: guards that record how long they lived
//! - `handles`: counters, timings, histograms and gauges, for use in hot code
//! - `recorder`: the same for a loop that owns its thread

pub(crate) mod handle;
pub(crate) mod handles;
pub(crate) mod name_cache;
pub(crate) mod operation;
pub(crate) mod own;
pub(crate) mod own_table;
pub(crate) mod recorder;
pub(crate) mod seat;
pub(crate) mod this_thread;
pub(crate) mod timer;
