//! The state of a file.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

/// Distinguishes one state of a file from the next without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    len: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    /// The present state of a file; `None` if no file can be seen.
    pub(crate) fn look(file: &Path) -> Option<Self> {
        fs::metadata(file).ok().map(|metadata| Self::of(&metadata))
    }

    pub(crate) fn of(metadata: &Metadata) -> Self {
        let (device, inode, len) = (metadata.dev(), metadata.ino(), metadata.len());
        Self { device, inode, len, modified: metadata.modified().ok() }
    }
}
