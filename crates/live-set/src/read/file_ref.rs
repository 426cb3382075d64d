//! Collects references to files, wherever they are in a document.

use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;

use super::document::Document;
use crate::error::ReadError;
use crate::tree::{FileRef, NodeId};

/// Elements whose content does not belong to the set: frozen audio, and grooves.
const FOREIGN: [&str; 2] = ["FreezeSequencer", "GroovePool"];

/// Checks every tag of a document, including elements that no reader looks into: references occur
/// in clips, devices, presets and elsewhere.
#[derive(Debug)]
pub(super) struct FileRefs {
    scope: Scope,
    /// The depth of the open element that does not belong to the set, if any.
    foreign: Option<usize>,
    open: Option<Open>,
    found: Vec<FileRef>,
}

/// The node that references found now belong to, and how many it has.
#[derive(Debug)]
pub(super) struct Scope {
    owner: NodeId,
    count: usize,
}

/// A reference being read.
#[derive(Debug, Default)]
struct Open {
    depth: usize,
    name: String,
    path: String,
    /// Up to Live 10 the folders are elements; from Live 11 on this is a value.
    relative_path: String,
    ref_type: Option<i32>,
}

impl FileRefs {
    pub(super) fn new() -> Self {
        let scope = Scope { owner: NodeId::project(), count: 0 };
        Self { scope, foreign: None, open: None, found: Vec::new() }
    }

    /// From here on references belong to another node; returns the scope for
    /// [`leave`](Self::leave).
    pub(super) fn enter(&mut self, owner: &NodeId) -> Scope {
        std::mem::replace(&mut self.scope, Scope { owner: owner.clone(), count: 0 })
    }

    pub(super) fn leave(&mut self, outer: Scope) {
        self.scope = outer;
    }

    /// Checks a tag; returns the number of bytes kept.
    pub(super) fn opened(&mut self, tag: &BytesStart<'_>, depth: usize) -> usize {
        let name = tag.name();
        let name = name.as_ref();
        if self.foreign.is_some() {
            return 0;
        }
        if FOREIGN.contains(&name) {
            self.foreign = Some(depth);
            return 0;
        }
        match &mut self.open {
            Some(open) => open.take(name, tag, depth),
            None if name == "FileRef" => {
                self.open = Some(Open { depth, ..Open::default() });
                0
            }
            None => 0,
        }
    }

    /// Ends an element at a depth; returns the number of bytes kept.
    pub(super) fn closed(&mut self, depth: usize) -> usize {
        if self.foreign == Some(depth) {
            self.foreign = None;
        }
        match self.open.take_if(|open| open.depth == depth) {
            Some(open) => self.push(open),
            None => 0,
        }
    }

    pub(super) fn into_found(mut self) -> Vec<FileRef> {
        self.found.shrink_to_fit();
        self.found
    }

    /// A reference without a file name is ignored.
    fn push(&mut self, open: Open) -> usize {
        let Open { mut name, mut path, relative_path, ref_type, .. } = open;
        if path.is_empty() {
            path = relative_path;
            if !name.is_empty() {
                path.push_str(&name);
            }
        }
        if name.is_empty() {
            file_name(&path).clone_into(&mut name);
        }
        if name.is_empty() && path.is_empty() {
            return 0;
        }
        let id = NodeId::file_ref(&self.scope.owner, self.scope.count);
        self.scope.count += 1;
        let bytes = size_of::<FileRef>() + super::ID_BYTES + id.as_str().len() + name.len();
        self.found.push(FileRef::new(id, name, path, ref_type.unwrap_or(-1)));
        bytes
    }
}

impl Open {
    fn take(&mut self, name: &str, tag: &BytesStart<'_>, depth: usize) -> usize {
        let mut kept = 0;
        let mut text = |key, field: &mut String| {
            if let Some(value) = attribute(tag, key) {
                kept += value.len();
                *field = value;
            }
        };
        match (name, depth - self.depth) {
            ("Name", 1) => text("Value", &mut self.name),
            ("Path", 1) => text("Value", &mut self.path),
            ("RelativePath", 1) => text("Value", &mut self.relative_path),
            ("Type", 1) => {
                self.ref_type = attribute(tag, "Value").and_then(|value| value.parse().ok());
            }
            ("RelativePathElement", 2) => {
                let mut folder = String::new();
                text("Dir", &mut folder);
                if !folder.is_empty() {
                    self.relative_path.push_str(&folder);
                    self.relative_path.push('/');
                }
            }
            _ => {}
        }
        kept
    }
}

/// An attribute of a tag; one that cannot be read counts as absent.
fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = tag.attributes();
    let mut whole = attributes.with_checks(false).flatten();
    let found = whole.find(|attribute| attribute.key.as_ref() == name)?;
    let value = found.normalized_value(XmlVersion::Implicit1_0).ok()?;
    Some(value.into_owned())
}

/// The name of the file that an element's `FileRef` refers to, without its folders.
pub(super) fn referred(document: &mut Document<'_>) -> Result<Option<String>, ReadError> {
    let level = document.level();
    let mut name = None;
    while document.next_child(level)? {
        if document.name() != "FileRef" {
            continue;
        }
        let file = document.level();
        while document.next_child(file)? {
            if matches!(document.name(), "Name" | "Path" | "RelativePath") {
                let path = document.text()?;
                let found = path.as_deref().map(file_name).filter(|name| !name.is_empty());
                name = found.map(str::to_owned).or(name);
            }
        }
    }
    Ok(name)
}

/// The text after the last separator: sets saved on Windows may use either.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}
