//! Writing files: all or none.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::File;
use crate::error::DeployError;

/// Writes all files into a folder, which is made if need be, or none. Gives their paths.
///
/// Each is written under another name first, and all are given their names once the last is on the
/// disk.
///
/// # Errors
/// A file is there with other contents, and `force` is not set: somebody may have put work into it.
/// Or the folder or a file cannot be written.
pub fn write(folder: &Path, files: &[File], force: bool) -> Result<Vec<PathBuf>, DeployError> {
    if !force {
        for file in files {
            refuse_changed(&folder.join(&file.name), &file.content)?;
        }
    }
    fs::create_dir_all(folder)
        .map_err(|error| DeployError::io("make the folder", folder, error))?;
    let mut written = Vec::new();
    for file in files {
        let path = folder.join(&file.name);
        let aside = write_aside(folder, &file.content);
        written.push((aside.map_err(|error| DeployError::io("write", &path, error))?, path));
    }
    let rename = |(file, path): (NamedTempFile, PathBuf)| match file.persist(&path) {
        Ok(_) => Ok(path),
        Err(error) => Err(DeployError::io("write", &path, error.error)),
    };
    written.into_iter().map(rename).collect()
}

fn refuse_changed(path: &Path, content: &str) -> Result<(), DeployError> {
    match fs::read(path) {
        Ok(there) if there == content.as_bytes() => Ok(()),
        Ok(_) => Err(DeployError::changed(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(DeployError::io("read", path, error)),
    }
}

/// A file with this content, on the disk, under a name that goes with it.
fn write_aside(folder: &Path, content: &str) -> io::Result<NamedTempFile> {
    // For everyone, as far as the process's umask allows: Prometheus has a user of its own.
    let readable = Permissions::from_mode(0o644);
    let mut file = tempfile::Builder::new().permissions(readable).tempfile_in(folder)?;
    file.write_all(content.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}
