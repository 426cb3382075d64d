//! Writing files: whole or not at all.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Failure;

/// Writes all files into a folder, or none: each under another name first, and all are given their
/// names once the last is written. Gives the paths.
pub(super) fn write_all(folder: &Path, files: &[(&str, &str)]) -> Result<Vec<PathBuf>, Failure> {
    let told = |path: &Path, reason: &dyn std::fmt::Display| -> Failure {
        format!("cannot write {}, and have written nothing: {reason}", path.display()).into()
    };
    let mut written = Vec::new();
    for (name, content) in files {
        let path = folder.join(name);
        let file = write_aside(folder, content).map_err(|reason| told(&path, &reason))?;
        written.push((file, path));
    }
    let rename = |(file, path): (NamedTempFile, PathBuf)| match file.persist(&path) {
        Ok(_) => Ok(path),
        Err(error) => Err(format!("cannot write {}: {}", path.display(), error.error).into()),
    };
    written.into_iter().map(rename).collect()
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
