//! Queries on the set, in process and over HTTP.
//!
//! Uses `files`, `viewers` and `server`.

// The selection of nodes.
pub(crate) mod select;
// The queue for queries over HTTP, and the memory of their answers.
pub(crate) mod pool;
// `AstServer`'s queries.
pub(crate) mod answers;
// The routes.
pub(crate) mod routes;
