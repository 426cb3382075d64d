//! How long does a large set take to load?
//!
//! 19 MB of XML, plain and as the `.als` file that Live writes, compared with only inflating that
//! file. The same file is also loaded through a server, which hashes the tree's root and installs
//! the tree.

use std::error::Error;
use std::fs;
use std::io;

use ast_server::AstServer;
use benches::host::large;
use benches::{Budgets, Figures, Options, Table, time};
use flate2::read::GzDecoder;
use live_set::Set;
use live_set::generate::Spec;

/// The size of the largest set today, as XML.
const XML_BYTES: usize = 19_000_000;
const LOAD_MILLIS: f64 = 300.0;

fn is_whole(set: &Set) -> bool {
    let Spec { scenes, tracks, clips, arrangement, .. } = large();
    (set.num_scenes(), set.num_clips()) == (scenes, tracks * (clips + arrangement))
}

fn inflate(file: &[u8]) -> u64 {
    io::copy(&mut GzDecoder::new(file), &mut io::sink()).expect("a sink takes everything")
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mut xml, mut als) = (Vec::new(), Vec::new());
    large().write_xml(&mut xml)?;
    large().write_als(&mut als)?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("large.als");
    fs::write(&file, &als)?;

    assert!(xml.len() >= XML_BYTES, "{} bytes", xml.len());
    assert_eq!(inflate(&als), xml.len() as u64);
    let (plain, packed) = (Set::read(xml.as_slice())?, Set::read(als.as_slice())?);
    assert!(is_whole(&plain) && plain == packed);
    let server = AstServer::new();
    let report = server.load_project(&file)?;
    assert_eq!(report.root_hash, plain.root_hash());
    drop((plain, packed));

    let rounds = Options::get().rounds(15);
    let measure = |act: &mut dyn FnMut()| time(rounds, || (), act);
    let read = |document: &[u8]| assert!(is_whole(&Set::read(document).expect("it was read")));
    let rows: [(&str, Figures); 4] = [
        ("inflating alone", measure(&mut || assert!(inflate(&als) > 0))),
        ("XML", measure(&mut || read(&xml))),
        (".als", measure(&mut || read(&als))),
        ("a server's load", measure(&mut || drop(server.load_project(&file).expect("it loads")))),
    ];

    let megabytes = xml.len() as f64 / 1e6;
    let title = format!("Loading {megabytes:.1} MB of XML: ms; {rounds} rounds");
    let mut table = Table::new("load", title, &["reading", "min", "median", "MB/s"]);
    for (name, Figures { min, median }) in rows {
        let rate = megabytes * 1e9 / median;
        table.row([name.into(), (min / 1e6).into(), (median / 1e6).into(), rate.into()]);
    }
    table.print();
    let mut budgets = Budgets::new("budget-load");
    budgets.at_most("a large set's load", rows[3].1.median / 1e6, LOAD_MILLIS, "ms");
    budgets.print();
    Ok(())
}
