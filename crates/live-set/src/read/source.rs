//! The source of the XML: inflated if necessary, and never more than the limits allow.

use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;

use crate::error::ReadErrorKind;
use crate::limits::Limits;

/// Large enough that one virtual call per fill costs nothing, small compared with the memory limit.
const BUFFER_BYTES: usize = 64 << 10;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const UTF8_BOM: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Travels inside an [`io::Error`] through the gzip and XML decoders, which do not know about
/// limits.
#[derive(Debug)]
pub(super) struct LimitReached {
    pub(super) what: &'static str,
    pub(super) limit: u64,
}

impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "over the limit of {} {}", self.limit, self.what)
    }
}

impl std::error::Error for LimitReached {}

fn limit_reached(what: &'static str, limit: u64) -> io::Error {
    io::Error::other(LimitReached { what, limit })
}

/// What the text between two tags contained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skipped {
    Blank,
    Text,
}

/// The XML of a document, as a stream.
pub(super) struct Source<'a> {
    inner: Box<dyn Read + 'a>,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    consumed: u64,
    /// The start of the markup being read.
    markup_start: u64,
    document_bytes: u64,
    markup_bytes: u64,
}

impl<'a> Source<'a> {
    /// Determines from the first bytes whether the document is gzip or plain XML.
    pub(super) fn open(reader: impl Read + 'a, limits: &Limits) -> Result<Self, ReadErrorKind> {
        let mut file = Capped { inner: reader, left: limits.file_bytes, limit: limits.file_bytes };
        let mut head = Vec::with_capacity(GZIP_MAGIC.len());
        let head_bytes = GZIP_MAGIC.len() as u64;
        file.by_ref().take(head_bytes).read_to_end(&mut head).map_err(io_error)?;
        if head.is_empty() {
            return Err(ReadErrorKind::Empty);
        }
        let is_gzip = head == GZIP_MAGIC;
        let whole = Cursor::new(head).chain(file);
        let inner: Box<dyn Read + 'a> =
            if is_gzip { Box::new(Members::new(BufReader::new(whole))) } else { Box::new(whole) };
        let mut source = Self {
            inner,
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            start: 0,
            end: 0,
            consumed: 0,
            markup_start: 0,
            document_bytes: limits.document_bytes,
            markup_bytes: limits.markup_bytes,
        };
        source.skip_bom().map_err(io_error)?;
        Ok(source)
    }

    /// The number of bytes of XML read.
    pub(super) const fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Whether nothing is left.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.fill_buf().is_ok_and(<[u8]>::is_empty)
    }

    /// Skips everything up to the next `<`, however long. The only text in a set is the state of
    /// plug-ins, which can be megabytes.
    pub(super) fn skip_text(&mut self) -> io::Result<Skipped> {
        let mut skipped = Skipped::Blank;
        loop {
            self.markup_start = self.consumed;
            let available = self.fill_buf()?;
            let markup = available.iter().position(|byte| *byte == b'<');
            let text = &available[..markup.unwrap_or(available.len())];
            let (length, is_blank) = (text.len(), text.trim_ascii().is_empty());
            let is_over = markup.is_some() || available.is_empty();
            if !is_blank {
                skipped = Skipped::Text;
            }
            self.consume(length);
            if is_over {
                self.markup_start = self.consumed;
                return Ok(skipped);
            }
        }
    }

    /// Skips a byte order mark, which the XML reader would treat as text.
    fn skip_bom(&mut self) -> io::Result<()> {
        while self.end < UTF8_BOM.len() && self.refill()? > 0 {}
        if self.buffer[..self.end].starts_with(&UTF8_BOM) {
            self.consume(UTF8_BOM.len());
        }
        Ok(())
    }

    /// Reads more after the buffered bytes; returns how many.
    fn refill(&mut self) -> io::Result<usize> {
        loop {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    return Ok(read);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let read = available.len().min(into.len());
        into[..read].copy_from_slice(&available[..read]);
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            if self.consumed >= self.document_bytes {
                return Err(limit_reached("bytes of XML", self.document_bytes));
            }
            if self.consumed - self.markup_start >= self.markup_bytes {
                return Err(limit_reached("bytes in one tag", self.markup_bytes));
            }
            (self.start, self.end) = (0, 0);
            self.refill()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, amount: usize) {
        self.start += amount;
        self.consumed += amount as u64;
    }
}

impl fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("consumed", &self.consumed).finish_non_exhaustive()
    }
}

/// The contents of the members of a gzip stream. Zero bytes after them are padding, as in gzip
/// itself.
struct Members<R> {
    gzip: MultiGzDecoder<Tail<R>>,
    /// Whether there was anything in them.
    is_begun: bool,
    is_over: bool,
}

impl<R: BufRead> Members<R> {
    fn new(file: R) -> Self {
        let gzip = MultiGzDecoder::new(Tail { inner: file, zeros: 0 });
        Self { gzip, is_begun: false, is_over: false }
    }

    /// Whether bytes that are not a member's header are zero up to the end.
    fn is_padded(&mut self) -> io::Result<bool> {
        let is_header = self.is_begun && self.gzip.header().is_none();
        if !is_header || self.gzip.get_ref().zeros == 0 {
            return Ok(false);
        }
        let rest = self.gzip.get_mut();
        loop {
            let available = rest.fill_buf()?;
            let (length, is_zero) = (available.len(), available.iter().all(|byte| *byte == 0));
            if length == 0 || !is_zero {
                return Ok(is_zero);
            }
            rest.consume(length);
        }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.is_over {
            return Ok(0);
        }
        match self.gzip.read(into) {
            Ok(read) => {
                self.is_begun |= read > 0;
                Ok(read)
            }
            Err(error) => {
                self.is_over = self.is_padded()?;
                if self.is_over { Ok(0) } else { Err(error) }
            }
        }
    }
}

/// Counts the zero bytes at the end of what was read.
struct Tail<R> {
    inner: R,
    zeros: usize,
}

impl<R: BufRead> Read for Tail<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let read = available.len().min(into.len());
        into[..read].copy_from_slice(&available[..read]);
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Tail<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // Consumed bytes are buffered, so nothing is read here.
        if let Ok(available) = self.inner.fill_buf() {
            let taken = &available[..amount.min(available.len())];
            let zeros = taken.iter().rev().take_while(|byte| **byte == 0).count();
            self.zeros = if zeros == taken.len() { self.zeros + zeros } else { zeros };
        }
        self.inner.consume(amount);
    }
}

/// Refuses a file that is too long: a million empty gzip members inflate to nothing.
struct Capped<R> {
    inner: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| limit_reached("bytes of file", self.limit))?;
        Ok(read)
    }
}

/// Classifies an [`io::Error`] from below the decoders.
pub(super) fn io_error(error: io::Error) -> ReadErrorKind {
    classify(error.into())
}

/// See [`io_error`]; XML errors come with their I/O error in an `Arc`.
pub(super) fn classify(error: std::sync::Arc<io::Error>) -> ReadErrorKind {
    if let Some(reached) = error.get_ref().and_then(|inner| inner.downcast_ref::<LimitReached>()) {
        return ReadErrorKind::Limit { what: reached.what, limit: reached.limit };
    }
    match error.kind() {
        ErrorKind::UnexpectedEof => ReadErrorKind::Truncated,
        // flate2's errors for a bad header, a bad block, and a wrong checksum.
        ErrorKind::InvalidInput | ErrorKind::InvalidData => ReadErrorKind::Gzip(error),
        _ => ReadErrorKind::Io(error),
    }
}
