//! The page as one file, which a browser opens from disk without a server.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::{ASSETS, asset};

/// The page with texts inside, by name, as one HTML file.
///
/// With a text `recording`, the lines of a recording, the page shows that instead of the server's
/// live stream. The other names are in `page/report.js`. Texts are compressed.
///
/// The file's content security policy allows its one script and its one style sheet by their
/// hashes, and no requests at all. Costs a pass over the page's files, and gzip of the texts.
pub fn document(title: &str, texts: &[(&str, &str)]) -> String {
    let (style, script) = (text("/page/style.css"), bundle());
    let icon = format!("data:image/svg+xml;base64,{}", BASE64.encode(text("/page/icon.svg")));
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; base-uri 'none'; \
         form-action 'none'",
        hash(&script),
        hash(style)
    );
    let mut html = String::with_capacity(script.len() + style.len() + 4_096);
    // Infallible: a `String` takes every write.
    for line in text("/").lines() {
        let _ = match line.trim_start().split([' ', '>']).next().unwrap_or_default() {
            "<meta" if line.contains("charset") => writeln!(
                html,
                "{line}\n<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">"
            ),
            "<title" => writeln!(html, "<title>{}</title>", escaped(title)),
            "<link" if line.contains("\"icon\"") => {
                writeln!(html, "<link rel=\"icon\" href=\"{icon}\">")
            }
            "<link" => writeln!(html, "<style>{style}</style>"),
            "<script" => Ok(()),
            "<noscript" => {
                writeln!(html, "<noscript><p>This report needs JavaScript.</p></noscript>")
            }
            "</body" => {
                for (name, text) in texts {
                    let _ = writeln!(
                        html,
                        "<script type=\"application/gzip\" id=\"{name}\">{}</script>",
                        packed(text)
                    );
                }
                writeln!(html, "<script type=\"module\">{script}</script>\n{line}")
            }
            _ => writeln!(html, "{line}"),
        };
    }
    html
}

/// A file of the page.
fn text(path: &str) -> &'static str {
    let bytes = asset(path).map_or(&[][..], |asset| asset.bytes);
    std::str::from_utf8(bytes).unwrap_or_default()
}

fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64.encode(Sha256::digest(text)))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Gzip in base 64, which has no characters with a meaning in HTML.
fn packed(text: &str) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Infallible: memory takes every write.
    let _ = encoder.write_all(text.as_bytes());
    BASE64.encode(encoder.finish().unwrap_or_default())
}

/// All modules as one script: each becomes a function that returns its exports, after those that it
/// imports.
fn bundle() -> String {
    let modules = ASSETS.iter().filter(|asset| asset.path.ends_with(".js"));
    let mut waiting: BTreeMap<&str, Module> = modules
        .map(|asset| (asset.path.trim_start_matches("/page/"), Module::of(text(asset.path))))
        .collect();
    let mut script = String::from("\"use strict\";\n");
    while !waiting.is_empty() {
        let is_ready = |module: &Module| !module.imports.iter().any(|it| waiting.contains_key(it));
        let ready = waiting.iter().find(|(_, module)| is_ready(module));
        // A test imports every module: there are no circles.
        let Some(name) = ready.map(|(name, _)| *name) else { break };
        if let Some(module) = waiting.remove(name) {
            module.write(name, &mut script);
        }
    }
    script
}

/// A module, in the few forms of imports and exports that the page uses.
#[derive(Debug, Default)]
struct Module {
    imports: Vec<&'static str>,
    exports: Vec<&'static str>,
    body: String,
}

impl Module {
    fn of(text: &'static str) -> Self {
        let mut module = Self::default();
        for line in text.lines() {
            let imported = line.strip_prefix("import ").and_then(|rest| rest.split_once(" from "));
            if let Some((names, from)) = imported {
                let from = from.trim_matches(|c| "\";./".contains(c));
                let names = names.replace(" as ", ": ");
                // Infallible: a `String` takes every write.
                let _ = writeln!(module.body, "const {names} = {};", variable(from));
                module.imports.push(from);
                continue;
            }
            let line = match line.strip_prefix("export ") {
                Some(declared) => {
                    let words = declared.split(|c: char| !c.is_alphanumeric() && c != '_');
                    let keywords = ["async", "const", "class", "function"];
                    module.exports.extend(words.filter(|it| !keywords.contains(it)).take(1));
                    declared
                }
                None => line,
            };
            module.body += line;
            module.body.push('\n');
        }
        module
    }

    fn write(&self, name: &str, script: &mut String) {
        let (body, exports) = (&self.body, self.exports.join(", "));
        // Infallible: a `String` takes every write.
        let _ = writeln!(
            script,
            "const {} = (() => {{\n{body}return {{ {exports} }};\n}})();",
            variable(name)
        );
    }
}

fn variable(module: &str) -> String {
    format!("${}", module.trim_end_matches(".js"))
}
