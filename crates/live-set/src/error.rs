//! Errors in reading a document.

use std::io;
use std::sync::Arc;

/// Why a document could not be read, and where.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{kind} (at byte {at} of the document)")]
pub struct ReadError {
    #[source]
    kind: ReadErrorKind,
    at: u64,
}

impl ReadError {
    pub(crate) const fn new(kind: ReadErrorKind, at: u64) -> Self {
        Self { kind, at }
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> &ReadErrorKind {
        &self.kind
    }

    /// How many bytes of XML had been read, after inflation.
    #[must_use]
    pub const fn at(&self) -> u64 {
        self.at
    }

    /// Whether the document exceeds a [limit](crate::Limits).
    #[must_use]
    pub const fn is_limit(&self) -> bool {
        matches!(self.kind, ReadErrorKind::Limit { .. })
    }

    /// Whether the document ends early, as it does while it is being written: try again later.
    #[must_use]
    pub const fn is_incomplete(&self) -> bool {
        matches!(self.kind, ReadErrorKind::Empty | ReadErrorKind::Truncated)
    }

    /// Whether the document is complete, but not a set that this crate can read.
    #[must_use]
    pub const fn is_foreign(&self) -> bool {
        matches!(
            self.kind,
            ReadErrorKind::UnknownFormat
                | ReadErrorKind::NotLive { .. }
                | ReadErrorKind::NoLiveSet
                | ReadErrorKind::UnsupportedVersion { .. }
        )
    }
}

/// What went wrong with a document.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The reader failed.
    #[error("the set could not be read: {0}")]
    Io(Arc<io::Error>),
    /// It is empty.
    #[error("the document is empty: save the set in Live and try again")]
    Empty,
    /// It ends early.
    #[error("the document stops before its end: it was cut off, or is still being written")]
    Truncated,
    /// It is neither gzip nor XML.
    #[error("the document is neither gzip nor XML: give an .als file or the .xml inside one")]
    UnknownFormat,
    /// The gzip stream is damaged.
    #[error("the gzip stream is damaged: {0}")]
    Gzip(Arc<io::Error>),
    /// The XML is malformed.
    #[error("the XML is malformed: {0}")]
    Xml(String),
    /// It has a document type declaration; no set has one, and it could define entities.
    #[error("the XML has a DOCTYPE: a set has none, so it is refused")]
    Doctype,
    /// It exceeds a limit.
    #[error(
        "the document is over the limit of {limit} {what}: raise the limit if it can be trusted"
    )]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The root element is not `Ableton`.
    #[error("the root element is {root:?}, not \"Ableton\": this is no document of Live's")]
    NotLive {
        /// The root element's name, at most its first 64 characters.
        root: String,
    },
    /// It contains no `LiveSet`.
    #[error("there is no LiveSet in the document: it is Live's, but a preset or clip, not a set")]
    NoLiveSet,
    /// The version of Live that wrote it is not supported.
    #[error("sets of Live {version} are not supported: save it with Live 9 or later")]
    UnsupportedVersion {
        /// The major version of Live.
        version: u32,
    },
}
