//! A recording that is written while serving.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use flate2::read::GzDecoder;
use tachograph_history::Meta;
use tachograph_history::doctor::{Finding, Severity};
use tachograph_history::file::Writer;

use crate::bounds::LONGEST;
use crate::live::feed::{Fed, Feed};

/// A recording, as the other threads see it.
#[derive(Debug)]
pub(crate) struct Recording {
    file: PathBuf,
    /// Why it has ended.
    ended: Arc<OnceLock<String>>,
}

impl Recording {
    /// Starts to write on a separate thread, so that a disk that hangs blocks nothing else.
    ///
    /// If a frame cannot be written, the recording ends there and stays ended: anything after half
    /// a line could not be read.
    pub(crate) fn start(file: &Path, meta: &Meta) -> io::Result<(Self, Feed)> {
        let mut writer = Writer::create(file)?;
        writer.meta(meta)?;
        let recording = Self { file: file.to_owned(), ended: Arc::default() };
        let mut scribe = Scribe { writer, ended: Arc::clone(&recording.ended) };
        let name = file.display().to_string();
        let feed = Feed::start("tachograph-record", LONGEST, move |fed| {
            let Some(reason) = fed.and_then(|fed| scribe.write(&fed).err()) else { return true };
            tracing::warn!("the recording {name} ends here: it cannot be written ({reason})");
            // Err: it has ended only once.
            let _ = scribe.ended.set(reason.to_string());
            false
        })?;
        Ok((recording, feed))
    }

    /// Why it has ended, if it has.
    pub(crate) fn ended(&self) -> Option<String> {
        self.ended.get().map(|reason| format!("{}: {reason}", self.file.display()))
    }

    /// The same for the doctor.
    pub(crate) fn finding(&self) -> Option<Finding> {
        self.ended().map(|detail| Finding {
            severity: Severity::Bad,
            title: "the recording has ended".to_owned(),
            detail,
            advice:
                "what is in the file can be read; remove the cause, and restart the program to \
                     record again"
                    .to_owned(),
            series: None,
        })
    }
}

/// Writes a recording, and ends it with the program.
struct Scribe {
    writer: Writer,
    ended: Arc<OnceLock<String>>,
}

impl Scribe {
    fn write(&mut self, fed: &Fed) -> io::Result<()> {
        self.writer.frame(&fed.frame, fed.new.iter().map(|it| &**it))
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        if self.ended.get().is_none()
            && let Err(reason) = self.writer.finish()
        {
            tracing::warn!("the end of the recording cannot be written ({reason})");
        }
    }
}

/// Only recordings are overwritten: a wrong name must not cost anyone a file of another kind. A pipe
/// would wait for its reader, and a device keeps nothing.
pub(crate) fn check_what_is_there(path: &Path) -> io::Result<()> {
    const START: &[u8] = br#"{"meta":"#;
    match fs::metadata(path) {
        Ok(there) if there.is_file() => {}
        Ok(_) => return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file")),
        // Whatever is wrong shows when the file is created.
        Err(_) => return Ok(()),
    }
    let mut file = BufReader::new(File::open(path)?);
    let is_gzip = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let input: Box<dyn Read> =
        if is_gzip { Box::new(GzDecoder::new(file)) } else { Box::new(file) };
    let mut start = Vec::new();
    // Err: what a killed program has left may end anywhere.
    let _ = input.take(START.len() as u64).read_to_end(&mut start);
    if START.starts_with(&start) {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file that is no recording"))
}
