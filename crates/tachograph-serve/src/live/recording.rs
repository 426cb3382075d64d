//! A recording that is written while serving.

use std::io::{self, Write};
use std::path::Path;

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

fn write<W: Write>(writer: &mut Writer<W>, path: &Path, fed: &Fed) -> bool {
    let written = writer.frame(&fed.frame, fed.new.iter().map(|it| &**it));
    if let Err(reason) = &written {
        let path = path.display();
        tracing::warn!("the recording {path} ends here: it cannot be written ({reason})");
    }
    written.is_ok()
}
