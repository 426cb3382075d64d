//! Files named by a remote client: only plain files in known folders or below.

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::error::Error;
use crate::files::open::Opened;

/// Opens a file by its name, or by its path in one of the folders; the first folder that has it is
/// used. Links that lead out of the folder are not followed.
///
/// # Errors
/// The name leads elsewhere, there is no such file, or it is no plain file that can be read.
pub(crate) fn open(folders: &[PathBuf], name: &str) -> Result<(PathBuf, Opened), Error> {
    let is_below = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if !is_below || name.is_empty() || name.contains('\0') {
        return Err(Error::outside(name));
    }
    let mut missing = None;
    for folder in folders {
        match open_in(folder, name) {
            Err(error) if error.is_missing_file() => missing = missing.or(Some(error)),
            done => return done,
        }
    }
    Err(missing.unwrap_or_else(Error::no_folder))
}

fn open_in(folder: &Path, name: &str) -> Result<(PathBuf, Opened), Error> {
    let asked = folder.join(name);
    let refused = |source: io::Error| match source.kind() {
        // Neither a file nor a folder on the way to it.
        io::ErrorKind::NotADirectory => Error::open(&asked, io::ErrorKind::NotFound.into()),
        io::ErrorKind::InvalidInput => Error::outside(name),
        _ => Error::open(&asked, source),
    };
    let folder = folder.canonicalize().map_err(refused)?;
    let path = asked.canonicalize().map_err(refused)?;
    if !path.starts_with(&folder) {
        return Err(Error::outside(name));
    }
    let opened = Opened::open(&path).map_err(refused)?;
    // Something else may have replaced it meanwhile.
    if opened.place().map_err(refused)? == path {
        Ok((path, opened))
    } else {
        Err(Error::outside(name))
    }
}
