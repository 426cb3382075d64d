//! A recording that is written while serving.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use flate2::read::GzDecoder;
use tachograph_history::Meta;
use tachograph_history::file::Writer;

use crate::bounds::LONGEST;
use crate::live::feed::{Fed, Feed};

/// Starts to write a recording, on a separate thread, so that a disk that hangs blocks nothing
/// else.
///
/// If a frame cannot be written, the recording ends there with a warning: anything after half a
/// line could not be read.
pub(crate) fn start(path: &Path, meta: &Meta) -> io::Result<Feed> {
    let mut writer = Writer::create(path)?;
    writer.meta(meta)?;
    let path = path.to_owned();
    Feed::start("tachograph-record", LONGEST, move |fed| match fed {
        Some(fed) => write(&mut writer, &path, &fed),
        None => true,
    })
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

fn write<W: Write>(writer: &mut Writer<W>, path: &Path, fed: &Fed) -> bool {
    let written = writer.frame(&fed.frame, fed.new.iter().map(|it| &**it));
    if let Err(reason) = &written {
        let path = path.display();
        tracing::warn!("the recording {path} ends here: it cannot be written ({reason})");
    }
    written.is_ok()
}
