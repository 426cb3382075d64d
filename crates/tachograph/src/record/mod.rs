//! How samples are recorded: by handle, by recorder, by name.
//!
//! May use `sync`, `time`, `series` and `lane`. In reading order:
//! - `handle`: a registered series, as hot code holds it
//! - `operation`: what recording does with a lane
//! - `correction`: samples that a stalled load generator did not take
//! - `recorder`: a lane, for a loop that owns its thread
//! - `seat`, `name_cache`, `own`: what this thread has for each collector
//! - `this_thread`: recording with that
//! - `timer`, `traced_timer`: guards that record how long they lived

pub(crate) mod correction;
pub(crate) mod handle;
pub(crate) mod name_cache;
pub(crate) mod operation;
pub(crate) mod own;
pub(crate) mod recorder;
pub(crate) mod seat;
pub(crate) mod this_thread;
pub(crate) mod timer;
pub(crate) mod traced_timer;
