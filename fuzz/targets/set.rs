//! Reading a Live set: any bytes, plain or compressed, get an answer within small limits.
#![no_main]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use live_set::{Limits, Set, diff};

/// Small, so that exceeding one of them shows as time or memory at once.
fn limits() -> Limits {
    Limits {
        file_bytes: 1 << 20,
        document_bytes: 4 << 20,
        markup: 50_000,
        markup_bytes: 64 << 10,
        attribute_bytes: 32 << 10,
        depth: 64,
        tree_bytes: 4 << 20,
        ..Limits::default()
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).expect("a vector takes everything");
    gzip.finish().expect("a vector takes everything")
}

fuzz_target!(|document: &[u8]| {
    let read = Set::read_within(document, &limits());
    let packed = Set::read_within(gzip(document).as_slice(), &limits());
    // A gzip stream inside another is not a set.
    if !document.starts_with(&[0x1f, 0x8b]) {
        assert_eq!(read.is_ok(), packed.is_ok());
    }
    let Ok(set) = read else { return };
    let again = Set::read_within(document, &limits()).expect("it was read before");
    assert!(set == again && set.root_hash() == again.root_hash());
    assert!(diff(&set, &again).changes.is_empty());
    assert!(diff(&again, &set).changes.is_empty());
});
