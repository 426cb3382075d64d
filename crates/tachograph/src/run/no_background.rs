//! Replaces the core's own threads on platforms without C threads, and in models.

use std::ffi::CStr;
use std::io;
use std::thread::{Builder, JoinHandle};

/// See `background.rs`.
#[derive(Debug)]
pub(crate) struct Background(JoinHandle<()>);

impl Background {
    pub(crate) fn start(
        name: &'static CStr,
        body: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let name = name.to_string_lossy().into_owned();
        Builder::new().name(name).spawn(body).map(Self)
    }

    pub(crate) fn join(self) {
        // Err: it has panicked, which does not propagate.
        let _ = self.0.join();
    }

    pub(crate) fn forget(self) {}
}
