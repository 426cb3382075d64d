//! Every bound on what is read, and on what edits add.

/// How much a document may ask for before it is refused.
///
/// The defaults admit sets several times the size of any seen (4 MB compressed, 17 MB of XML) and
/// keep the reading of any input, however hostile, within 64 MiB of memory and, on the machine that
/// it was measured on, one second; two where each few bytes of gzip bring a code of their own.
///
/// ```
/// let limits = live_set::Limits { tracks: 16, ..live_set::Limits::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file, compressed or not. Default 64 MiB.
    pub file_bytes: u64,
    /// Bytes of XML after inflation. Default 128 MiB.
    pub document_bytes: u64,
    /// Tags, comments and other markup of the whole document, an element counting as two tags.
    /// Default 10,000,000: time goes by these, and so many take half a second.
    pub markup: u64,
    /// Bytes of one tag, comment or other markup. Default 1 MiB.
    pub markup_bytes: u64,
    /// Bytes of one attribute's value. Default 512 KiB.
    pub attribute_bytes: usize,
    /// Attributes of one element. Default 256.
    pub attributes: usize,
    /// Elements inside one another. Default 256; racks in racks reach about 100.
    pub depth: usize,
    /// Bytes that the kept tree takes, estimated. Default 40 MiB.
    pub tree_bytes: usize,
    /// Tracks, the main track included. Default 1,000.
    pub tracks: usize,
    /// Scenes, and slots of one track. Default 10,000.
    pub scenes: usize,
    /// Devices of one track. Default 1,000.
    pub devices: usize,
    /// Parameters of one device. Default 4,096.
    pub parameters: usize,
    /// Sends of one mixer. Default 256.
    pub sends: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 64 << 20,
            document_bytes: 128 << 20,
            markup: 10_000_000,
            markup_bytes: 1 << 20,
            attribute_bytes: 512 << 10,
            attributes: 256,
            depth: 256,
            tree_bytes: 40 << 20,
            tracks: 1_000,
            scenes: 10_000,
            devices: 1_000,
            parameters: 4_096,
            sends: 256,
        }
    }
}
