//! What each edit does, and what it says it did.

mod common;

use common::{json, set, small};
use live_set::{Edit, Rejected, Set};
use serde_json::{Value, json};

/// Where things are in the small set: a group, three tracks, a return, the main track.
const RETURN: usize = 4;
const MIDI: usize = 1;
const AUDIO: usize = 2;
const TRACKS: usize = 6;

fn apply(set: &mut Set, edit: Edit) -> Vec<Value> {
    let changes = set.apply(&edit).expect("accepted");
    let changes = serde_json::to_value(&changes).expect("changes serialise");
    changes["changes"].as_array().expect("a list").clone()
}

fn row(set: &Set, track: usize, has_clip: bool) -> usize {
    let slots = &set.project().tracks[track].slots;
    slots.iter().position(|slot| slot.has_clip == has_clip).expect("such a slot")
}

#[test]
fn a_track_that_is_renamed_is_modified() {
    let mut set = set(&small());
    let id = set.project().tracks[MIDI].id.to_string();
    let records = apply(&mut set, Edit::TrackName { track: MIDI, name: "Lead".into() });
    assert_eq!(
        records,
        [json!({
            "type": "modified", "node_id": id, "node_type": "track", "path": "tracks[1]",
            "old_value": {"name": "1-MIDI"}, "new_value": {"name": "Lead"}, "seq_num": null
        })]
    );
    assert_eq!(set.project().tracks[MIDI].name, "Lead");
}

#[test]
fn a_mute_shows_on_the_track_and_then_on_its_mixer() {
    let mut set = set(&small());
    let is_muted = set.project().tracks[AUDIO].mixer.is_muted;
    let records = apply(&mut set, Edit::TrackMute { track: AUDIO, is_muted: !is_muted });
    let seen: Vec<_> = records.iter().map(|r| (&r["path"], &r["attribute"])).collect();
    let attribute = json!("is_muted");
    assert_eq!(seen, [(&json!("tracks[2]"), &attribute), (&json!("tracks[2].mixer"), &attribute)]);
    assert_eq!(
        set.root().children()[AUDIO].attribute("is_muted"),
        Some(live_set::ValueRef::Bool(!is_muted))
    );
    assert!(apply(&mut set, Edit::TrackMute { track: AUDIO, is_muted: !is_muted }).is_empty());
}

#[test]
fn every_volume_is_told_even_the_same_one() {
    let mut set = set(&small());
    for _ in 0..2 {
        let records = apply(&mut set, Edit::TrackVolume { track: MIDI, volume: 0.5 });
        assert_eq!(records.len(), 2);
        assert_eq!(
            (&records[0]["type"], &records[0]["new_value"]),
            (&json!("state_changed"), &json!(0.5))
        );
        assert_eq!(records[1]["node_type"], "mixer");
    }
    let same = apply(&mut set, Edit::TrackVolume { track: MIDI, volume: 0.5 });
    assert_eq!(same[0]["old_value"], same[0]["new_value"]);
}

#[test]
fn a_parameter_names_its_device_and_its_place() {
    let mut set = set(&small());
    let device = set.project().tracks[MIDI].devices[1].clone();
    let edit = Edit::DeviceParameter { track: MIDI, device: 1, parameter: 2, value: 7.5 };
    let records = apply(&mut set, edit.clone());
    assert_eq!(
        records,
        [json!({
            "type": "state_changed", "node_id": device.id, "node_type": "device",
            "path": "tracks[1].devices[1].parameters[2]", "attribute": "value",
            "old_value": device.parameters[2].value, "new_value": 7.5, "seq_num": null
        })]
    );
    assert!(apply(&mut set, edit).is_empty(), "nothing changes the second time");
}

#[test]
fn the_first_parameter_is_the_switch_and_shows_as_is_enabled() {
    let mut set = set(&small());
    let switch = |value| Edit::DeviceParameter { track: MIDI, device: 0, parameter: 0, value };
    apply(&mut set, switch(1.0));
    let told = |records: &[Value]| -> Vec<_> {
        let told = records.iter().map(|it| (it["path"].clone(), it["attribute"].clone()));
        told.collect()
    };
    for (value, is_enabled) in [(0.0, false), (1.0, true)] {
        let records = apply(&mut set, switch(value));
        let device = json!("tracks[1].devices[0]");
        let parameter = json!("tracks[1].devices[0].parameters[0]");
        let expected = [(parameter, json!("value")), (device, json!("is_enabled"))];
        assert_eq!(told(&records), expected, "the parameter's record first");
        assert_eq!(records[1]["new_value"], is_enabled);
        assert_eq!(set.project().tracks[MIDI].devices[0].is_enabled(), is_enabled);
    }
}

#[test]
fn parameters_that_nothing_is_known_of_are_made_without_names() {
    let mut set = set(&small());
    apply(&mut set, Edit::DeviceAdded { track: MIDI, device: 0, name: "Utility".into() });
    let known = set.project().tracks[MIDI].devices[1].parameters.len();
    // Announced, and beyond a known list: by two, and then one of those that were made.
    for (device, parameter, made) in [(0, 2, true), (1, known + 1, true), (1, known, false)] {
        let before = json(&set);
        let edit = Edit::DeviceParameter { track: MIDI, device, parameter, value: 0.5 };
        let changes = set.apply(&edit).expect("it is made");
        let changes = serde_json::to_value(&changes).expect("serialises");
        let replayed = common::replay::replay(before, &changes);
        let without = common::replay::without_hashes;
        assert_eq!(without(replayed), without(json(&set)));
        let path = format!("tracks[1].devices[{device}].parameters[{parameter}]");
        let records = changes["changes"].as_array().expect("a list");
        let last = records.last().expect("a record");
        assert_eq!((&last["path"], &last["new_value"]), (&json!(path), &json!(0.5)));
        assert_eq!(records.len(), 1 + usize::from(made));
        let device = &set.project().tracks[MIDI].devices[device];
        assert!(device.is_enabled(), "nobody switched it off");
        let value = &device.parameters[parameter];
        assert_eq!((value.name.as_str(), value.value), ("", 0.5));
    }
}

#[test]
fn a_scene_is_launched_anew_each_time() {
    let mut set = set(&small());
    for was_triggered in [false, true] {
        let records = apply(&mut set, Edit::SceneTriggered { scene: 1 });
        assert_eq!(records[0]["old_value"], was_triggered);
        assert_eq!(records[0]["new_value"], true);
        assert_eq!(records[0]["path"], "scenes[1]");
    }
}

#[test]
fn an_announced_slot_is_updated_as_modified() {
    let mut set = set(&small());
    let scene = row(&set, MIDI, false);
    let has_stop_button = set.slot(MIDI, scene).expect("a slot").has_stop_button;
    let edit = Edit::ClipSlotState {
        track: MIDI,
        scene,
        has_clip: false,
        has_stop_button,
        playing_status: 1,
    };
    let records = apply(&mut set, edit.clone());
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["type"], "modified");
    assert_eq!(records[0]["new_value"], json!({"playing_status": 1}));
    assert!(apply(&mut set, edit).is_empty());
}

#[test]
fn a_slot_that_a_return_track_does_not_have_is_made() {
    let mut set = set(&small());
    let edit = |scene| Edit::ClipSlotState {
        track: RETURN,
        scene,
        has_clip: true,
        has_stop_button: false,
        playing_status: 0,
    };
    // Rows in any order: slots stay sorted by row.
    for scene in [2, 0, 3] {
        let records = apply(&mut set, edit(scene));
        assert_eq!(records[0]["type"], "added");
        assert_eq!(records[0]["path"], format!("tracks[4].clip_slots[{scene}]"));
        assert_eq!(records[0]["parent_id"], set.project().tracks[RETURN].id.as_str());
        assert_eq!(records[0]["new_value"]["has_clip"], true);
    }
    let rows: Vec<_> = set.project().tracks[RETURN].slots.iter().map(|s| s.scene_index).collect();
    assert_eq!(rows, [0, 2, 3]);
    assert!(set.slot(RETURN, 1).is_none() && set.slot(RETURN, 2).is_some());
    // It is said to hold a clip of which nothing is known: that clip can go, but not be named.
    let name = Edit::ClipName { track: RETURN, scene: 2, name: "x".into() };
    assert_eq!(set.apply(&name), Err(Rejected::NoSuchClip { track: RETURN, scene: 2 }));
    let records = apply(&mut set, Edit::ClipRemoved { track: RETURN, scene: 2 });
    assert_eq!(records.len(), 1);
    assert_eq!(
        (&records[0]["attribute"], &records[0]["new_value"]),
        (&json!("has_clip"), &json!(false))
    );
}

#[test]
fn a_clip_that_is_added_takes_its_type_from_the_track() {
    for (track, clip_type) in [(MIDI, "midi"), (AUDIO, "audio")] {
        let mut set = set(&small());
        let scene = row(&set, track, false);
        let clips = set.num_clips();
        let records = apply(&mut set, Edit::ClipAdded { track, scene, name: "Take".into() });
        assert_eq!(records.len(), 2);
        assert_eq!(records[0]["type"], "added");
        assert_eq!(records[0]["path"], format!("tracks[{track}].clip_slots[{scene}].clip"));
        assert_eq!(records[0]["new_value"]["name"], "Take");
        assert_eq!(records[0]["new_value"]["clip_type"], clip_type);
        assert_eq!(records[1]["attribute"], "has_clip");
        assert_eq!(set.num_clips(), clips + 1);
        // In place of that one, another: its id is new.
        let again = apply(&mut set, Edit::ClipAdded { track, scene, name: "Take".into() });
        assert_eq!((&again[0]["type"], &again[1]["type"]), (&json!("removed"), &json!("added")));
        assert_ne!(again[0]["node_id"], again[1]["node_id"]);
        assert_eq!(again.len(), 2, "the slot held a clip before");
        let gone = apply(&mut set, Edit::ClipRemoved { track, scene });
        assert_eq!(
            (&gone[0]["type"], &gone[1]["attribute"]),
            (&json!("removed"), &json!("has_clip"))
        );
        assert_eq!(set.num_clips(), clips);
    }
}

#[test]
fn a_slot_that_is_said_to_be_empty_loses_its_clip() {
    let mut set = set(&small());
    let scene = row(&set, MIDI, true);
    let records = apply(
        &mut set,
        Edit::ClipSlotState {
            track: MIDI,
            scene,
            has_clip: false,
            has_stop_button: true,
            playing_status: 0,
        },
    );
    assert_eq!((&records[0]["type"], &records[1]["type"]), (&json!("removed"), &json!("modified")));
    assert!(set.slot(MIDI, scene).expect("a slot").clip.is_none());
}

#[test]
fn changes_name_each_node_once() {
    let mut set = set(&small());
    let mut changes = set.apply(&Edit::TrackPan { track: MIDI, pan: 0.25 }).expect("accepted");
    changes.set_seq_num(Some(42));
    let json = serde_json::to_value(&changes).expect("serialises");
    assert_eq!(json["changes"][0]["seq_num"], 42);
    let track = &set.project().tracks[MIDI];
    assert_eq!(json["modified"], json!([track.id, track.mixer.id]));
    assert_eq!((&json["added"], &json["removed"]), (&json!([]), &json!([])));
}

#[test]
fn what_points_at_nothing_is_rejected_and_changes_nothing() {
    let mut set = set(&small());
    let before = set.clone();
    let scenes = small().scenes;
    let scene = row(&set, MIDI, false);
    let (track, tracks) = (TRACKS, TRACKS);
    let no_track = Rejected::NoSuchTrack { track, tracks };
    let cases = [
        (Edit::TrackName { track, name: String::new() }, no_track),
        (
            Edit::TrackArm { track: usize::MAX, is_armed: true },
            Rejected::NoSuchTrack { track: usize::MAX, tracks },
        ),
        (
            Edit::DeviceParameter { track: MIDI, device: 2, parameter: 0, value: 0.0 },
            Rejected::NoSuchDevice { track: MIDI, device: 2, devices: 2 },
        ),
        (
            Edit::DeviceParameter { track: MIDI, device: 0, parameter: 4_096, value: 0.0 },
            Rejected::Full { what: "parameters of this device", limit: 4_096 },
        ),
        (Edit::SceneTriggered { scene: scenes }, Rejected::NoSuchScene { scene: scenes, scenes }),
        (
            Edit::ClipSlotColor { track: MIDI, scene: scenes, color: 0 },
            Rejected::NoSuchScene { scene: scenes, scenes },
        ),
        (
            Edit::ClipSlotColor { track: RETURN, scene: 0, color: 0 },
            Rejected::NoSuchSlot { track: RETURN, scene: 0 },
        ),
        (
            Edit::ClipMuted { track: MIDI, scene, is_muted: true },
            Rejected::NoSuchClip { track: MIDI, scene },
        ),
        (Edit::ClipRemoved { track: MIDI, scene }, Rejected::NoSuchClip { track: MIDI, scene }),
        (
            Edit::TrackVolume { track: MIDI, volume: f64::NAN },
            Rejected::NotFinite { what: "volume" },
        ),
        (Edit::TrackPan { track: MIDI, pan: f64::INFINITY }, Rejected::NotFinite { what: "pan" }),
        (Edit::TransportTempo { tempo: f64::NEG_INFINITY }, Rejected::NotFinite { what: "tempo" }),
        (Edit::TransportPosition { position: f64::NAN }, Rejected::NotFinite { what: "position" }),
    ];
    for (edit, rejected) in cases {
        assert_eq!(set.apply(&edit), Err(rejected), "{edit:?}");
        assert_eq!(set, before, "{edit:?}");
    }
}

#[test]
fn a_rejection_says_what_is_missing() {
    let rejected = Rejected::NoSuchDevice { track: 1, device: 9, devices: 3 };
    let text = "no device 9 on track 1: it has 3, counted from 0";
    assert_eq!(rejected.to_string(), text);
}
