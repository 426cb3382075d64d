//! Reads a document as a stream: only the tree is kept, and nothing else grows with the document.

mod clip;
mod device;
mod document;
mod file_ref;
mod project;
mod source;
mod track;
mod value;

use std::io::Read;

use self::document::Document;
use self::source::Source;
use crate::error::ReadError;
use crate::limits::Limits;
use crate::tree::{ID_BYTES, Project, TEXT_BYTES};

/// Reads a project, without hashes.
pub(crate) fn read(reader: impl Read, limits: &Limits) -> Result<Project, ReadError> {
    let source = Source::open(reader, limits).map_err(|kind| ReadError::new(kind, 0))?;
    project::document(&mut Document::new(source, *limits))
}
