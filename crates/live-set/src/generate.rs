//! Documents made to order, for tests, benches and demos: any size, the same for the same [`Spec`].
//!
//! They have the layout of what each version of Live writes, down to what a reader must pass over:
//! slots inside slots, a freeze sequencer with slots of its own, a clip in the groove pool. What a set needs to
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

/// What a document is to hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The version of Live that it is from. Default Live 12.
    pub version: Version,
    /// MIDI and audio tracks in turn, starting with MIDI. Default 50.
    pub tracks: usize,
    /// Group tracks, spread among the tracks, which belong to the group before them. Default 0.
    pub groups: usize,
    /// Return tracks; each other track has a send to each. Default 2. The main track is extra.
    pub returns: usize,
    /// Scenes, and slots of each MIDI, audio and group track. Default 100.
    pub scenes: usize,
    /// Slots of each MIDI and audio track that hold a clip, at most all of them; the seed says
    /// which. Default 30.
    pub clips: usize,
    /// Notes in each clip of a MIDI track. Default 16.
    pub notes: usize,
    /// Devices on each track, but for the main track. Default 2.
    pub devices: usize,
    /// Parameters of each device, its switch left out. Default 16.
    pub parameters: usize,
    /// Racks on each track that has devices, behind these. Each holds two chains of one device, the
    /// first rack another rack, too, and a return chain. Default 0.
    pub racks: usize,
    /// Plug-ins on each track that has devices, behind the racks: Audio Unit, VST 2 and VST 3 in
    /// turn. Default 0.
    pub plug_ins: usize,
    /// Devices made with Max on each track that has devices, behind the plug-ins. Default 0.
    pub max_devices: usize,
    /// Locators of the arrangement. Default 0.
    pub locators: usize,
    /// Clips in the arrangement of each MIDI and audio track. Default 0.
    pub arrangement: usize,
    /// Take lanes of each MIDI and audio track, each with a clip. Only from Live 11 on. Default 0.
    pub takes: usize,
    /// Beats a minute. Default 120.
    pub tempo: f64,
    /// What everything random goes by: which slots hold clips, values of parameters, notes.
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
    /// Writes a gzip stream as an `.als` file holds it. Wants no buffer of its own.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_als(&self, out: impl Write) -> io::Result<()> {
        // The document comes in pieces of a few bytes, and the encoder clears 32 KiB for each that
        // it is given.
        let mut gzip = BufWriter::new(GzEncoder::new(out, Compression::fast()));
        self.write_xml(&mut gzip)?;
        gzip.into_inner().map_err(IntoInnerError::into_error)?.finish().map(drop)
    }

    /// Writes the XML alone. Writes piece by piece: give a buffered writer.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_xml(&self, out: impl Write) -> io::Result<()> {
        Document::new(self, out).write()
    }
}

/// The version of Live that a document is from.
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
