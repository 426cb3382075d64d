//! The endpoint: its settings, access control, connections and routes. Uses `pages`.
//!
//! Limits are libraries' where there is one: hyper's for heads and keep-alive, `tokio-io-timeout`
//! for clients that read nothing, tower-http's for panics, bodies and time of mounted routes, a
//! semaphore for the number of connections. Three are our own, because no library has them:
//! - A full server makes room for a new connection instead of refusing it ([`connection`],
//!   `live::seat`). Layers see requests, and a crowd that only holds connections sends none.
//! - The first head has a shorter limit than the pause before the next one ([`connection`]); hyper
//!   has one time-out for both.
//! - An answer has a time for all of it, and is passed on in pieces of the one body that all clients
//!   share (`pages::answer`, `pages::bodies`). tower-http limits the time between two pieces, which
//!   a client that reads drop by drop never exceeds.

pub(crate) mod access;
pub(crate) mod connection;
pub(crate) mod endpoint;
pub(crate) mod files;
pub(crate) mod health;
pub(crate) mod routes;
pub(crate) mod server;
pub(crate) mod server_thread;
pub(crate) mod session;
#[cfg(feature = "tls")]
pub(crate) mod tls;
pub(crate) mod token;
