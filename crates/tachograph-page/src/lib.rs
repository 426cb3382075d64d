//! The web page of a Tachograph endpoint, as files to serve: live charts of every series, alerts
//! and findings. It reads `/live`, `/history`, `/alerts` and `/doctor`; its button *save report*
//! loads `/report`. [`document()`] is the same page as one file, with a recording inside: a report,
//! which needs no server.
//!
#![doc = include_str!("../doc/page.md")]
//!
//! # Promises
//! * No build step, no framework, no files from other servers: [`ASSETS`] has all files, and
//!   [`CONTENT_SECURITY_POLICY`] forbids any others.
//! * Counts, sums, minima and maxima are merged exactly. No rate is computed across a start, a
//!   reset, a restart or a gap.
//!
//! # Limits
//! Browsers of 2023 and later. The page keeps 96 MiB of single frames: with thousands of series,
//! that is less than ten minutes, and the page says so.
//!
//! # Cost
//! The files are part of the program. [`asset`] compares a path with about two dozen others.
//!
//! # Example
//! ```
//! let index = tachograph_page::asset("/").expect("the page itself");
//! assert_eq!(index.media_type, "text/html; charset=utf-8");
//! assert!(tachograph_page::asset("/page/none.js").is_none());
//! ```
#![forbid(unsafe_code)]

mod document;

pub use self::document::document;

/// A file of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// The path at which to serve it: `/`, or one below `/page/`.
    pub path: &'static str,
    /// The media type; for texts, with the character set.
    pub media_type: &'static str,
    /// The content.
    pub bytes: &'static [u8],
    /// A strong entity tag, which differs for different contents.
    pub etag: ETag,
}

/// The value of a header `ETag`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ETag([u8; 18]);

impl ETag {
    /// The FNV-1a hash in hexadecimal. It only has to distinguish the versions of a file.
    const fn of(bytes: &[u8]) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325u64;
        let mut i = 0;
        while i < bytes.len() {
            hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01b3);
            i += 1;
        }
        let mut text = [b'"'; 18];
        let mut place = 16;
        while place > 0 {
            text[place] = b"0123456789abcdef"[(hash & 15) as usize];
            hash >>= 4;
            place -= 1;
        }
        Self(text)
    }

    /// The tag with its quotes.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The header `Content-Security-Policy` to serve the page with: only its own files and its own
/// endpoint, and no frames around it.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

macro_rules! assets {
    ($($path:literal, $media_type:ident, $file:literal;)*) => {
        &[$({
            const BYTES: &[u8] = include_bytes!(concat!("../page/", $file));
            Asset { path: $path, media_type: $media_type, bytes: BYTES, etag: ETag::of(BYTES) }
        }),*]
    };
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// All files of the page. The first is the page itself.
pub const ASSETS: &[Asset] = assets! {
    "/", HTML, "index.html";
    "/page/style.css", CSS, "style.css";
    "/page/icon.svg", SVG, "icon.svg";
    "/page/axes.js", JAVASCRIPT, "axes.js";
    "/page/buckets.js", JAVASCRIPT, "buckets.js";
    "/page/chart.js", JAVASCRIPT, "chart.js";
    "/page/compare.js", JAVASCRIPT, "compare.js";
    "/page/curves.js", JAVASCRIPT, "curves.js";
    "/page/depth.js", JAVASCRIPT, "depth.js";
    "/page/dom.js", JAVASCRIPT, "dom.js";
    "/page/format.js", JAVASCRIPT, "format.js";
    "/page/header.js", JAVASCRIPT, "header.js";
    "/page/headlines.js", JAVASCRIPT, "headlines.js";
    "/page/keys.js", JAVASCRIPT, "keys.js";
    "/page/lines.js", JAVASCRIPT, "lines.js";
    "/page/main.js", JAVASCRIPT, "main.js";
    "/page/report.js", JAVASCRIPT, "report.js";
    "/page/rows.js", JAVASCRIPT, "rows.js";
    "/page/sight.js", JAVASCRIPT, "sight.js";
    "/page/spread.js", JAVASCRIPT, "spread.js";
    "/page/state.js", JAVASCRIPT, "state.js";
    "/page/store.js", JAVASCRIPT, "store.js";
    "/page/stream.js", JAVASCRIPT, "stream.js";
    "/page/table.js", JAVASCRIPT, "table.js";
    "/page/theme.js", JAVASCRIPT, "theme.js";
    "/page/told.js", JAVASCRIPT, "told.js";
    "/page/views.js", JAVASCRIPT, "views.js";
};

/// The file to serve at a path.
pub fn asset(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}
