//! What several test files share.
#![allow(dead_code, reason = "no test file uses all of it")]

pub(crate) mod blocks;
pub(crate) mod document;
pub(crate) mod live;
pub(crate) mod outline;
pub(crate) mod replay;
pub(crate) mod small;

use std::io::Write;
use std::path::PathBuf;

use live_set::Set;
use live_set::generate::{Spec, Version};

/// A real set, inflated or not; `None`, and a note, where the sets are not on this machine.
///
/// In CI they have to be there: a test that is skipped in silence tests nothing.
pub(crate) fn real_set(name: &str) -> Option<Vec<u8>> {
    let sets = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/sets");
    let path = sets.join(name);
    match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{}: {error}", path.display());
            // Not `eprintln!`, which libtest keeps to itself where a test passes.
            let note = format!("SKIPPED: real sets are absent ({}: {error})\n", path.display());
            std::io::stderr().write_all(note.as_bytes()).expect("standard error is open");
            None
        }
    }
}

/// The XML of a gzip file.
pub(crate) fn inflate(als: &[u8]) -> String {
    std::io::read_to_string(flate2::read::MultiGzDecoder::new(als)).expect("inflates")
}

/// The XML that a spec makes.
pub(crate) fn xml(spec: &Spec) -> String {
    let mut xml = Vec::new();
    spec.write_xml(&mut xml).expect("a vector takes everything");
    String::from_utf8(xml).expect("is UTF-8")
}

/// The set that a spec makes.
pub(crate) fn set(spec: &Spec) -> Set {
    Set::read(xml(spec).as_bytes()).expect("a generated set is readable")
}

/// A small set with something of everything.
pub(crate) fn small() -> Spec {
    Spec {
        tracks: 3,
        groups: 1,
        returns: 1,
        scenes: 4,
        clips: 2,
        notes: 5,
        devices: 2,
        parameters: 3,
        ..Spec::default()
    }
}

/// A set with everything that a version of Live has.
pub(crate) fn full(version: Version) -> Spec {
    Spec {
        version,
        tracks: 4,
        groups: 2,
        returns: 2,
        scenes: 9,
        clips: 4,
        racks: 2,
        plug_ins: 3,
        max_devices: 1,
        locators: 4,
        arrangement: 3,
        takes: 2,
        ..small()
    }
}

/// The tree as viewers are sent it.
pub(crate) fn json(set: &Set) -> serde_json::Value {
    serde_json::to_value(set.root()).expect("a tree serialises")
}
