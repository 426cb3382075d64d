//! Memory while reading: it follows the tree that is kept, not the document.
#![allow(unsafe_code, reason = "a counting allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use live_set::generate::{Spec, Version};
use live_set::{Edit, Limits, Mirror, ReadError, ReadErrorKind, Rejected, Set, TrackKind};

const MIB: usize = 1 << 20;
/// What a large set of today takes, as XML.
const LARGE: usize = 17_000_000;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counting.
struct Counting;

// SAFETY: every call is passed on as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Relaxed: plain sums, read after the work by the thread that did it.
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(live, Ordering::Relaxed);
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps `dealloc`'s contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Tests take turns, so that no other allocates meanwhile.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How far memory rises above what is held already while a document is read.
fn peak_of(document: impl Read) -> (usize, Result<Set, ReadError>) {
    peak_within(document, &Limits::default())
}

fn peak_within(document: impl Read, limits: &Limits) -> (usize, Result<Set, ReadError>) {
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let result = Set::read_within(document, limits);
    (PEAK.load(Ordering::Relaxed) - before, result)
}

/// A gzip stream that inflates to `times` copies of `part`: members repeat, so it is small.
fn bomb(start: &[u8], part: &[u8], times: usize) -> Vec<u8> {
    [gzip(start), gzip(part).repeat(times)].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).expect("a vector takes everything");
    gzip.finish().expect("a vector takes everything")
}

/// A large set's XML: much of it is what a reader passes over, as in any set.
fn large_set(version: Version) -> Vec<u8> {
    let spec = Spec {
        version,
        tracks: 40,
        groups: 4,
        scenes: 120,
        clips: 40,
        notes: 32,
        devices: 4,
        parameters: 32,
        racks: 2,
        plug_ins: 2,
        arrangement: 8,
        ..Spec::default()
    };
    let mut document = Vec::new();
    spec.write_xml(&mut document).expect("a vector takes everything");
    document
}

#[test]
fn reading_a_large_set_takes_less_than_three_times_the_tree_that_is_kept() {
    let _turn = turn();
    for (version, is_packed) in [(Version::Live9, false), (Version::Live12, true)] {
        let document = large_set(version);
        assert!(document.len() > LARGE, "{version:?} has {} bytes", document.len());
        let file = if is_packed { gzip(&document) } else { document };
        let before = LIVE.load(Ordering::Relaxed);
        let (peak, set) = peak_of(file.as_slice());
        let kept = LIVE.load(Ordering::Relaxed) - before;
        let set = set.expect("a set");
        assert_eq!((set.num_scenes(), set.num_clips()), (120, 40 * 48), "{version:?}");
        assert!(kept > MIB, "{version:?}: a tree of {kept} bytes is none of this set");
        assert!(peak < 3 * kept, "{version:?}: rises to {peak}, keeps {kept}");
    }
}

#[test]
fn a_mirror_that_has_followed_a_save_holds_at_most_twice_the_tree() {
    let _turn = turn();
    let document = large_set(Version::Live12);
    let text = String::from_utf8(document.clone()).expect("UTF-8");
    // A later save, in which nearly everything is called something else.
    let renamed = text.replace("<Name Value=\"", "<Name Value=\"New ").into_bytes();
    let before = LIVE.load(Ordering::Relaxed);
    let held = || LIVE.load(Ordering::Relaxed) - before;
    let read = |document: &[u8]| Set::read(document).expect("a set");
    let trees = [&document, &renamed].map(|document| {
        let _set = read(document);
        held()
    });
    let mut mirror = Mirror::new(read(&document));
    assert!(held() <= 2 * trees[0], "{} for a tree of {}", held(), trees[0]);
    let began = mirror.mark();
    let name = "Late".into();
    let added = Edit::TrackAdded { track: 3, name, kind: TrackKind::Midi };
    mirror.apply(&added).expect("accepted");
    assert!(!mirror.save(read(&renamed), began, false).is_empty());
    mirror.settle();
    assert!(held() <= 2 * trees[1], "{} for a tree of {}", held(), trees[1]);
}

#[test]
fn a_mirror_and_its_file_share_the_parameters_that_no_event_has_changed() {
    let _turn = turn();
    let mut ordinary = Vec::new();
    Spec::default().write_xml(&mut ordinary).expect("a vector takes everything");
    for (document, percent_max) in [(large_set(Version::Live12), 130), (ordinary, 150)] {
        let before = LIVE.load(Ordering::Relaxed);
        let read = || Set::read(document.as_slice()).expect("a set");
        let set = read();
        let tree = set.tree_bytes();
        let percent = || 100 * (LIVE.load(Ordering::Relaxed) - before) / tree;
        let mut mirror = Mirror::new(set);
        let loaded = percent();
        assert!(loaded <= percent_max, "loaded: {loaded} %, at most {percent_max}");

        let edits = all_parameters(mirror.set());
        assert!(edits.len() > 1_000);
        edits.iter().for_each(|edit| assert!(!mirror.apply(edit).expect("accepted").is_empty()));
        drop(edits);
        let edited = percent();
        assert!((loaded + 4..=160).contains(&edited), "all changed: {edited} %");

        let began = mirror.mark();
        mirror.save(read(), began, true);
        mirror.settle();
        let saved = percent();
        assert!(saved <= loaded + 1, "shared again: {saved} %, {loaded} % at first");
    }
}

/// An edit of each parameter that edits can reach, to a value that it does not have.
fn all_parameters(set: &Set) -> Vec<Edit> {
    let tracks = set.project().tracks.iter().enumerate();
    let devices = tracks.flat_map(|(track, it)| {
        it.devices.iter().enumerate().map(move |(device, it)| (track, device, it))
    });
    let edits = devices.flat_map(|(track, device, it)| {
        it.parameters.iter().enumerate().map(move |(parameter, old)| {
            let value = old.value + 0.25;
            Edit::DeviceParameter { track, device, parameter, value }
        })
    });
    edits.collect()
}

#[test]
fn memory_does_not_follow_the_document() {
    let _turn = turn();
    let megabyte = vec![b' '; MIB];

    let (peak, result) = peak_of(bomb(b" ", &megabyte, 100).as_slice());
    assert!(result.expect_err("refused").is_incomplete());
    assert!(peak < MIB, "100 MiB of spaces: {peak}");

    let (peak, result) = peak_of(bomb(b"<Ableton>", &megabyte, 200).as_slice());
    assert!(result.expect_err("refused").is_limit());
    assert!(peak < MIB, "200 MiB of text in an element: {peak}");

    let deep = format!("<Ableton>{}", "<a>".repeat(100_000));
    let (peak, result) = peak_of(deep.as_bytes());
    assert!(result.expect_err("refused").is_limit());
    assert!(peak < MIB, "elements 100,000 deep: {peak}");

    // As many slots as limits allow, and more: the tree is what memory goes into.
    let slots = "<ClipSlot/>".repeat(9_999);
    let track = format!(
        "<MidiTrack><DeviceChain><MainSequencer><ClipSlotList>{slots}</ClipSlotList>\
         </MainSequencer></DeviceChain></MidiTrack>"
    );
    let (peak, result) =
        peak_of(bomb(b"<Ableton><LiveSet><Tracks>", track.as_bytes(), 60).as_slice());
    let error = result.expect_err("refused");
    assert!(error.is_limit() && error.to_string().contains("bytes of tree"), "{error}");
    assert!(peak < 64 * MIB, "600,000 slots: {peak}");

    // Names, each with the most that a name may have.
    let scene = format!("<Scene><Name Value=\"{}\"/></Scene>", "n".repeat(400 << 10));
    let (peak, result) =
        peak_of(bomb(b"<Ableton><LiveSet><Scenes>", scene.as_bytes(), 200).as_slice());
    assert!(result.expect_err("refused").is_limit());
    assert!(peak < 64 * MIB, "80 MiB of names: {peak}");
}

#[test]
fn edits_keep_the_tree_within_its_limit() {
    let _turn = turn();
    let limits = Limits { tree_bytes: 4 * MIB, ..Limits::default() };
    let spec = Spec { tracks: 8, scenes: 1, devices: 1, ..Spec::default() };
    let mut document = Vec::new();
    spec.write_xml(&mut document).expect("a vector takes everything");
    let before = LIVE.load(Ordering::Relaxed);
    let mut set = Set::read_within(document.as_slice(), &limits).expect("a small set");
    for scene in 1..9_900 {
        set.apply(&Edit::SceneAdded { scene, name: String::new() }).expect("there is room");
    }
    let slot = |track, scene| Edit::ClipSlotState {
        track,
        scene,
        has_clip: false,
        has_stop_button: true,
        playing_status: 0,
    };
    let full = Rejected::Full { what: "bytes of tree", limit: limits.tree_bytes };
    let (mut made, mut refused) = (0, 0);
    for (track, scene) in (0..8).flat_map(|track| (1..9_900).map(move |scene| (track, scene))) {
        match set.apply(&slot(track, scene)) {
            Ok(_) => made += 1,
            Err(rejected) => {
                assert_eq!(rejected, full);
                refused += 1;
                if refused == 100 {
                    break;
                }
            }
        }
    }
    assert!(made > 5_000 && refused == 100, "{made} slots, {refused} refused");
    assert!(set.tree_bytes() <= limits.tree_bytes);
    // The lists may have room for twice as much as they hold.
    let held = LIVE.load(Ordering::Relaxed) - before;
    assert!(held < 2 * limits.tree_bytes, "{held} bytes");
    // Long names, unnamed parameters and more of everything are refused too.
    let long = || "n".repeat(MIB);
    for edit in [
        Edit::TrackName { track: 0, name: long() },
        Edit::SceneName { scene: 0, name: long() },
        Edit::TrackAdded { track: 0, name: long(), kind: live_set::TrackKind::Midi },
        Edit::DeviceAdded { track: 0, device: 0, name: long() },
        Edit::DeviceParameter { track: 0, device: 0, parameter: 4_000, value: 1.0 },
    ] {
        assert_eq!(set.apply(&edit), Err(full), "{edit:?}");
    }
    // What is there can be changed, and what goes makes room.
    set.apply(&slot(0, 1)).expect("it is there");
    set.apply(&Edit::TrackDeleted { track: 0 }).expect("it is there");
    set.apply(&Edit::TrackName { track: 0, name: long() }).expect("there is room again");
    let counted = set.tree_bytes();
    let mut fresh = set.clone();
    fresh.replace(set.clone());
    assert_eq!(fresh.tree_bytes(), counted, "what came and went is counted as it is found");
}

/// What became of a document, as the corpus's hostile files say in their names.
fn outcome(result: &Result<Set, ReadError>) -> &'static str {
    match result {
        Ok(_) => "read",
        Err(error) if error.is_limit() => "limit",
        Err(error) if error.is_incomplete() => "cut",
        Err(error) if error.is_foreign() => "foreign",
        Err(error) => match error.kind() {
            ReadErrorKind::Gzip(_) => "damaged",
            ReadErrorKind::Xml(_) => "malformed",
            ReadErrorKind::Doctype => "doctype",
            other => panic!("no file is to give this: {other}"),
        },
    }
}

#[test]
fn every_file_of_the_fuzz_corpus_is_read_or_refused_within_small_limits() {
    let _turn = turn();
    let limits = Limits {
        file_bytes: 1 << 20,
        document_bytes: 3 << 20,
        markup: 50_000,
        markup_bytes: 64 << 10,
        attribute_bytes: 32 << 10,
        depth: 64,
        tree_bytes: 1 << 20,
        ..Limits::default()
    };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/set");
    let mut hostile = BTreeMap::<_, usize>::new();
    for entry in fs::read_dir(folder).expect("the corpus is in the repository") {
        let entry = entry.expect("a file");
        let name = entry.file_name().into_string().expect("a plain name");
        let document = fs::read(entry.path()).expect("it reads");
        let (peak, result) = peak_within(document.as_slice(), &limits);
        assert!(peak < MIB, "{name}: rises to {peak}");
        let outcome = outcome(&result);
        if let Some(name) = name.strip_prefix("hostile-") {
            assert!(name.starts_with(outcome), "{name}: {result:?}");
            assert!(document.len() < 4 << 10, "{name} is to be small");
            *hostile.entry(outcome).or_default() += 1;
        }
        if let Ok(set) = result {
            assert_eq!(set.clone().rehash(), set.root_hash(), "{name}");
            let ids: HashSet<_> = set.nodes().map(|node| node.id().as_str()).collect();
            assert_eq!(ids.len(), set.nodes().count(), "{name}: an id for each node");
        }
    }
    assert_eq!(hostile.len(), 7, "some of each outcome: {hostile:?}");
}
