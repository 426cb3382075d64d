//! The files of the page: complete, small, and without references to other servers.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tachograph_page::{ASSETS, CONTENT_SECURITY_POLICY, asset, document};

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
    assert!(bytes < 192 * 1024, "{bytes} bytes");
}

#[test]
fn files_have_tags_of_their_own() {
    let tags: BTreeSet<_> = ASSETS.iter().map(|it| text(it.etag.as_bytes()).to_owned()).collect();
    assert_eq!(tags.len(), ASSETS.len());
    assert!(tags.iter().all(|tag| tag.len() == 18 && tag.starts_with('"') && tag.ends_with('"')));
}

/// What a browser's policy compares: the hash of a text in base 64, by other libraries' code.
fn hash(text: &str) -> String {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let script = "const crypto = require('crypto'); let all = ''; \
                  process.stdin.on('data', (it) => all += it).on('end', () => \
                  console.log(crypto.createHash('sha256').update(all).digest('base64')))";
    let mut node = Command::new("node");
    let node = node.args(["-e", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut node = node.spawn().expect("node, which `modules.rs` needs too");
    node.stdin.take().expect("piped").write_all(text.as_bytes()).expect("read");
    let output = node.wait_with_output().expect("it ends");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let rest = text.split_once(begin).unwrap_or_else(|| panic!("{begin}")).1;
    rest.split_once(end).unwrap_or_else(|| panic!("{end}")).0
}

#[test]
fn a_document_is_the_whole_page_and_allows_nothing_but_itself() {
    let hostile = "{\"a\":\"</script><script>alert(1)</script>\"}";
    let html = document("a <b> & c", &[("recording", hostile), ("report", "{}")]);
    assert!(html.contains("<title>a &lt;b&gt; &amp; c</title>") && !html.contains("alert(1)"));
    for own in ["/page/", "http:", "https:", "import ", "export "] {
        let found =
            html.replace("http://www.w3.org/2000/svg", "").lines().any(|it| it.starts_with(own));
        assert!(!found, "{own} is left");
    }
    assert!(!html.contains("src=") && !html.contains("rel=\"stylesheet\""));
    // Every module once, and after those that it needs.
    let script = between(&html, "<script type=\"module\">", "</script>");
    let modules: Vec<_> = ASSETS.iter().filter(|it| it.path.ends_with(".js")).collect();
    for module in &modules {
        let name = module.path.trim_start_matches("/page/").trim_end_matches(".js");
        let defined = script.find(&format!("\nconst ${name} = ")).expect(name);
        let used: Vec<_> = script.match_indices(&format!("}} = ${name};")).collect();
        assert!(used.iter().all(|it| it.0 > defined), "{name} is used before it is there");
        assert!(!used.is_empty() || name == "main", "nobody imports {name}");
    }
    assert_eq!(script.matches("})();").count(), modules.len());
    if std::process::Command::new("node").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "CI needs `node`");
        return;
    }
    let policy = between(&html, "Content-Security-Policy\" content=\"", "\"");
    let style = between(&html, "<style>", "</style>");
    assert!(policy.contains(&format!("script-src 'sha256-{}';", hash(script))), "{policy}");
    assert!(policy.contains(&format!("style-src 'sha256-{}';", hash(style))), "{policy}");
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"));
}
