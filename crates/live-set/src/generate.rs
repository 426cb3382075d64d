//! Generated documents for tests, benches and demos: of any size, and the same for the same
//! [`Spec`].
//!
//! They follow the layout of each version of Live, including parts that a reader must skip: slots
//! inside slots, a freeze sequencer with its own slots, a clip in the groove pool. Everything that
//! a set needs to make sound is left out, and it has not been tried whether Live opens them.
//! sound like anything is left out, and whether Live opens them was not tried.
//!
//! ```
//! use live_set::{Set, generate::Spec};
//!
//! let spec = Spec { tracks: 4, scenes: 8, clips: 3, ..Spec::default() };
//! let mut file = Vec::new();
//! spec.write_als(&mut file)?;
//! let set = Set::read(file.as_slice())?;
//! assert_eq!((set.num_scenes(), set.num_clips()), (8, 12));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clip;
mod device;
mod document;
mod rack;
mod random;
mod track;
mod xml;

use std::io::{self, BufWriter, IntoInnerError, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use self::document::Document;

/// The contents of a generated document.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The version of Live to imitate. Default Live 12.
    pub version: Version,
    /// MIDI and audio tracks, alternating, starting with MIDI. Default 50.
    pub tracks: usize,
    /// Group tracks, spread among the tracks, which belong to the group before them. Default 0.
    pub groups: usize,
    /// Return tracks; all other tracks have a send to each. Default 2. The main track is extra.
    pub returns: usize,
    /// Scenes, and slots per MIDI, audio and group track. Default 100.
    pub scenes: usize,
    /// Slots per MIDI and audio track that hold a clip, at most all of them; the seed determines
    /// which. Default 30.
    pub clips: usize,
    /// Notes per MIDI clip. Default 16.
    pub notes: usize,
    /// Devices per track, except the main track. Default 2.
    pub devices: usize,
    /// Parameters per device, without its switch. Default 16.
    pub parameters: usize,
    /// Racks per track with devices, after these. Each holds two chains with one device; the first
    /// rack also holds another rack, and a return chain. Default 0.
    pub racks: usize,
    /// Plug-ins per track with devices, after the racks: Audio Unit, VST 2 and VST 3 in turn.
    /// Default 0.
    pub plug_ins: usize,
    /// Max devices per track with devices, after the plug-ins. Default 0.
    pub max_devices: usize,
    /// Locators of the arrangement. Default 0.
    pub locators: usize,
    /// Clips in the arrangement per MIDI and audio track. Default 0.
    pub arrangement: usize,
    /// Take lanes per MIDI and audio track, each with a clip. Only from Live 11 on. Default 0.
    pub takes: usize,
    /// Beats per minute. Default 120.
    pub tempo: f64,
    /// The seed of everything random: which slots hold clips, parameter values, notes.
    pub seed: u64,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            version: Version::Live12,
            tracks: 50,
            groups: 0,
            returns: 2,
            scenes: 100,
            clips: 30,
            notes: 16,
            devices: 2,
            parameters: 16,
            racks: 0,
            plug_ins: 0,
            max_devices: 0,
            locators: 0,
            arrangement: 0,
            takes: 0,
            tempo: 120.0,
            seed: 0,
        }
    }
}

impl Spec {
    /// Writes a gzip stream like an `.als` file. `out` needs no buffer of its own.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_als(&self, out: impl Write) -> io::Result<()> {
        // The document is written in pieces of a few bytes, and the encoder clears 32 KiB for each
        // piece.
        let mut gzip = BufWriter::new(GzEncoder::new(out, Compression::fast()));
        self.write_xml(&mut gzip)?;
        gzip.into_inner().map_err(IntoInnerError::into_error)?.finish().map(drop)
    }

    /// Writes only the XML, in small pieces: pass a buffered writer.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_xml(&self, mut out: impl Write) -> io::Result<()> {
        // One type of writer for all: the generator is compiled once.
        Document::new(self, &mut out).write()
    }
}

/// The version of Live that a document comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Version {
    /// Live 9.7: scenes are names, and neither they nor clips have an `Id`.
    Live9,
    /// Live 10.1.
    Live10,
    /// Live 11.3.
    Live11,
    /// Live 12.1.
    Live12,
}
