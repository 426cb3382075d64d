//! The file that a recording is written to, which must stay what its writer has made it.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

/// A file that belongs to one writer at a time. What it held before stays until the first write.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    identity: Identity,
    encoder: Encoder,
    /// Whether the old content has been dropped.
    is_begun: bool,
    /// Bytes in the file, and how many of them the last write has added.
    length: u64,
    added: u64,
}

#[derive(Debug)]
enum Encoder {
    Plain(Counted),
    Gzip(Box<GzEncoder<Counted>>),
}

/// A file and the number of bytes written to it.
#[derive(Debug)]
struct Counted {
    file: File,
    bytes: u64,
}

impl Output {
    /// # Errors
    /// If the file cannot be opened, or another program is recording into it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        // Appending keeps lines in one piece when somebody else empties the file. Windows could not
        // empty a file that is opened for that.
        let mut options = File::options();
        let file =
            options.write(true).append(cfg!(unix)).create(true).truncate(false).open(path)?;
        lock(&file)?;
        Ok(Self {
            path: path.to_owned(),
            identity: identity(&fs::metadata(path)?),
            // Does nothing when it is dropped, unlike the other one.
            encoder: Encoder::Plain(Counted { file, bytes: 0 }),
            is_begun: false,
            length: 0,
            added: 0,
        })
    }

    /// Writes a text; after that, all of it is in the file.
    pub(super) fn write(&mut self, text: &str) -> io::Result<()> {
        if !std::mem::replace(&mut self.is_begun, true) {
            self.begin_again()?;
        }
        self.put(|encoder| match encoder {
            Encoder::Plain(file) => file.write_all(text.as_bytes()),
            Encoder::Gzip(gzip) => gzip.write_all(text.as_bytes()).and_then(|()| gzip.flush()),
        })
    }

    /// Writes the end of a compressed file.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.put(|encoder| match encoder {
            Encoder::Plain(_) => Ok(()),
            Encoder::Gzip(gzip) => gzip.try_finish(),
        })
    }

    fn put(&mut self, write: impl FnOnce(&mut Encoder) -> io::Result<()>) -> io::Result<()> {
        let before = self.encoder.counted().bytes;
        write(&mut self.encoder)?;
        self.added = self.encoder.counted().bytes - before;
        self.length += self.added;
        Ok(())
    }

    /// Whether the file was emptied before the last write, as when logs are rotated by copying.
    ///
    /// # Errors
    /// If anything else has happened to it.
    pub(super) fn is_emptied(&self) -> io::Result<bool> {
        let there = fs::metadata(&self.path).ok().map(|there| identity(&there));
        if there != Some(self.identity) {
            let told = "the file is gone: it was removed, renamed or replaced while it was \
                        recorded; record again, and move the file only after the end";
            return Err(io::Error::new(ErrorKind::NotFound, told));
        }
        let is = self.file().metadata()?;
        match is.len() {
            // A device has no length.
            length if length == self.length || !is.is_file() || !self.is_begun => Ok(false),
            length if length == self.added => Ok(true),
            length => Err(io::Error::other(format!(
                "another program has written to it: it has {length} bytes instead of {}",
                self.length
            ))),
        }
    }

    /// Drops what is in the file.
    pub(super) fn begin_again(&mut self) -> io::Result<()> {
        // Dropping the old encoder may write its end.
        self.encoder = Encoder::new(self.file().try_clone()?, &self.path);
        self.length = 0;
        self.file().set_len(0)
    }

    fn file(&self) -> &File {
        &self.encoder.counted().file
    }
}

impl Encoder {
    fn new(file: File, path: &Path) -> Self {
        let file = Counted { file, bytes: 0 };
        match path.extension().is_some_and(|it| it.eq_ignore_ascii_case("gz")) {
            true => Self::Gzip(Box::new(GzEncoder::new(file, Compression::fast()))),
            false => Self::Plain(file),
        }
    }

    fn counted(&self) -> &Counted {
        match self {
            Self::Plain(file) => file,
            Self::Gzip(gzip) => gzip.get_ref(),
        }
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Reserves the file until it is closed, where the file system knows how.
fn lock(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use rustix::fs::{FlockOperation, flock};
        use rustix::io::Errno;
        if flock(file, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
            let told = "another program is recording into it";
            return Err(io::Error::new(ErrorKind::ResourceBusy, told));
        }
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// Which file it is, whatever its name.
type Identity = (u64, u64);

fn identity(there: &Metadata) -> Identity {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (there.dev(), there.ino())
    }
    #[cfg(not(unix))]
    {
        let _ = there;
        (0, 0)
    }
}
