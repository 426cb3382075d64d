//! The files of the page: complete, small, and without references to other servers.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tachograph_page::{ASSETS, CONTENT_SECURITY_POLICY, asset};

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

#[test]
fn every_file_of_the_folder_is_served() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
    let files = fs::read_dir(folder).expect("the folder").map(|file| {
        let name = file.expect("a file").file_name().into_string().expect("a name");
        if name == "index.html" { "/".to_owned() } else { format!("/page/{name}") }
    });
    let served = ASSETS.iter().map(|it| it.path.to_owned());
    assert_eq!(served.collect::<BTreeSet<_>>(), files.collect::<BTreeSet<_>>());
}

#[test]
fn every_module_that_is_imported_is_served() {
    let mut imports = 0;
    for module in ASSETS.iter().filter(|it| it.path.ends_with(".js")) {
        for (_, rest) in text(module.bytes)
            .match_indices(" from \"./")
            .map(|it| (it.0, &text(module.bytes)[it.0 + " from \"./".len()..]))
        {
            let name = rest.split('"').next().expect("an end");
            assert!(asset(&format!("/page/{name}")).is_some(), "{} wants {name}", module.path);
            imports += 1;
        }
    }
    assert!(imports > 30);
}

#[test]
fn nothing_is_fetched_from_elsewhere() {
    for it in ASSETS {
        let text = text(it.bytes).replace("http://www.w3.org/2000/svg", "");
        for foreign in ["http://", "https://", "eval(", "innerHTML", "document.write"] {
            assert!(!text.contains(foreign), "{} has {foreign}", it.path);
        }
    }
    assert!(!CONTENT_SECURITY_POLICY.contains("unsafe"));
    let index = text(asset("/").expect("the page").bytes);
    assert!(!index.contains("style=") && !index.contains("onclick"), "the policy forbids them");
}

#[test]
fn the_whole_page_is_small() {
    let bytes: usize = ASSETS.iter().map(|it| it.bytes.len()).sum();
    assert!(bytes < 150 * 1024, "{bytes} bytes");
}

#[test]
fn files_have_tags_of_their_own() {
    let tags: BTreeSet<_> = ASSETS.iter().map(|it| text(it.etag.as_bytes()).to_owned()).collect();
    assert_eq!(tags.len(), ASSETS.len());
    assert!(tags.iter().all(|tag| tag.len() == 18 && tag.starts_with('"') && tag.ends_with('"')));
}
