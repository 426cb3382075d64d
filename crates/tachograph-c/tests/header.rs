//! The header that is checked in is the one that the sources give.

use std::path::Path;

/// The order of the header.
const ORDER: [&str; 7] =
    ["status", "collector", "register", "handles", "recorder", "read", "export"];

#[test]
fn the_header_is_up_to_date() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let configuration = cbindgen::Config::from_file(here.join("cbindgen.toml")).expect("valid");
    let source = |name: &str| here.join("src").join(name).with_extension("rs");
    let mut builder = cbindgen::Builder::new().with_config(configuration);
    for name in ORDER {
        builder = builder.with_src(source(name));
    }
    let mut header = Vec::new();
    builder.generate().expect("cbindgen understands the sources").write(&mut header);
    let header = String::from_utf8(header).expect("text");

    let path = here.join("include/tachograph.h");
    if std::env::var_os("TACHOGRAPH_WRITE_HEADER").is_some() {
        std::fs::write(&path, &header).expect("writable");
    }
    let is = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        is == header,
        "the sources give another include/tachograph.h: write it with \
         `TACHOGRAPH_WRITE_HEADER=1 cargo test -p tachograph-c --test header`"
    );

    let folder = std::fs::read_dir(here.join("src")).expect("it is there");
    let sources = folder.map(|entry| std::fs::read_to_string(entry.expect("readable").path()));
    let count = |text: &str, word: &str| text.matches(word).count();
    let exported = sources.map(|text| count(&text.expect("text"), "\n#[unsafe(no_mangle)]\n"));
    let is_function = |line: &&str| {
        line.contains("tachograph_") && line.contains('(') && !line.starts_with([' ', '#'])
    };
    let declared = header.lines().filter(is_function);
    assert_eq!(declared.count(), exported.sum::<usize>(), "a file is missing in ORDER");
}
