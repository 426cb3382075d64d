//! How samples are recorded: by handle, by recorder, by name.
//!
//! May use `sync`, `time`, `series` and `lane`. In reading order:
//! - `handle`: what every handle holds
//! - `operation`: what recording does with a lane
//! - `own_lane`: a lane with its one writer, and what to do where there is none
//! - `seat`, `name_cache`, `own`: what this thread has for each collector
//! - `this_thread`: recording with that, by handle and by name
//! - `timer`: guards that record how long they lived
//! - `handles`: counters, timings, histograms and gauges, as hot code holds them
//! - `recorder`: the same for a loop that owns its thread

pub(crate) mod handle;
pub(crate) mod handles;
pub(crate) mod name_cache;
pub(crate) mod operation;
pub(crate) mod own;
pub(crate) mod own_lane;
pub(crate) mod recorder;
pub(crate) mod seat;
pub(crate) mod this_thread;
pub(crate) mod timer;
