//! What can be asked of the set, in process and over HTTP.
//!
//! Uses `files`, `viewers` and `server`.

// Which nodes are asked for.
pub(crate) mod select;
// Who waits for an answer over HTTP, and how much memory answers take.
pub(crate) mod pool;
// `AstServer` answers.
pub(crate) mod answers;
// The routes.
pub(crate) mod routes;
