//! Reading a document as a stream: what is kept is the tree, and nothing else grows with it.

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

/// Reads a project; its hashes are still missing.
pub(crate) fn read(reader: impl Read, limits: &Limits) -> Result<Project, ReadError> {
    let source = Source::open(reader, limits).map_err(|kind| ReadError::new(kind, 0))?;
    project::document(&mut Document::new(source, *limits))
}
