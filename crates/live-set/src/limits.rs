//! Limits on what is read, and on what edits add.

/// The limits beyond which a document is refused.
///
/// The defaults allow sets several times the size of any seen (4 MB compressed, 17 MB of XML). They
/// keep the reading of any input, however hostile, within 64 MiB of memory and, on the machine
/// where it was measured, one second; two seconds if every few bytes of gzip start a new Huffman
/// code.
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
    /// Tags, comments and other markup in the whole document; an element counts as two tags.
    /// Default 10,000,000: they determine the time, and this many take half a second.
    pub markup: u64,
    /// Bytes of one tag, comment or other markup. Default 1 MiB.
    pub markup_bytes: u64,
    /// Bytes of one attribute's value. Default 512 KiB.
    pub attribute_bytes: usize,
    /// Attributes of one element. Default 256.
    pub attributes: usize,
    /// Nesting depth of elements. Default 256; racks in racks reach about 100.
    pub depth: usize,
    /// Estimated size of the tree in bytes. Default 40 MiB.
    pub tree_bytes: usize,
    /// Tracks, including the main track. Default 1,000.
    pub tracks: usize,
    /// Scenes, and slots per track. Default 10,000.
    pub scenes: usize,
    /// Devices per track. Default 1,000.
    pub devices: usize,
    /// Parameters per device. Default 4,096.
    pub parameters: usize,
    /// Sends per mixer. Default 256.
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
