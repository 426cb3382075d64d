//! How long do events wait while a query asks for everything in the set?
//!
//! They wait while it is copied. For comparison: writing the copy as JSON, which events would wait
//! for without the copy, and a client's complete look-up of the list of tracks, once with an
//! outdated and once with a current cache entry.

use std::error::Error;

use ast_server::Outcome;
use benches::host::SetFile;
use benches::{Budgets, Figures, Options, Table, time};
use live_set::{NodeRef, Set};

/// Upper bound for waiting for a copy, as a share of waiting for its JSON.
const WAITING: f64 = 0.5;

fn write(set: &Set) -> String {
    let tracks: Vec<_> = set.project().tracks.iter().map(NodeRef::Track).collect();
    serde_json::to_string(&tracks).expect("a tree is JSON")
}

fn main() -> Result<(), Box<dyn Error>> {
    let file = SetFile::write()?;
    let (server, set) = (file.server(true)?, ast_server::read(&file.path)?);
    assert_eq!(server.get_tracks()?, write(&set));
    assert!(set.clone() == set);

    let rounds = Options::get().rounds(51);
    let mut count = 0;
    let mut change = || {
        count += 1;
        let outcome = server.process_live_event("/live/transport/tempo", &[count.into()], 1, 0.0);
        assert_eq!(outcome, Outcome::Processed);
    };
    let copy = time(rounds, || (), || drop(std::hint::black_box(set.project().tracks.clone())));
    let json = time(rounds, || (), || drop(std::hint::black_box(write(&set))));
    let outdated = time(rounds, &mut change, || drop(server.get_tracks().expect("a set")));
    let kept = time(rounds, || (), || drop(server.get_tracks().expect("a set")));
    let stats = server.get_cache_stats();
    assert_eq!((stats.misses, stats.hits), (rounds as u64 + 2, rounds as u64 + 1));

    let title = format!("The list of 50 tracks with 100 slots each: us; {rounds} rounds");
    let mut table = Table::new("queries", title, &["what is done", "min", "median"]);
    let rows = [
        ("copying it, events wait", copy),
        ("writing it, events go on", json),
        ("a look-up, outdated", outdated),
        ("a look-up, kept", kept),
    ];
    for (name, Figures { min, median }) in rows {
        table.row([name.into(), (min / 1e3).into(), (median / 1e3).into()]);
    }
    table.print();
    let mut budgets = Budgets::new("budget-queries");
    budgets.at_most("copying a list", copy.times(json), WAITING, "x writing it");
    budgets.print();
    Ok(())
}
