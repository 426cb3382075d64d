//! Measures edits per second on a set of 50 tracks and 100 scenes, with correct hashes after each:
//! `cargo run --release -p live-set --example edit_rate`.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::error::Error;
use std::time::Instant;

use live_set::generate::Spec;
use live_set::{Edit, Set};

const EDITS: usize = 300_000;

fn main() -> Result<(), Box<dyn Error>> {
    let spec = Spec::default();
    let mut xml = Vec::new();
    spec.write_xml(&mut xml)?;
    let start = Instant::now();
    let mut set = Set::read(xml.as_slice())?;
    println!("{} bytes of XML read in {:?}", xml.len(), start.elapsed());

    let parameter = |n: usize| Edit::DeviceParameter {
        track: n % spec.tracks,
        device: n % spec.devices,
        parameter: n % spec.parameters,
        value: n as f64,
    };
    let slot = |n: usize| Edit::ClipSlotPlayingStatus {
        track: n % spec.tracks,
        scene: n / spec.tracks % spec.scenes,
        playing_status: (n / spec.tracks / spec.scenes) as i32,
    };
    let volume = |n: usize| Edit::TrackVolume { track: n % spec.tracks, volume: n as f64 };
    let position = |n: usize| Edit::TransportPosition { position: n as f64 };
    measure(&mut set, "device parameters", parameter)?;
    measure(&mut set, "playing slots", slot)?;
    measure(&mut set, "volumes", volume)?;
    measure(&mut set, "positions", position)?;
    Ok(())
}

fn measure(set: &mut Set, what: &str, edit: impl Fn(usize) -> Edit) -> Result<(), Box<dyn Error>> {
    let edits: Vec<_> = (1..=EDITS).map(edit).collect();
    let start = Instant::now();
    for edit in &edits {
        std::hint::black_box(set.apply(edit)?);
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{what}: {:.0} edits a second", EDITS as f64 / seconds);
    let hash = set.root_hash();
    assert_eq!(set.rehash(), hash, "hashes are right");
    Ok(())
}
