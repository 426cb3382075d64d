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
use crate::tree::Project;

/// What an id takes on the heap, with what the allocator adds: an estimate for the limit.
const ID_BYTES: usize = 64;
/// What the allocator adds to a text: an estimate for the limit.
const TEXT_BYTES: usize = 16;

/// Reads a project; its hashes are still missing.
pub(crate) fn read(reader: impl Read, limits: &Limits) -> Result<Project, ReadError> {
    let source = Source::open(reader, limits).map_err(|kind| ReadError::new(kind, 0))?;
    project::document(&mut Document::new(source, *limits))
}
