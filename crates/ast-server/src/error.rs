//! Errors.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use live_set::{ReadError, UnknownNodeType};

/// Why the server could not do what was requested. The message names the file or address, the
/// reason and how to fix it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Reason);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    #[error("cannot open {}: {source}", file.display())]
    Open { file: PathBuf, source: io::Error },
    #[error("cannot read {}: {source}", file.display())]
    Read { file: PathBuf, source: ReadError },
    #[error(
        "no set is loaded: start the server with one, or load one by POST /load?file=song.als or \
         load_project"
    )]
    NoSet,
    #[error(
        "there is no folder to open sets from: start the server with a set, or with --sets DIR"
    )]
    NoFolder,
    #[error("the set has no node with {asked}")]
    NoNode { asked: String },
    #[error(
        "{name:?} is no plain file beside the set: give the name of one in its folder or in that of \
         --sets, or below"
    )]
    Outside { name: String },
    #[error(transparent)]
    NodeType(#[from] UnknownNodeType),
    #[error("cannot listen on {addr} for {what}: {source}; choose another address, or port 0")]
    Listen { what: &'static str, addr: SocketAddr, source: io::Error },
    #[error("cannot serve metrics: {0}")]
    Metrics(#[from] tachograph_serve::Error),
    #[error("cannot start the {what} thread: {source}")]
    Thread { what: &'static str, source: io::Error },
}

impl Error {
    pub(crate) fn open(file: &Path, source: io::Error) -> Self {
        Reason::Open { file: file.to_owned(), source }.into()
    }

    pub(crate) fn read(file: &Path, source: ReadError) -> Self {
        Reason::Read { file: file.to_owned(), source }.into()
    }

    pub(crate) fn no_set() -> Self {
        Reason::NoSet.into()
    }

    pub(crate) fn no_folder() -> Self {
        Reason::NoFolder.into()
    }

    pub(crate) fn no_node(asked: String) -> Self {
        Reason::NoNode { asked }.into()
    }

    pub(crate) fn outside(name: &str) -> Self {
        Reason::Outside { name: name.to_owned() }.into()
    }

    pub(crate) fn listen(what: &'static str, addr: SocketAddr, source: io::Error) -> Self {
        Reason::Listen { what, addr, source }.into()
    }

    pub(crate) fn thread(what: &'static str, source: io::Error) -> Self {
        Reason::Thread { what, source }.into()
    }

    /// Whether no set is loaded, or there is none to start from.
    #[must_use]
    pub const fn is_no_set(&self) -> bool {
        matches!(self.0, Reason::NoSet | Reason::NoFolder)
    }

    /// Whether the set has no such node.
    #[must_use]
    pub const fn is_no_node(&self) -> bool {
        matches!(self.0, Reason::NoNode { .. })
    }

    /// Whether the name of a file leads out of the set's folder.
    #[must_use]
    pub const fn is_outside(&self) -> bool {
        matches!(self.0, Reason::Outside { .. })
    }

    /// Whether there is no file with that name.
    #[must_use]
    pub fn is_missing_file(&self) -> bool {
        matches!(&self.0, Reason::Open { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Whether a file could not be opened, or is not a readable set.
    #[must_use]
    pub const fn is_file(&self) -> bool {
        matches!(self.0, Reason::Open { .. } | Reason::Read { .. })
    }
}

impl From<tachograph_serve::Error> for Error {
    fn from(refused: tachograph_serve::Error) -> Self {
        Reason::from(refused).into()
    }
}

impl From<UnknownNodeType> for Error {
    fn from(unknown: UnknownNodeType) -> Self {
        Reason::from(unknown).into()
    }
}
