//! Writing XML with Live's layout: tabs, one element a line.

use std::fmt::Display;
use std::io::{self, Write};

/// Attributes of an element.
pub(super) type Attributes<'a> = &'a [(&'a str, &'a dyn Display)];

/// Writes elements.
#[derive(Debug)]
pub(super) struct Xml<W> {
    out: W,
    depth: usize,
    /// The next number that something can be automated by: unique in a document.
    next_pointee: u64,
}

impl<W: Write> Xml<W> {
    pub(super) const fn new(out: W) -> Self {
        Self { out, depth: 0, next_pointee: 1 }
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
