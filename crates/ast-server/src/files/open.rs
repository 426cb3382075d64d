//! Opens a path that may no longer be a plain file.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

/// A plain file, open for reading.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) file: File,
    /// As it was opened.
    pub(crate) metadata: Metadata,
}

impl Opened {
    /// Opens a file without ever waiting: opening a pipe without a writer would block, so only
    /// plain files are accepted.
    ///
    /// # Errors
    /// It cannot be opened, or is a pipe, a folder, a socket or a device.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file =
            OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_file() {
            return Ok(Self { file, metadata });
        }
        let refused = format!("it is {}, no plain file", kind(&metadata));
        Err(io::Error::new(io::ErrorKind::InvalidInput, refused))
    }

    /// The path of the file that was opened, even if the original path now leads elsewhere.
    pub(crate) fn place(&self) -> io::Result<PathBuf> {
        fs::read_link(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }
}

fn kind(metadata: &Metadata) -> &'static str {
    let kind = metadata.file_type();
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn only_plain_files_are_opened_and_nothing_is_waited_for() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (pipe, link) = (folder.path().join("pipe"), folder.path().join("link"));
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
        std::os::unix::fs::symlink(&pipe, &link).expect("a link");
        let refused = |path: &Path| Opened::open(path).expect_err("refused").to_string();
        assert_eq!(refused(&pipe), "it is a pipe, no plain file");
        assert_eq!(refused(&link), "it is a pipe, no plain file");
        assert_eq!(refused(folder.path()), "it is a folder, no plain file");
        assert_eq!(refused(Path::new("/dev/zero")), "it is a device, no plain file");

        let (file, other) = (folder.path().join("file"), folder.path().join("other"));
        fs::write(&file, "text").expect("written");
        std::os::unix::fs::symlink(&file, &other).expect("a link");
        let opened = Opened::open(&other).expect("a plain file");
        assert_eq!(opened.metadata.len(), 4);
        assert_eq!(opened.place().expect("a path"), file.canonicalize().expect("a path"));
    }
}
