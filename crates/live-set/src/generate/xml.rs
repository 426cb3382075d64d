//! Writing XML with Live's layout: tabs, one element a line.

use std::fmt::Display;
use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, Event};

use super::Version;

/// Attributes of an element.
pub(super) type Attributes<'a> = &'a [(&'a str, &'a dyn Display)];

/// Writes elements.
pub(super) struct Xml<'a> {
    writer: Writer<&'a mut dyn Write>,
    version: Version,
    /// The next id for something that can be automated; unique in a document.
    next_pointee: u64,
}

impl<'a> Xml<'a> {
    pub(super) fn new(out: &'a mut dyn Write, version: Version) -> Self {
        let mut writer = Writer::new_with_indent(out, b'\t', 1);
        writer.config_mut().add_space_before_slash_in_empty_elements = true;
        Self { writer, version, next_pointee: 1 }
    }

    /// Whether the layout is that of a version or a later one.
    pub(super) fn is_since(&self, version: Version) -> bool {
        self.version >= version
    }

    pub(super) fn declaration(&mut self) -> io::Result<()> {
        self.writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))
    }

    /// An element whose content `inside` writes.
    pub(super) fn element(
        &mut self,
        name: &str,
        attributes: Attributes<'_>,
        inside: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        self.writer.write_event(Event::Start(start(name, attributes)))?;
        inside(self)?;
        self.writer.write_event(Event::End(BytesEnd::new(name)))
    }

    /// An element without attributes.
    pub(super) fn within(
        &mut self,
        name: &str,
        inside: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        self.element(name, &[], inside)
    }

    /// An element without content.
    pub(super) fn empty(&mut self, name: &str, attributes: Attributes<'_>) -> io::Result<()> {
        self.writer.write_event(Event::Empty(start(name, attributes)))
    }

    /// An element with a `Value`.
    pub(super) fn value(&mut self, name: &str, value: impl Display) -> io::Result<()> {
        self.empty(name, &[("Value", &value)])
    }

    /// Something that can be automated, with its current value.
    pub(super) fn automatable(
        &mut self,
        name: &str,
        value: impl Display,
        range: Option<(f64, f64)>,
    ) -> io::Result<()> {
        self.within(name, |xml| {
            xml.value("LomId", 0)?;
            xml.value("Manual", value)?;
            if let Some((min, max)) = range {
                xml.within("MidiControllerRange", |xml| {
                    xml.value("Min", min)?;
                    xml.value("Max", max)
                })?;
            }
            let pointee = xml.pointee();
            xml.element("AutomationTarget", &[("Id", &pointee)], |xml| xml.value("LockEnvelope", 0))
        })
    }

    /// A palette colour.
    pub(super) fn color(&mut self, color: impl Display) -> io::Result<()> {
        let name = if self.is_since(Version::Live11) { "Color" } else { "ColorIndex" };
        self.value(name, color)
    }

    /// A reference to a file in the project's folders.
    pub(super) fn file_ref(&mut self, folders: &[&str], name: &str) -> io::Result<()> {
        self.within("FileRef", |xml| {
            if xml.is_since(Version::Live11) {
                let relative = format!("{}/{name}", folders.join("/"));
                xml.value("RelativePathType", 3)?;
                xml.value("RelativePath", &relative)?;
                xml.value("Path", format!("/Music/Generated Project/{relative}"))?;
                xml.value("Type", 1)?;
                xml.value("OriginalFileSize", 0)?;
                return xml.value("OriginalCrc", 0);
            }
            xml.value("HasRelativePath", true)?;
            xml.value("RelativePathType", 3)?;
            xml.within("RelativePath", |xml| path_elements(xml, folders))?;
            xml.value("Name", name)?;
            xml.value("Type", 1)?;
            // Where Live looks for a missing file.
            xml.within("SearchHint", |xml| {
                xml.within("PathHint", |xml| path_elements(xml, &["Music", "Elsewhere"]))?;
                xml.value("FileSize", 0)?;
                xml.value("Crc", 0)
            })
        })
    }

    /// An id for something that can be automated.
    pub(super) const fn pointee(&mut self) -> u64 {
        self.next_pointee += 1;
        self.next_pointee
    }
}

fn start<'a>(name: &'a str, attributes: Attributes<'_>) -> BytesStart<'a> {
    let mut start = BytesStart::new(name);
    for (key, value) in attributes {
        start.push_attribute((*key, value.to_string().as_str()));
    }
    start
}

fn path_elements(xml: &mut Xml<'_>, folders: &[&str]) -> io::Result<()> {
    folders.iter().enumerate().try_for_each(|(id, folder)| {
        xml.empty("RelativePathElement", &[("Id", &id), ("Dir", folder)])
    })
}
