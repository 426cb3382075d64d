//! The file of the set, and others that somebody names: which may be opened, when one was saved, and
//! what is in it.
//!
//! Uses nothing of the other folders. [`crate::server`] loads what is read here, and
//! [`crate::service`] watches for saves.

// Opens plain files, and never waits.
pub(crate) mod open;
// Files that a client names: those in known folders only.
pub(crate) mod neighbour;
// Tells one state of a file from the next without reading it.
pub(crate) mod stamp;
// Reads a set.
pub(crate) mod read;
// When a save began: which events are newer than it.
pub(crate) mod journal;
// Events that never came: the next save makes up for them.
pub(crate) mod losses;
