//! The server on its sockets: threads and tasks that run until it is stopped.
//!
//! Uses all folders but `demo`.

// A thread or task that is restarted if it panics.
pub(crate) mod part;
// Loads the set again when its file is saved.
pub(crate) mod watcher;
// Processes datagrams into events.
pub(crate) mod event_loop;
// The tree that a viewer is sent first.
pub(crate) mod greeting;
// The connection of one viewer.
pub(crate) mod viewer;
// Accepts viewers.
pub(crate) mod door;
// Starts and stops all of it.
pub(crate) mod lifecycle;
