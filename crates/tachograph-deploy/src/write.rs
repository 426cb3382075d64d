//! Writes all files or none.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::File;
use crate::error::DeployError;

/// Writes all files into a folder, or none, and returns their paths. Creates the folder if it does
/// not exist.
///
/// Each file is first written under a temporary name. Once all are on the disk, they are renamed.
///
/// # Errors
/// If a file exists with other contents and `force` is not set: somebody may have edited it. Or if
/// the folder or a file cannot be written.
pub fn write(folder: &Path, files: &[File], force: bool) -> Result<Vec<PathBuf>, DeployError> {
    if !force {
        for file in files {
            refuse_changed(&folder.join(&file.name), &file.content)?;
        }
    }
    fs::create_dir_all(folder)
        .map_err(|error| DeployError::io("create the folder", folder, error))?;
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
    let there = match fs::metadata(path) {
        // Only what may be the same is read: a pipe would wait for its writer.
        Ok(there) if there.is_file() && there.len() == content.len() as u64 => fs::read(path),
        Ok(_) => return Err(DeployError::changed(path)),
        Err(error) => Err(error),
    };
    match there {
        Ok(there) if there == content.as_bytes() => Ok(()),
        Ok(_) => Err(DeployError::changed(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(DeployError::io("read", path, error)),
    }
}

/// Writes a temporary file with this content, which is deleted unless it is renamed.
fn write_aside(folder: &Path, content: &str) -> io::Result<NamedTempFile> {
    #[cfg_attr(not(unix), allow(unused_mut, reason = "only Unix has modes"))]
    let mut builder = tempfile::Builder::new();
    // Readable for everyone, as far as the umask allows: Prometheus usually runs as another user.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(content.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}
