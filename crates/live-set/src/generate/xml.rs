//! Writing XML with Live's layout: tabs, one element a line.

use std::fmt::Display;
use std::io::{self, Write};

use super::Version;

/// Attributes of an element.
pub(super) type Attributes<'a> = &'a [(&'a str, &'a dyn Display)];

/// Writes elements.
#[derive(Debug)]
pub(super) struct Xml<W> {
    out: W,
    depth: usize,
    version: Version,
    /// The next number that something can be automated by: unique in a document.
    next_pointee: u64,
}

impl<W: Write> Xml<W> {
    pub(super) const fn new(out: W, version: Version) -> Self {
        Self { out, depth: 0, version, next_pointee: 1 }
    }

    /// The layout is that of a version, or of one after it.
    pub(super) fn is_since(&self, version: Version) -> bool {
        self.version >= version
    }

    pub(super) fn declaration(&mut self) -> io::Result<()> {
        writeln!(self.out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)
    }

    /// An element with whatever `inside` writes in it.
    pub(super) fn element(
        &mut self,
        name: &str,
        attributes: Attributes<'_>,
        inside: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        self.start(name, attributes)?;
        writeln!(self.out, ">")?;
        self.depth += 1;
        inside(self)?;
        self.depth -= 1;
        self.indent()?;
        writeln!(self.out, "</{name}>")
    }

    /// An element without attributes.
    pub(super) fn within(
        &mut self,
        name: &str,
        inside: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        self.element(name, &[], inside)
    }

    /// An element with nothing in it.
    pub(super) fn empty(&mut self, name: &str, attributes: Attributes<'_>) -> io::Result<()> {
        self.start(name, attributes)?;
        writeln!(self.out, " />")
    }

    /// An element with a `Value`.
    pub(super) fn value(&mut self, name: &str, value: impl Display) -> io::Result<()> {
        self.empty(name, &[("Value", &value)])
    }

    /// A thing that can be automated, with its present value.
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

    /// A colour of the palette.
    pub(super) fn color(&mut self, color: impl Display) -> io::Result<()> {
        let name = if self.is_since(Version::Live11) { "Color" } else { "ColorIndex" };
        self.value(name, color)
    }

    /// A reference to a file in folders of the project.
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
            // Where Live looks for a file that has gone.
            xml.within("SearchHint", |xml| {
                xml.within("PathHint", |xml| path_elements(xml, &["Music", "Elsewhere"]))?;
                xml.value("FileSize", 0)?;
                xml.value("Crc", 0)
            })
        })
    }

    /// A number for something that can be automated.
    pub(super) const fn pointee(&mut self) -> u64 {
        self.next_pointee += 1;
        self.next_pointee
    }

    fn start(&mut self, name: &str, attributes: Attributes<'_>) -> io::Result<()> {
        self.indent()?;
        write!(self.out, "<{name}")?;
        for (key, value) in attributes {
            write!(self.out, " {key}=\"{}\"", escape(&value.to_string()))?;
        }
        Ok(())
    }

    fn indent(&mut self) -> io::Result<()> {
        (0..self.depth).try_for_each(|_| self.out.write_all(b"\t"))
    }
}

fn path_elements<W: Write>(xml: &mut Xml<W>, folders: &[&str]) -> io::Result<()> {
    folders.iter().enumerate().try_for_each(|(id, folder)| {
        xml.empty("RelativePathElement", &[("Id", &id), ("Dir", folder)])
    })
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}
