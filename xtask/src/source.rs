//! Rust sources as checks see them: lines, tokens, syntax.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, LineColumn, Span, TokenStream, TokenTree};
use syn::visit::Visit;

/// Folders of the workspace that hold sources. Those that do not exist hold none.
const FOLDERS: [&str; 6] = ["benches", "crates", "fleet", "fuzz", "loom-tests", "xtask"];

/// A source file.
pub(crate) struct Source {
    /// From the workspace's root, with slashes.
    pub(crate) path: String,
    pub(crate) lines: Vec<String>,
    /// In order, without comments.
    pub(crate) tokens: Vec<Token>,
    pub(crate) syntax: syn::File,
}

/// A word, a literal or a sign.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// From 1.
    pub(crate) line: usize,
    last_line: usize,
}

/// All sources of the workspace, in order.
pub(crate) fn all(root: &Path) -> Result<Vec<Source>, String> {
    let mut paths = Vec::new();
    for folder in FOLDERS.map(|folder| root.join(folder)).iter().filter(|it| it.is_dir()) {
        collect(folder, &mut paths)?;
    }
    paths.sort();
    paths.iter().map(|path| Source::read(root, path)).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), String> {
    let told = |error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        // What is built there is nobody's source.
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
    Ok(())
}

impl Source {
    fn read(root: &Path, path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
        let within = path.strip_prefix(root).unwrap_or(path);
        let names: Vec<_> = within.iter().map(|name| name.to_string_lossy()).collect();
        Self::parse(&names.join("/"), &text)
    }

    pub(crate) fn parse(path: &str, text: &str) -> Result<Self, String> {
        let told = |line: usize, error: String| format!("{path}:{line}: {error}");
        let stream: TokenStream = text.parse().map_err(|error: proc_macro2::LexError| {
            told(error.span().start().line, error.to_string())
        })?;
        let syntax = syn::parse2(stream.clone())
            .map_err(|error| told(error.span().start().line, error.to_string()))?;
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let mut tokens = Vec::new();
        flatten(stream, &lines, &mut tokens);
        Ok(Self { path: path.to_owned(), lines, tokens, syntax })
    }

    /// Lines with code, not only comments, between the two and with them.
    pub(crate) fn code_lines(&self, first: usize, last: usize) -> usize {
        let of_token = |token: &Token| token.line.max(first)..=token.last_line.min(last);
        self.tokens.iter().flat_map(of_token).collect::<BTreeSet<_>>().len()
    }

    /// The comments above a line, with at most `code` lines of anything else in between.
    pub(crate) fn comments_above(&self, line: usize, code: usize) -> impl Iterator<Item = &str> {
        let mut others = 0;
        let above = self.lines[..line - 1].iter().rev().map(|line| line.trim_start());
        let near = above.take_while(move |line| {
            others += usize::from(!line.starts_with("//") && !line.starts_with("#["));
            others <= code
        });
        near.filter(|line| line.starts_with("//"))
    }

    /// Where these words and signs follow each other: from the first of them to the last token.
    pub(crate) fn find<'a>(&'a self, words: &'a [&'a str]) -> impl Iterator<Item = &'a [Token]> {
        let from = (0..self.tokens.len()).map(|i| &self.tokens[i..]);
        from.filter(move |tokens| {
            tokens.len() >= words.len()
                && tokens.iter().zip(words).all(|(token, word)| token.text == *word)
        })
    }

    /// Functions of every kind, those inside of functions too, but not those of macros.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut functions = Functions(Vec::new());
        functions.visit_file(&self.syntax);
        functions.0
    }

    /// First and last line of the module of unit tests, where it is in this file.
    pub(crate) fn unit_tests(&self) -> Option<(usize, usize)> {
        self.syntax.items.iter().find_map(|item| {
            let syn::Item::Mod(module) = item else { return None };
            let (braces, _) = module.content.as_ref()?;
            let is_test = module.attrs.iter().any(|attribute| {
                attribute.path().is_ident("cfg")
                    && attribute.parse_args::<syn::Ident>().is_ok_and(|cfg| cfg == "test")
            });
            let first = module.attrs.first()?.pound_token.span.start().line;
            is_test.then(|| (first, braces.span.close().end().line))
        })
    }
}

/// Adds the tokens of a stream; comments on documentation, which the lexer gives as attributes,
/// are none.
fn flatten(stream: TokenStream, lines: &[String], tokens: &mut Vec<Token>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let is_sharp = matches!(&tree, TokenTree::Punct(sign) if sign.as_char() == '#');
        if is_sharp && is_comment(lines, tree.span().start()) {
            // The attribute's exclamation mark, where it is an inner one, and its brackets.
            while !matches!(trees.next(), Some(TokenTree::Group(_)) | None) {}
            continue;
        }
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                tokens.push(token(open.to_owned(), group.span_open()));
                flatten(group.stream(), lines, tokens);
                tokens.push(token(close.to_owned(), group.span_close()));
            }
            tree => tokens.push(token(tree.to_string(), tree.span())),
        }
    }
}

fn token(text: String, span: Span) -> Token {
    Token { text, line: span.start().line, last_line: span.end().line }
}

fn is_comment(lines: &[String], at: LineColumn) -> bool {
    let line = lines.get(at.line.wrapping_sub(1)).map(String::as_str).unwrap_or_default();
    let rest: String = line.chars().skip(at.column).take(2).collect();
    rest == "//" || rest == "/*"
}

/// A function's name, and the lines from its `fn` to its closing brace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) first: usize,
    pub(crate) last: usize,
}

struct Functions(Vec<Function>);

impl Functions {
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        self.0.push(Function {
            name: signature.ident.to_string(),
            first: signature.fn_token.span.start().line,
            last: block.brace_token.span.close().end().line,
        });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.add(&function.sig, &function.block);
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.add(&function.sig, &function.block);
        syn::visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.add(&function.sig, block);
        }
        syn::visit::visit_trait_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r##"//! A page.
use std::fmt;

/// Says `unsafe`, which is none.
#[derive(Clone)]
struct A; // code and a comment

impl A {
    fn long(&self) {
        /* nothing
           here */
        let text = "two
        lines";

        fn inner() {}
    }
}

#[cfg(test)]
mod tests {
    fn more() {}
}
"##;

    fn source() -> Source {
        Source::parse("a.rs", TEXT).expect("Rust")
    }

    #[test]
    fn blank_lines_and_comments_are_no_code() {
        let source = source();
        assert_eq!(source.code_lines(1, source.lines.len()), 14);
        assert_eq!(source.code_lines(10, 11), 0, "a comment");
        assert_eq!(source.code_lines(12, 13), 2, "a text of two lines");
        assert_eq!(source.find(&["unsafe"]).count(), 0, "a comment on documentation");
        assert_eq!(source.find(&["struct", "A", ";"]).next().map(|found| found[0].line), Some(6));
    }

    #[test]
    fn functions_and_unit_tests_are_found_by_their_lines() {
        let source = source();
        let found: Vec<_> =
            source.functions().into_iter().map(|it| (it.name, it.first, it.last)).collect();
        let function = |name: &str, first, last| (name.to_owned(), first, last);
        let expected =
            [function("long", 9, 16), function("inner", 15, 15), function("more", 21, 21)];
        assert_eq!(found, expected);
        assert_eq!(source.unit_tests(), Some((19, 22)));
    }

    #[test]
    fn comments_belong_to_the_line_below_them_over_attributes_and_a_little_code() {
        let text = "// one\n// two\n#[inline]\nlet a =\n    b;\nlet c;\n";
        let text = format!("fn f() {{\n{text}}}\n");
        let source = Source::parse("a.rs", &text).expect("Rust");
        let above = |line, code| source.comments_above(line, code).collect::<Vec<_>>();
        assert_eq!(above(5, 0), ["// two", "// one"]);
        assert_eq!(above(6, 0), [""; 0]);
        assert_eq!(above(6, 1), ["// two", "// one"]);
    }

    #[test]
    fn what_is_no_rust_is_told_by_its_line() {
        let told = Source::parse("a.rs", "fn f() {}\nfn (").map(|_| ()).expect_err("no Rust");
        assert!(told.starts_with("a.rs:2: "), "{told}");
    }
}
