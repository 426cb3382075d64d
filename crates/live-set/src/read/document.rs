//! A document as nested elements, one at a time.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::file_ref::FileRefs;
use super::source::{Skipped, Source, classify, io_error};
use crate::error::{ReadError, ReadErrorKind};
use crate::limits::Limits;
use crate::tree::FileRef;

/// The fewest bytes of an attribute in a tag, as in ` a=""`.
const ATTRIBUTE_BYTES_MIN: usize = 5;
const MESSAGE_CHARS_MAX: usize = 200;

/// A document that is read element by element.
///
/// Readers of elements have one shape: remember the level on entry, then take the children one
/// after another. A child that is not looked into is skipped, so a reader names only what it needs:
///
/// ```text
/// let level = document.level();
/// while document.next_child(level)? {
///     match document.name() {
///         "Name" => name = document.text()?,
///         "Mixer" => mixer = read_mixer(document)?,
///         _ => {}
///     }
/// }
/// ```
#[derive(Debug)]
pub(super) struct Document<'a> {
    xml: Reader<Source<'a>>,
    /// The buffer for the XML reader's tags.
    buffer: Vec<u8>,
    /// The number of open elements.
    depth: usize,
    /// The tag of the child entered last, as in the file, and the length of its name.
    tag: String,
    name_bytes: usize,
    pub(super) file_refs: FileRefs,
    kept_bytes: usize,
    markup: u64,
    pub(super) limits: Limits,
}

enum Step {
    Open,
    Close,
    End,
}

impl<'a> Document<'a> {
    pub(super) fn new(source: Source<'a>, limits: Limits) -> Self {
        let mut xml = Reader::from_reader(source);
        // Treats an empty element as one without children, so that readers need not distinguish
        // them.
        xml.config_mut().expand_empty_elements = true;
        Self {
            xml,
            buffer: Vec::new(),
            depth: 0,
            tag: String::new(),
            name_bytes: 0,
            file_refs: FileRefs::new(),
            kept_bytes: 0,
            markup: 0,
            limits,
        }
    }

    /// The level of the element entered last; 0 is the document.
    pub(super) const fn level(&self) -> usize {
        self.depth
    }

    /// Enters the next child of the element at `level`; false if there is none left and the element
    /// is closed.
    pub(super) fn next_child(&mut self, level: usize) -> Result<bool, ReadError> {
        loop {
            match self.step(level + 1)? {
                Step::Open if self.depth == level + 1 => return Ok(true),
                Step::Close if self.depth < level => return Ok(false),
                Step::Open | Step::Close => {}
                Step::End if self.depth == 0 => return Ok(false),
                Step::End => return Err(self.error(ReadErrorKind::Truncated)),
            }
        }
    }

    /// The name of the element entered last.
    pub(super) fn name(&self) -> &str {
        &self.tag[..self.name_bytes]
    }

    /// An attribute of the element entered last.
    pub(super) fn attribute(&self, name: &str) -> Result<Option<Cow<'_, str>>, ReadError> {
        for attribute in Attributes::new(&self.tag, self.name_bytes).with_checks(false) {
            let attribute = attribute.map_err(|error| self.malformed(&error))?;
            if attribute.key.as_ref() == name {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                return value.map(Some).map_err(|error| self.malformed(&error));
            }
        }
        Ok(None)
    }

    /// The file references found so far.
    pub(super) fn take_file_refs(&mut self) -> Vec<FileRef> {
        std::mem::replace(&mut self.file_refs, FileRefs::new()).into_found()
    }

    /// An error at this place.
    pub(super) fn error(&self, kind: ReadErrorKind) -> ReadError {
        ReadError::new(kind, self.xml.get_ref().consumed())
    }

    /// Counts bytes that the tree keeps against the limit.
    pub(super) fn keep(&mut self, bytes: usize) -> Result<(), ReadError> {
        self.kept_bytes = self.kept_bytes.saturating_add(bytes);
        self.within("bytes of tree", self.kept_bytes, self.limits.tree_bytes)
    }

    /// An error if there are more than `limit` of something.
    pub(super) fn within(
        &self,
        what: &'static str,
        count: usize,
        limit: usize,
    ) -> Result<(), ReadError> {
        if count <= limit {
            return Ok(());
        }
        Err(self.error(ReadErrorKind::Limit { what, limit: limit as u64 }))
    }

    /// Reads the next tag. The tag of an element at the wanted level is kept.
    fn step(&mut self, wanted: usize) -> Result<Step, ReadError> {
        loop {
            self.skip_text()?;
            self.count_markup()?;
            self.buffer.clear();
            let event = match self.xml.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(error) => return Err(self.xml_error(error)),
            };
            match event {
                Event::Start(start) => {
                    self.depth += 1;
                    if self.depth == wanted {
                        self.tag.clear();
                        self.tag.push_str(&start);
                        self.name_bytes = start.name().as_ref().len();
                    }
                    if let Some(kind) = over_limit(&start, self.depth, &self.limits) {
                        return Err(self.error(kind));
                    }
                    let kept = self.file_refs.opened(&start, self.depth);
                    self.keep(kept)?;
                    return Ok(Step::Open);
                }
                Event::End(_) => {
                    let kept = self.file_refs.closed(self.depth);
                    self.keep(kept)?;
                    self.depth -= 1;
                    return Ok(Step::Close);
                }
                Event::Eof => return Ok(Step::End),
                Event::DocType(_) => return Err(self.error(ReadErrorKind::Doctype)),
                _ => {}
            }
        }
    }

    fn count_markup(&mut self) -> Result<(), ReadError> {
        self.markup += 1;
        if self.markup <= self.limits.markup {
            return Ok(());
        }
        let (what, limit) = ("tags and other markup", self.limits.markup);
        Err(self.error(ReadErrorKind::Limit { what, limit }))
    }

    /// Text has no meaning in a set; outside the root element it means that this is not a set.
    fn skip_text(&mut self) -> Result<(), ReadError> {
        let skipped =
            self.xml.get_mut().skip_text().map_err(|error| self.error(io_error(error)))?;
        match skipped {
            Skipped::Text if self.depth == 0 => Err(self.error(match self.name() {
                "" => ReadErrorKind::UnknownFormat,
                _ => ReadErrorKind::Xml("text behind the root element".to_owned()),
            })),
            _ => Ok(()),
        }
    }

    fn xml_error(&mut self, error: quick_xml::Error) -> ReadError {
        let kind = match error {
            quick_xml::Error::Io(error) => classify(error),
            // Syntax errors are always about markup that is not closed at the end of the input.
            quick_xml::Error::Syntax(error) => match self.xml.get_mut().skip_text() {
                Ok(_) if self.xml.get_mut().is_at_end() => ReadErrorKind::Truncated,
                _ => malformed(&error.to_string()),
            },
            error => malformed(&error.to_string()),
        };
        self.error(kind)
    }

    fn malformed(&self, error: &dyn std::error::Error) -> ReadError {
        self.error(malformed(&format!("attribute of <{}>: {error}", self.name())))
    }
}

/// Messages quote names from the document, which may be long.
fn malformed(message: &str) -> ReadErrorKind {
    ReadErrorKind::Xml(message.chars().take(MESSAGE_CHARS_MAX).collect())
}

/// The limit that an element exceeds, if any.
fn over_limit(start: &BytesStart<'_>, depth: usize, limits: &Limits) -> Option<ReadErrorKind> {
    let over = |what, limit: usize| Some(ReadErrorKind::Limit { what, limit: limit as u64 });
    if depth > limits.depth {
        return over("nested elements", limits.depth);
    }
    // A short tag cannot exceed the other limits, so its length is enough for nearly all tags.
    if start.len()
        <= limits.attribute_bytes.min(limits.attributes.saturating_mul(ATTRIBUTE_BYTES_MIN))
    {
        return None;
    }
    let mut count = 0;
    for attribute in start.attributes().with_checks(false).flatten() {
        count += 1;
        if count > limits.attributes {
            return over("attributes of one element", limits.attributes);
        }
        if attribute.value.len() > limits.attribute_bytes {
            return over("bytes in one attribute", limits.attribute_bytes);
        }
    }
    None
}
