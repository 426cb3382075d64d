//! Reads a set from its file, and small files of settings.

use std::io::{self, Read};
use std::path::Path;

use live_set::Set;
use serde::Serializer;

use crate::error::Error;
use crate::files::open::Opened;
use crate::files::stamp::Stamp;

/// Reads a set from a plain file.
///
/// # Errors
/// Names the file and the reason.
pub fn read(file: &Path) -> Result<Set, Error> {
    read_opened(file, open(file)?).map(|(set, _)| set)
}

pub(crate) fn open(file: &Path) -> Result<Opened, Error> {
    Opened::open(file).map_err(|source| Error::open(file, source))
}

/// The limit for a file of settings: more than all authorities of a system take.
const TEXT_BYTES: u64 = 8 << 20;

/// Reads a small plain file whole, such as a token, rules or certificates. A pipe or a device is
/// refused: it could keep the program waiting, and cannot be read again.
///
/// # Errors
/// If it is no such file, cannot be read, has more than 8 MiB, or is not UTF-8.
pub fn read_text(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    Opened::open(file)?.file.take(TEXT_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > TEXT_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it has more than 8 MiB"));
    }
    Ok(text)
}

/// A set, and the state of its file when it was opened: a file that is written to while it is read
/// looks changed afterwards.
pub(crate) fn read_opened(file: &Path, opened: Opened) -> Result<(Set, Stamp), Error> {
    let stamp = Stamp::of(&opened.metadata);
    let set = Set::read(opened.file).map_err(|source| Error::read(file, source))?;
    Ok((set, stamp))
}

/// Serializes a path as text for people: if it is not UTF-8, as close as possible.
pub(crate) fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}
