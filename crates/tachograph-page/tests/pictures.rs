//! The pictures of README.md and of the crates' documentation.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// No picture is so large that it makes the repository or a package heavy.
const BYTES_MAX: usize = 80 * 1024;

/// The crates whose documentation includes a picture, as `doc/NAME.md`.
const FRAGMENTS: [(&str, &str); 3] =
    [("tachograph-page", "page"), ("tachograph-serve", "page"), ("tachograph-cli", "terminal")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn picture(name: &str) -> Vec<u8> {
    let path = root().join("docs/pictures").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Width and height, if this is a whole PNG.
fn size_of(bytes: &[u8]) -> Option<(u32, u32)> {
    let rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")?;
    bytes.ends_with(b"IEND\xaeB`\x82").then_some(())?;
    let number = |at: usize| Some(u32::from_be_bytes(rest.get(at..at + 4)?.try_into().ok()?));
    Some((number(0)?, number(4)?))
}

/// The targets of images in Markdown.
fn images(text: &str) -> Vec<&str> {
    let after = text.split("![").skip(1).filter_map(|it| it.split_once("](")?.1.split_once(')'));
    after.map(|(target, _)| target).collect()
}

#[test]
fn every_picture_of_the_readme_is_there_and_light() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let mut shown = images(&readme);
    assert!(shown.len() >= 4, "{shown:?}");
    for target in &shown {
        let name = target.strip_prefix("docs/pictures/").expect("a picture of its own");
        let bytes = picture(name);
        let (width, height) = size_of(&bytes).unwrap_or_else(|| panic!("{name} is no PNG"));
        assert!(width >= 600 && height >= 300, "{name} is {width} × {height}");
        assert!(bytes.len() <= BYTES_MAX, "{name} has {} bytes", bytes.len());
    }
    // None is kept that is not shown.
    let kept = std::fs::read_dir(root().join("docs/pictures")).expect("a folder");
    let mut kept: Vec<_> = kept
        .map(|file| format!("docs/pictures/{}", file.expect("a file").file_name().display()))
        .collect();
    kept.sort();
    shown.sort_unstable();
    assert_eq!(shown, kept);
}

#[test]
fn the_documentation_of_crates_shows_the_same_pictures() {
    for (package, name) in FRAGMENTS {
        let folder = root().join("crates").join(package);
        let path = folder.join("doc").join(name).with_extension("md");
        let fragment = std::fs::read_to_string(&path).expect("a fragment");
        let [target] = images(&fragment)[..] else { panic!("{}", path.display()) };
        let data = target.strip_prefix("data:image/png;base64,").expect("a picture in the text");
        let bytes = BASE64_STANDARD.decode(data).expect("base64");
        assert!(bytes == picture(&format!("{name}.png")), "{package}: {name} is another picture");
        let library = std::fs::read_to_string(folder.join("src/lib.rs")).expect("a library");
        // As a paragraph of its own.
        let included = format!("//!\n#![doc = include_str!(\"../doc/{name}.md\")]\n//!\n");
        assert!(library.contains(&included), "{package} does not include it");
    }
}
