//! The mix of events: its shares, and that all of it points at something.

mod common;

use std::collections::HashMap;

use ast_server::mix::Mix;
use ast_server::{AstServer, EventType, Outcome};

fn share(event_type: EventType) -> &'static str {
    let path = event_type.path();
    let structure = ["added", "deleted", "reordered", "/scene/removed", "/cursor/"];
    if path.contains("/clip_slot/") && !path.contains("/cursor/") || path.contains("/clip/") {
        "clips"
    } else if structure.iter().any(|word| path.contains(word)) {
        "structure"
    } else if path.contains("/transport/") {
        "transport"
    } else if ["param", "volume", "pan"].iter().any(|word| path.ends_with(word)) {
        "continuous"
    } else {
        "states"
    }
}

#[test]
fn shares_are_those_of_the_protocol_and_every_path_comes_at_least_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let set = ast_server::read(&common::write(folder.path(), "set.als", &common::small()));
    let set = set.expect("the set reads");
    let (mut shares, mut paths) = (HashMap::new(), HashMap::new());
    for event in Mix::new(&set, 1).take(20_000) {
        *shares.entry(share(event.event_type)).or_insert(0) += 1;
        *paths.entry(event.event_type).or_insert(0) += 1;
    }
    let expected = [
        ("continuous", 12_000),
        ("clips", 4_000),
        ("states", 3_780),
        ("transport", 200),
        ("structure", 20),
    ];
    assert_eq!(shares, HashMap::from(expected));
    assert_eq!(paths.len(), EventType::ALL.len());

    let first: Vec<_> = Mix::new(&set, 1).take(EventType::ALL.len()).collect();
    for &event_type in EventType::ALL {
        assert!(first.iter().any(|event| event.event_type == event_type), "{event_type:?}");
    }
    let again: Vec<_> = Mix::new(&set, 1).take(EventType::ALL.len()).collect();
    assert_eq!(first, again, "the same seed gives the same events");
}

#[test]
fn every_event_points_at_something() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = common::write(folder.path(), "set.als", &common::small());
    let server = AstServer::new();
    server.load_project(&file).expect("the set loads");
    let mix = Mix::new(&ast_server::read(&file).expect("the set reads"), 7);
    for (seq, event) in (0..).zip(mix.take(5_000)) {
        let outcome = server.process_live_event(event.event_type.path(), &event.args, seq, 0.0);
        assert_eq!(outcome, Outcome::Processed, "{event:?}");
    }
    common::assert_conserved(&server);
}
