//! What stands in for the core's own threads where there are no C threads, and under the model.

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
        // Err: it has panicked, which goes no further.
        let _ = self.0.join();
    }

    pub(crate) fn forget(self) {}
}
