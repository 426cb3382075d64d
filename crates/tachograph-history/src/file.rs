//! Recordings: a history's lines in a file, gzipped if its name ends in `.gz`.

mod output;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use tachograph::Kind;

use self::output::Output;
use crate::definition::Definition;
use crate::frame::Frame;
use crate::line::{FORMAT, Line, Meta};
use crate::standing::Standing;

/// The limit for a line in bytes. A frame of 20,000 timings takes about 6 MB.
const LINE_BYTES: u64 = 32 << 20;

/// Writes the lines of a recording.
///
/// Lines are written whole. Only gzip buffers here, so a recording that ends suddenly ends with its
/// last line, or with a partial one that [`Reader`] leaves out.
///
/// While it exists, the file is locked (`flock`; other systems and some file systems have no such
/// lock): a second writer is refused, readers are not. If the file is emptied meanwhile, as when
/// logs are rotated by copying, the recording goes on from its start: with the meta line, the
/// definitions and the frame that is written, with the gauges that stand. For that, the writer keeps
/// the definitions as text.
#[derive(Debug)]
pub struct Writer {
    output: Output,
    /// The meta line and all definitions after it.
    header: String,
    /// The gauges as they stand.
    standing: Standing,
}

impl Writer {
    /// Opens the file, or creates it. What it holds is replaced when the first line is written.
    ///
    /// # Errors
    /// If it cannot be opened, or another program is recording into it.
    pub fn create(path: &Path) -> io::Result<Self> {
        let output = Output::open(path)?;
        Ok(Self { output, header: String::new(), standing: Standing::default() })
    }

    /// Writes the meta line.
    ///
    /// # Errors
    /// Those of [`frame`](Self::frame).
    pub fn meta(&mut self, meta: &Meta) -> io::Result<()> {
        self.header = meta.to_line();
        self.standing = Standing::default();
        self.output.write(&self.header)?;
        if self.output.is_emptied()? { self.begin_again() } else { Ok(()) }
    }

    /// Writes a frame, after the definitions that first appear in it; after that, all of it is in
    /// the file. The meta line comes before the first one.
    ///
    /// # Errors
    /// If there is no meta line yet, or if the file does not take it, has been removed, renamed or replaced, or has been changed by
    /// another program. The recording ends there: anything after half a line could not be read.
    pub fn frame<'a>(
        &mut self,
        frame: &Frame,
        new: impl IntoIterator<Item = &'a Definition>,
    ) -> io::Result<()> {
        if self.header.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a recording begins with its meta line: write that first",
            ));
        }
        let mut lines: String = new.into_iter().map(Definition::to_line).collect();
        self.header += &lines;
        lines += &frame.to_line();
        self.output.write(&lines)?;
        if self.output.is_emptied()? {
            self.begin_again()?;
            let mut first = Arc::new(frame.clone());
            self.standing.begin(&mut first);
            self.output.write(&first.to_line())?;
        }
        self.standing.note(frame);
        Ok(())
    }

    /// Ends the recording: compressed files have an end of their own. Dropping the writer does that
    /// too, without telling whether it succeeded.
    ///
    /// # Errors
    /// Those of [`frame`](Self::frame).
    pub fn finish(&mut self) -> io::Result<()> {
        self.output.end()?;
        if self.output.is_emptied()? {
            self.begin_again()?;
            self.output.end()?;
        }
        Ok(())
    }

    fn begin_again(&mut self) -> io::Result<()> {
        self.output.begin_again()?;
        self.output.write(&self.header)
    }
}

/// Why reading a recording cannot continue.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file itself.
    #[error("cannot read the recording: {0}")]
    Io(#[from] io::Error),
    /// A line that is not valid in a recording.
    #[error("line {line} of the recording: {reason}")]
    Line {
        /// The line's number, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// Reads a recording line by line: an iterator of [`Line`]s.
///
/// An incomplete last line, as left by a killed recorder, and compressed data that is damaged end the
/// recording, as [`Reader::cut`] tells. Any other invalid line is an error, after which the iterator
/// ends.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    line: u64,
    known: HashMap<u32, Kind>,
    cut: Option<String>,
    ended: bool,
}

impl Reader<BufReader<Box<dyn Read + Send>>> {
    /// Opens a recording; its first bytes show whether it is compressed.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = BufReader::new(File::open(path)?);
        let is_gzip = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let input: Box<dyn Read + Send> =
            if is_gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        Ok(Self::new(BufReader::new(input)))
    }
}

impl<R: BufRead> Reader<R> {
    /// Reads from any source of lines.
    pub fn new(input: R) -> Self {
        Self { input, line: 0, known: HashMap::new(), cut: None, ended: false }
    }

    /// Why the recording ended before its end, and what was left out of it.
    pub fn cut(&self) -> Option<&str> {
        self.cut.as_deref()
    }

    fn read(&mut self) -> Result<Option<Line>, Error> {
        let mut text = Vec::new();
        self.line += 1;
        let read = (&mut self.input).take(LINE_BYTES).read_until(b'\n', &mut text);
        match read {
            Ok(0) => return Ok(None),
            Ok(read) if read as u64 == LINE_BYTES && text.last() != Some(&b'\n') => {
                return Err(self.wrong(format!("it is longer than {LINE_BYTES} bytes")));
            }
            Ok(_) => {}
            // A truncated compressed recording ends here.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => text.clear(),
            // Nothing after it can be decompressed.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
                ) =>
            {
                let whole = self.line - 1;
                self.cut = Some(format!(
                    "its compressed data is damaged after line {whole} ({error}), and the rest was \
                     left out"
                ));
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        }
        if text.last() != Some(&b'\n') {
            self.cut = Some("its last line is incomplete and was left out".to_owned());
            return Ok(None);
        }
        let line = serde_json::from_slice(&text).map_err(|error| self.wrong(misread(&error)))?;
        self.check(&line)?;
        Ok(Some(line))
    }

    fn wrong(&self, reason: String) -> Error {
        Error::Line { line: self.line, reason }
    }

    fn check(&mut self, line: &Line) -> Result<(), Error> {
        match line {
            Line::Meta(meta) if meta.format != FORMAT => {
                let format = meta.format;
                Err(self.wrong(format!("its format is {format}, this program reads {FORMAT}")))
            }
            Line::Meta(_) => {
                // Another process, with its own numbers.
                self.known.clear();
                Ok(())
            }
            _ if self.line == 1 => {
                Err(self.wrong("the first line of a recording says what it is: `meta`".to_owned()))
            }
            Line::Series(definition) => {
                let number = definition.number;
                let is_new = self.known.insert(number, definition.kind).is_none();
                let told = || self.wrong(format!("series {number} is defined twice"));
                if is_new { Ok(()) } else { Err(told()) }
            }
            Line::Frame(frame) => {
                let problem = || frame.problem().map(str::to_owned);
                let problem = self.misfit(frame).or_else(problem);
                problem.map_or(Ok(()), |problem| Err(self.wrong(problem)))
            }
        }
    }

    /// What is wrong with the series of a frame: one is unknown, or in a list of other kinds.
    fn misfit(&self, frame: &Frame) -> Option<String> {
        use Kind::{Counter, Gauge, Histogram, Timing, UpDownCounter};
        let counters = frame.counters.iter().map(|it| (it.0, [Counter, UpDownCounter], "counters"));
        let gauges = frame.gauges.iter().map(|it| (it.0, [Gauge, Gauge], "gauges"));
        let timings = frame.timings.iter().map(|it| (it.0, [Timing, Histogram], "timings"));
        let mut all = counters.chain(gauges).chain(timings);
        all.find_map(|(number, kinds, list)| match self.known.get(&number) {
            None => Some(format!("series {number} is not defined before it")),
            Some(kind) if kinds.contains(kind) => None,
            Some(kind) => Some(format!("series {number}, a {}, is among the {list}", kind.name())),
        })
    }
}

/// Why a text is not a line, without the position in it: it is one line.
fn misread(error: &serde_json::Error) -> String {
    if !error.is_data() {
        return "it is not JSON".to_owned();
    }
    let told = error.to_string();
    told.split(" at line ").next().unwrap_or_default().to_owned()
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Line, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let line = self.read().transpose();
        self.ended = !matches!(line, Some(Ok(_)));
        line
    }
}
