//! The server without its sockets: one set, who is told of its changes, and one lock for both.
//!
//! Uses `osc`, `events`, `files` and `viewers`.

// The settings.
pub(crate) mod builder;
// The time that one event takes.
pub(crate) mod event_timer;
// Tracks and scenes as JSON, kept for the next who asks.
pub(crate) mod cache;
// What the lock guards.
pub(crate) mod state;
// `AstServer`: what a program that embeds the server calls.
pub(crate) mod ast_server;
// `AstServer` loads a set, and its file again after a save.
pub(crate) mod loading;
// The summary as text for a terminal.
pub(crate) mod dashboard;
