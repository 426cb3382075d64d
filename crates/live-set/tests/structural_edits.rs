//! Tracks, devices and scenes that come and go by edits: what each edit moves, and what it says.

mod common;

use common::replay::{replay, without_hashes};
use common::{json, set, small, xml};
use live_set::generate::Spec;
use live_set::{Edit, Limits, NodeType, Rejected, Set, TrackKind};
use serde_json::{Value, json};

/// Where things are in the small set: a group, three tracks, a return, the main track.
const RETURN: usize = 4;
const MIDI: usize = 1;
const TRACKS: usize = 6;

/// Applies an edit, and holds its records and hashes against the tree before and after.
fn apply(set: &mut Set, edit: &Edit) -> Vec<Value> {
    let before = json(set);
    let changes = set.apply(edit).expect("accepted");
    let changes = serde_json::to_value(&changes).expect("changes serialise");
    let after = json(set);
    assert_eq!(without_hashes(replay(before, &changes)), without_hashes(after), "{edit:?}");
    let mut fresh = set.clone();
    fresh.rehash();
    assert!(fresh == *set, "hashes are right after {edit:?}");
    changes["changes"].as_array().expect("a list").clone()
}

/// Type and path of each record.
fn outline(records: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    records.iter().map(|record| (text(&record["type"]), text(&record["path"]))).collect()
}

fn expected(records: &[(&str, &str)]) -> Vec<(String, String)> {
    records.iter().map(|(kind, path)| ((*kind).to_owned(), (*path).to_owned())).collect()
}

fn track(track: usize, kind: TrackKind) -> Edit {
    Edit::TrackAdded { track, name: "New".into(), kind }
}

fn ids(set: &Set, node_type: NodeType) -> Vec<String> {
    set.nodes_by_type(node_type).map(|node| node.id().to_string()).collect()
}

#[test]
fn a_track_that_is_added_moves_those_behind_it() {
    let mut set = set(&Spec { scenes: 2, clips: 1, ..small() });
    let before = ids(&set, NodeType::Track);
    let records = apply(&mut set, &track(3, TrackKind::Audio));
    let moved = [
        ("added", "tracks[3]"),
        ("modified", "tracks[4]"),
        ("modified", "tracks[4].clip_slots[0]"),
        ("modified", "tracks[4].clip_slots[1]"),
        ("modified", "tracks[5]"),
        ("modified", "tracks[6]"),
    ];
    assert_eq!(outline(&records), expected(&moved));
    assert_eq!(records[0]["parent_id"], "project");
    let attributes = &records[0]["new_value"];
    assert_eq!((&attributes["name"], &attributes["type"]), (&json!("New"), &json!("track")));
    assert_eq!(records[1]["old_value"], json!({"index": 3}));
    assert_eq!(records[1]["new_value"], json!({"index": 4}));
    assert_eq!(records[2]["old_value"], json!({"track_index": 3}));
    assert_eq!(records[2]["new_value"], json!({"track_index": 4}));
    let mut after = ids(&set, NodeType::Track);
    after.remove(3);
    assert_eq!(after, before, "the others keep their ids");
    assert!(set.project().tracks[3].slots.is_empty(), "slots are announced one by one");
}

#[test]
fn a_track_may_be_added_behind_the_last_and_no_further() {
    let mut set = set(&small());
    let records = apply(&mut set, &track(TRACKS, TrackKind::Midi));
    assert_eq!(outline(&records), expected(&[("added", "tracks[6]")]));
    let before = set.clone();
    let (track_index, tracks) = (TRACKS + 2, TRACKS + 1);
    let rejected = Rejected::NoSuchTrack { track: track_index, tracks };
    assert_eq!(set.apply(&track(track_index, TrackKind::Midi)), Err(rejected));
    assert!(set == before);
}

#[test]
fn every_kind_of_track_can_be_named() {
    let kinds = [
        ("midi", "track", "midi"),
        ("audio", "track", "audio"),
        ("track", "track", "audio"),
        ("group", "group", "audio"),
        ("return", "return", "audio"),
        ("master", "master", "audio"),
        ("main", "master", "audio"),
    ];
    for (name, track_type, clip_type) in kinds {
        let mut set = set(&small());
        apply(&mut set, &track(1, name.parse().expect("a kind")));
        assert_eq!(set.project().tracks[1].track_type.as_str(), track_type);
        let slot = Edit::ClipSlotState {
            track: 1,
            scene: 2,
            has_clip: false,
            has_stop_button: true,
            playing_status: 0,
        };
        assert_eq!(apply(&mut set, &slot)[0]["type"], "added");
        let clip = Edit::ClipAdded { track: 1, scene: 2, name: "Take".into() };
        let records = apply(&mut set, &clip);
        assert_eq!(records[0]["new_value"]["clip_type"], clip_type, "{name}");
    }
    assert!("Midi".parse::<TrackKind>().is_err() && "".parse::<TrackKind>().is_err());
}

#[test]
fn a_track_that_is_deleted_goes_with_all_it_has_and_moves_those_behind_it() {
    let mut set = set(&Spec { scenes: 1, clips: 1, ..small() });
    let (before, whole) = (ids(&set, NodeType::Track), json(&set)["children"][MIDI].clone());
    let records = apply(&mut set, &Edit::TrackDeleted { track: MIDI });
    assert_eq!(
        outline(&records)[..2],
        expected(&[("removed", "tracks[1]"), ("modified", "tracks[1]")])
    );
    assert_eq!(records[0]["node"], whole, "the record has it as it was, hashes too");
    // Two tracks with a slot each, the return and the main track.
    assert_eq!(records.len(), 1 + 2 * 2 + 2);
    let mut left = before;
    left.remove(MIDI);
    assert_eq!(ids(&set, NodeType::Track), left);
}

#[test]
fn all_tracks_can_go_and_others_come() {
    let mut set = set(&small());
    for left in (0..TRACKS).rev() {
        apply(&mut set, &Edit::TrackDeleted { track: 0 });
        assert_eq!(set.num_tracks(), left);
    }
    let none = Rejected::NoSuchTrack { track: 0, tracks: 0 };
    assert_eq!(set.apply(&Edit::TrackDeleted { track: 0 }), Err(none));
    apply(&mut set, &track(0, TrackKind::Master));
    apply(&mut set, &track(0, TrackKind::Midi));
    assert_eq!(set.num_tracks(), 2);
}

#[test]
fn a_device_comes_to_stand_among_the_devices() {
    for device in 0..=2 {
        let mut set = set(&small());
        let before = ids(&set, NodeType::Device);
        let name = "Reverb".to_owned();
        let records = apply(&mut set, &Edit::DeviceAdded { track: MIDI, device, name });
        let path = format!("tracks[1].devices[{device}]");
        assert_eq!(outline(&records), expected(&[("added", &path)]));
        assert_eq!(records[0]["parent_id"], set.project().tracks[MIDI].id.as_str());
        assert_eq!(set.project().tracks[MIDI].devices[device].name, "Reverb");
        let added = set.project().tracks[MIDI].devices[device].id.to_string();
        assert!(!before.contains(&added), "its id is new");
        // And out again: the tree is as it was.
        let records = apply(&mut set, &Edit::DeviceDeleted { track: MIDI, device });
        assert_eq!(outline(&records), expected(&[("removed", &path)]));
        assert_eq!(ids(&set, NodeType::Device), before);
    }
    let mut set = set(&small());
    let name = String::new();
    let rejected = Rejected::NoSuchDevice { track: MIDI, device: 3, devices: 2 };
    assert_eq!(set.apply(&Edit::DeviceAdded { track: MIDI, device: 3, name }), Err(rejected));
}

#[test]
fn deleting_devices_never_takes_another_child() {
    let mut set = set(&small());
    let children = |set: &Set| set.root().children()[MIDI].children().len();
    let others = children(&set) - 2;
    for left in [1, 0] {
        apply(&mut set, &Edit::DeviceDeleted { track: MIDI, device: 0 });
        assert_eq!(children(&set), others + left);
    }
    let none = Rejected::NoSuchDevice { track: MIDI, device: 0, devices: 0 };
    assert_eq!(set.apply(&Edit::DeviceDeleted { track: MIDI, device: 0 }), Err(none));
    assert_eq!(children(&set), others);
}

#[test]
fn a_scene_that_is_added_is_told_after_what_it_moved() {
    let mut set = set(&Spec { tracks: 1, scenes: 3, clips: 3, ..small() });
    let before = ids(&set, NodeType::ClipSlot);
    let records = apply(&mut set, &Edit::SceneAdded { scene: 1, name: "Break".into() });
    // The group's slots move too.
    let told = [
        ("modified", "tracks[0].clip_slots[2]"),
        ("modified", "tracks[0].clip_slots[3]"),
        ("modified", "tracks[1].clip_slots[2]"),
        ("modified", "tracks[1].clip_slots[3]"),
        ("modified", "scenes[2]"),
        ("modified", "scenes[3]"),
        ("added", "scenes[1]"),
    ];
    assert_eq!(outline(&records), expected(&told));
    assert_eq!(records[0]["old_value"], json!({"scene_index": 1}));
    assert_eq!(records[0]["new_value"], json!({"scene_index": 2}));
    assert_eq!(records[4]["new_value"], json!({"index": 2}));
    assert_eq!(set.scene(1).expect("a scene").name, "Break");
    assert!(set.slot(1, 1).is_none() && set.slot(1, 3).is_some(), "its row is empty so far");
    assert_eq!(ids(&set, NodeType::ClipSlot), before, "slots keep their ids");
    let slot = Edit::ClipSlotState {
        track: 1,
        scene: 1,
        has_clip: false,
        has_stop_button: true,
        playing_status: 0,
    };
    assert_eq!(outline(&apply(&mut set, &slot)), expected(&[("added", "tracks[1].clip_slots[1]")]));
}

#[test]
fn a_scene_may_be_added_below_the_last_and_no_further() {
    let mut set = set(&small());
    let scenes = small().scenes;
    let add = |scene| Edit::SceneAdded { scene, name: String::new() };
    let records = apply(&mut set, &add(scenes));
    assert_eq!(outline(&records), expected(&[("added", "scenes[4]")]));
    let rejected = Rejected::NoSuchScene { scene: scenes + 2, scenes: scenes + 1 };
    assert_eq!(set.apply(&add(scenes + 2)), Err(rejected));
}

#[test]
fn a_scene_that_is_removed_takes_its_row_of_slots() {
    let mut set = set(&Spec { tracks: 2, groups: 0, scenes: 3, clips: 3, ..small() });
    let row: Vec<_> = (0..2).map(|track| set.slot(track, 1).expect("a slot").id.clone()).collect();
    let records = apply(&mut set, &Edit::SceneRemoved { scene: 1 });
    let told = [
        ("removed", "tracks[0].clip_slots[1]"),
        ("removed", "tracks[1].clip_slots[1]"),
        ("removed", "scenes[1]"),
        ("modified", "tracks[0].clip_slots[1]"),
        ("modified", "tracks[1].clip_slots[1]"),
        ("modified", "scenes[1]"),
    ];
    assert_eq!(outline(&records), expected(&told));
    for (record, id) in records.iter().zip(&row) {
        assert_eq!(record["node_id"], id.as_str());
        assert_eq!(record["node"]["children"][0]["node_type"], "clip", "its clip goes with it");
    }
    assert_eq!((set.num_scenes(), set.num_clips()), (2, 4));
    for _ in 0..2 {
        apply(&mut set, &Edit::SceneRemoved { scene: 0 });
    }
    assert_eq!(set.nodes_by_type(NodeType::ClipSlot).count(), 0);
    let none = Rejected::NoSuchScene { scene: 0, scenes: 0 };
    assert_eq!(set.apply(&Edit::SceneRemoved { scene: 0 }), Err(none));
}

#[test]
fn only_slots_that_are_there_move() {
    let mut set = set(&small());
    let slot = |scene| Edit::ClipSlotState {
        track: RETURN,
        scene,
        has_clip: false,
        has_stop_button: true,
        playing_status: 0,
    };
    apply(&mut set, &slot(0));
    apply(&mut set, &slot(3));
    apply(&mut set, &Edit::SceneAdded { scene: 2, name: String::new() });
    let rows = |set: &Set| -> Vec<_> {
        set.project().tracks[RETURN].slots.iter().map(|slot| slot.scene_index).collect()
    };
    assert_eq!(rows(&set), [0, 4]);
    apply(&mut set, &Edit::SceneRemoved { scene: 1 });
    assert_eq!(rows(&set), [0, 3]);
    apply(&mut set, &Edit::SceneRemoved { scene: 3 });
    assert_eq!(rows(&set), [0]);
}

#[test]
fn what_is_full_takes_no_more() {
    let limits = Limits { tracks: TRACKS, scenes: small().scenes, devices: 2, ..Limits::default() };
    let mut set = Set::read_within(xml(&small()).as_bytes(), &limits).expect("just within");
    let before = set.clone();
    let name = String::new;
    let cases = [
        (track(0, TrackKind::Audio), "tracks", TRACKS),
        (Edit::SceneAdded { scene: 0, name: name() }, "scenes", small().scenes),
        (Edit::DeviceAdded { track: 0, device: 0, name: name() }, "devices on this track", 2),
    ];
    for (edit, what, limit) in cases {
        assert_eq!(set.apply(&edit), Err(Rejected::Full { what, limit }));
        assert!(set == before);
    }
    apply(&mut set, &Edit::TrackDeleted { track: 0 });
    apply(&mut set, &track(0, TrackKind::Audio));
}

#[test]
fn nothing_is_ever_given_an_id_twice() {
    let mut set = set(&small());
    let mut seen = std::collections::HashSet::new();
    for _ in 0..4 {
        for edit in [
            track(1, TrackKind::Midi),
            Edit::SceneAdded { scene: 1, name: String::new() },
            Edit::DeviceAdded { track: 1, device: 0, name: String::new() },
        ] {
            let records = apply(&mut set, &edit);
            let added = records.iter().find(|record| record["type"] == "added").expect("one");
            assert!(seen.insert(added["node_id"].to_string()), "{added}");
        }
        apply(&mut set, &Edit::SceneRemoved { scene: 1 });
        apply(&mut set, &Edit::TrackDeleted { track: 1 });
    }
}
