//! The server without its sockets: one set, its viewers, and one lock for both.
//!
//! Uses `osc`, `events`, `files` and `viewers`.

// The settings.
pub(crate) mod builder;
// The time that one event takes.
pub(crate) mod event_timer;
// The cache of tracks and scenes as JSON.
pub(crate) mod cache;
// The state behind the lock.
pub(crate) mod state;
// `AstServer`: the API for programs that embed the server.
pub(crate) mod ast_server;
// `AstServer` loads a set, and its file again after a save.
pub(crate) mod loading;
// The summary as text for a terminal.
pub(crate) mod dashboard;
