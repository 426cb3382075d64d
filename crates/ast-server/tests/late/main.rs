//! Late, doubled and lost datagrams, and senders that start again, against a model that says the
//! protocol's rules naively. Every event of the table takes part.

#[path = "../common/mod.rs"]
mod common;
mod model;
mod told;

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use ast_server::AstServer;
use ast_server::parts::Listener;
use common::{count, small, write};
use fastrand::Rng;
use serde_json::json;

use self::model::{Model, Tree};
use self::told::{Told, told};

/// The order in which the numbers of a run come: neighbours change places, some by far, some are
/// lost and some come twice. The first is first.
fn order(random: &mut Rng, numbers: u32) -> Vec<u32> {
    let mut order: Vec<_> = (0..numbers).collect();
    for _ in 0..numbers / 2 {
        let from = random.usize(1..order.len());
        let to = (from + random.usize(1..30)).min(order.len() - 1);
        order.swap(from, to);
    }
    order.retain(|number| *number == 0 || random.usize(..20) > 0);
    for _ in 0..numbers / 10 {
        let at = random.usize(..order.len());
        let again = (at + random.usize(1..10)).min(order.len());
        order.insert(again, order[at]);
    }
    order
}

fn live_through(seed: u64, file: &Path) {
    let random = &mut Rng::with_seed(seed);
    let server = AstServer::new();
    server.load_project(file).expect("the set loads");
    let mut listener = Listener::new(&server);
    let in_file = Tree::of(&listener.tree());
    let mut model = Model::new(in_file.clone());
    let live = SocketAddr::from(([127, 0, 0, 1], 9_000));
    let (start, mut heard) = (Instant::now(), Vec::new());
    let (mut datagrams, mut doubled) = (0, 0);
    let runs = random.usize(1..4);
    for run in 0..runs {
        let numbers = random.u32(20..150);
        let mut events: Vec<_> = (0..numbers).map(|_| told(random)).collect();
        let tempo = json!(100.0 + run as f64);
        events[0] = Told { path: "/live/transport/tempo", at: vec![], values: vec![tempo] };
        heard.clear();
        if run > 0 {
            model.start_again(in_file.clone());
        }
        for number in order(random, numbers) {
            let event = &events[number as usize];
            let at = start + Duration::from_millis(datagrams);
            listener.hear(live, &event.datagram(number), at);
            listener.look_at_file();
            datagrams += 1;
            if heard.contains(&number) {
                doubled += 1;
            } else {
                heard.push(number);
                model.hear(number, event);
            }
        }
        let counts = ["events.processed", "events.rejected", "udp.packet.superseded"];
        let counts = counts.map(|name| count(&server, name));
        let expected = [model.processed, model.rejected, model.superseded];
        assert_eq!(counts, expected, "seed {seed}, run {run}");
    }
    let counts = ["udp.packet.duplicate", "udp.sequence.restart"].map(|name| count(&server, name));
    assert_eq!(counts, [doubled, i128::try_from(runs).expect("few") - 1], "seed {seed}");
    let (mut found, mut expected) = (Tree::of(&listener.tree()), model.tree);
    if runs > 1 {
        found = found.without_what_no_file_says();
        expected = expected.without_what_no_file_says();
    }
    // One after another, so that a failure names the first that differs.
    for (at, (found, expected)) in found.tracks.iter().zip(&expected.tracks).enumerate() {
        assert_eq!(found, expected, "seed {seed}, track {at}");
    }
    assert_eq!(found, expected, "seed {seed}");
}

#[test]
fn late_doubled_and_lost_datagrams_and_restarts_are_what_the_rules_say() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = write(folder.path(), "set.als", &small());
    (0..400).for_each(|seed| live_through(seed, &file));
}
