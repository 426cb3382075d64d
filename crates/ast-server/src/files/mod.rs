//! The set's file, and others that clients name: which may be opened, when one was saved, and what
//! is in it.
//!
//! Uses nothing of the other folders. [`crate::server`] loads what is read here, and
//! [`crate::service`] watches for saves.

// Opens plain files without ever waiting.
pub(crate) mod open;
// Files that a client names: only those in known folders.
pub(crate) mod neighbour;
// Distinguishes one state of a file from the next without reading it.
pub(crate) mod stamp;
// Reads a set.
pub(crate) mod read;
// When a save began, and which events are newer.
pub(crate) mod journal;
// Events that never arrived: the next save makes up for them.
pub(crate) mod losses;
