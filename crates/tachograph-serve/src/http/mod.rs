//! The endpoint: its settings, access control, connections and routes. Uses `pages`.

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
