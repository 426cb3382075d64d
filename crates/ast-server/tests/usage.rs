//! The command line: what is wrong with it is told with the way out, and what starts one off.

mod common;

use std::fs;

use common::program::{failure, run, text, utf8};

#[test]
fn wrong_usage_ends_with_2_and_help_with_0() {
    // Each with the way out.
    let wrong: [(&[&str], &str); 29] = [
        (&[], "Usage"),
        (&["sevre"], "serve"),
        (&["info"], "<SET>"),
        (&["tree", ""], "<SET>"),
        (&["diff", "one.als"], "<B>"),
        (&["demo", "--rate", "0"], "a whole number from 1 to "),
        (&["demo", "--events", "many"], "a whole number from 0 to "),
        (&["demo", "--udp", "9002"], "127.0.0.1:9464"),
        (&["demo", "--alertmanager", "x"], "http://"),
        (&["demo", "--ws", "127.0.0.1:7", "--http", "127.0.0.1:7"], "port 0"),
        (&["demo", "--trouble", "loss"], "--keep-running"),
        (&["serve"], "--sets"),
        (&["serve", "x.als", "--udp", "nowhere"], "127.0.0.1:9464"),
        (&["serve", "x.als", "--ws", "localhost:1"], "127.0.0.1:9464"),
        (&["serve", "x.als", "--http", "127.0.0.1:65536"], "127.0.0.1:9464"),
        (&["serve", "x.als", "--ws", "127.0.0.1:7", "--http", "127.0.0.1:7"], "port 0"),
        (&["serve", "x.als", "--max-clients", "1.5"], "a whole number from 0 to "),
        (&["serve", "x.als", "--ping-every", "1s"], "a whole number from 1 to "),
        (&["serve", "x.als", "--log-level", "foo"], "try info"),
        (&["serve", "x.als", "--log-format", "xml"], "json"),
        (&["serve", "x.als", "--allow-host", "a:1"], "without a port"),
        (&["serve", "x.als", "--alertmanager", "x"], "\"x\": it has to start with http://"),
        (&["serve", "x.als", "--alert-webhook", "ftp://x"], "it has to start with http://"),
        (&["serve", "x.als", "--otlp-url", "ftp://x"], "it has to start with http://"),
        (&["serve", "x.als", "--otlp-every", "1"], "--otlp-url"),
        (&["serve", "x.als", "--http-key-file", "x"], "--http-certificate-file"),
        (&["deploy", "x", "--scrape-interval", "x"], "such as 15s"),
        (&["deploy", "x", "--target", "http://a:1"], "localhost:9464"),
        (&["deploy", "x", "--alertmanager", "a"], "localhost:9464"),
    ];
    for (args, way_out) in wrong {
        let message = failure(args, 2);
        assert!(message.contains("Usage") || message.starts_with("error: "), "{message}");
        assert!(message.contains(way_out), "{args:?}: {message}");
        for words_of_parsers in ["invalid digit", "expected number at", "invalid socket"] {
            assert!(!message.contains(words_of_parsers), "{args:?}: {message}");
        }
    }
    for args in [&["--help"][..], &["serve", "--help"], &["demo", "--help"], &["--version"]] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(!output.stdout.is_empty(), "{args:?}");
    }
    let help = text(&run(&["--help"]).stdout);
    for word in ["serve", "demo", "info", "tree", "diff", "Examples", "Exit codes"] {
        assert!(help.contains(word), "{word} is missing in {help}");
    }
}

#[test]
fn the_rules_to_start_from_can_be_served() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let set = common::write(folder.path(), "set.als", &common::small());
    let printed = run(&["rules"]);
    assert_eq!(printed.status.code(), Some(0), "{}", text(&printed.stderr));
    let file = folder.path().join("rules.toml");
    fs::write(&file, &printed.stdout).expect("written");
    let check = run(&["serve", utf8(&set), "--alerts", utf8(&file), "--check"]);
    assert_eq!(check.status.code(), Some(0), "{}", text(&check.stderr));
    // Those without --alerts are among them.
    let own = ast_server::alerts::rules(&text(&printed.stdout)).expect("rules of its metrics");
    for default in ast_server::alerts::defaults() {
        assert!(own.iter().filter(|it| it.name == default.name).count() == 1, "{}", default.name);
    }
    let help = text(&run(&["serve", "--help"]).stdout);
    assert!(help.contains("`ast-server rules`"), "{help}");
}
