//! Diffs of sets that differ in structure: files whose parts were moved, taken out or renumbered.

mod common;

use common::blocks::edit_children;
use common::replay::{assert_same, ids, replay, without_hashes};
use common::{full, json, set, small, xml};
use live_set::generate::{Spec, Version};
use live_set::{ChangeKind, Changes, Edit, Set, diff};
use proptest::prelude::*;

const TRACKS: &str = "\t\t<Tracks>";
const SCENES: &str = "\t\t<Scenes>";
const DEVICES: &str = "\t\t\t\t\t\t<Devices>";
const SLOTS: &str = "\t\t\t\t\t\t<ClipSlotList>";

fn read(xml: &str) -> Set {
    Set::read(xml.as_bytes()).expect("an edited document reads")
}

fn kinds(changes: &Changes) -> Vec<(&'static str, String)> {
    changes.changes.iter().map(|c| (c.kind.as_str(), c.path.to_string())).collect()
}

/// Equal but for ids: what a file says is what there is afterwards.
fn assert_same_content(found: &serde_json::Value, expected: &serde_json::Value) {
    let without_ids = common::document::without_ids;
    let (found, expected) = (without_ids(found), without_ids(expected));
    assert!(found == expected, "{found:#}\n{expected:#}");
}

/// Becomes `newer`, and holds the records against both trees.
fn replace(set: &mut Set, newer: Set) -> Changes {
    let before = json(set);
    let mut file = newer.clone();
    let changes = set.replace(newer);
    file.continue_from(set);
    assert_same_content(&json(set), &json(&file));
    let replayed = replay(before, &serde_json::to_value(&changes).expect("serialises"));
    let after = json(set);
    assert_same(&replayed, &after);
    let mut fresh = set.clone();
    fresh.rehash();
    assert!(fresh == *set, "hashes are right");
    let mut all = ids(&after);
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count, "ids are unique");
    assert!(all.iter().all(|id| set.node(id).is_some()), "ids are paths");
    changes
}

#[test]
fn a_scene_that_is_gone_moves_those_below_it() {
    let old = xml(&small());
    let mut new = edit_children(&old, SCENES, 0, |scenes| drop(scenes.remove(1)));
    // With its row of slots: the group's, and those of three tracks, each of which has a second
    // list, of what freezing made.
    new = edit_children(&new, "\t\t\t\t<Slots>", 0, |slots| drop(slots.remove(1)));
    for list in [0, 2, 4] {
        new = edit_children(&new, SLOTS, list, |slots| drop(slots.remove(1)));
    }
    let mut changes = kinds(&replace(&mut read(&old), read(&new)));
    // A clip's sample may go with it.
    changes.retain(|(_, path)| !path.starts_with("file_refs"));
    let moved = |kind, list: &str, row| (kind, format!("{list}[{row}]"));
    let of_list = |list: &str| {
        [moved("removed", list, 1), moved("modified", list, 1), moved("modified", list, 2)]
    };
    let slots = (0..4).flat_map(|track| of_list(&format!("tracks[{track}].clip_slots")));
    assert_eq!(changes, slots.chain(of_list("scenes")).collect::<Vec<_>>());
}

#[test]
fn a_track_that_changed_places_is_removed_and_added_with_its_id() {
    let old = xml(&small());
    let new = edit_children(&old, TRACKS, 0, |tracks| tracks.rotate_right(1));
    let mut set = read(&old);
    let id = set.project().tracks[4].id.clone();
    let changes = replace(&mut set, read(&new));
    assert_eq!((changes.removed(), changes.added()), (vec![&id], vec![&id]));
    assert_eq!(kinds(&changes)[0], ("removed", "tracks[4]".to_owned()));
    assert_eq!(kinds(&changes).last(), Some(&("added", "tracks[0]".to_owned())));
    // The others moved up: each says so, its slots too.
    let moved = changes.changes.iter().filter(|change| change.kind.as_str() == "modified");
    assert_eq!(moved.count(), 4 + (3 + 1) * small().scenes);
}

#[test]
fn a_track_with_another_id_and_the_same_name_is_the_same_track() {
    let old = xml(&small());
    let new = old.replacen("<MidiTrack Id=\"3\"", "<MidiTrack Id=\"77\"", 1);
    assert_ne!(old, new);
    let (before, renumbered) = (read(&old), read(&new));
    assert!(diff(&before, &renumbered).is_empty(), "ids alone make no difference");
    let mut set = before.clone();
    assert!(replace(&mut set, renumbered).is_empty());
    assert!(set == before, "what is below it keeps its ids too");
}

#[test]
fn what_an_event_announced_keeps_its_id_when_a_save_numbers_it() {
    let empty = xml(&Spec { clips: 0, ..small() });
    let mut set = read(&empty);
    let edits = [
        Edit::ClipAdded { track: 1, scene: 2, name: "Take".into() },
        Edit::ClipSlotPlayingStatus { track: 1, scene: 2, playing_status: 1 },
        Edit::SceneTriggered { scene: 2 },
        Edit::TransportPlay { is_playing: true },
        Edit::TransportPosition { position: 12.5 },
    ];
    for edit in &edits {
        assert!(!set.apply(edit).expect("accepted").is_empty());
    }
    let clip = "<MidiClip Id=\"0\" Time=\"0\"><Name Value=\"Take\" /></MidiClip>";
    let slots = edit_children(&empty, SLOTS, 0, |slots| {
        let start = "<ClipSlot>\n\t\t\t\t\t\t\t\t\t<Value>\n";
        assert!(slots[2].contains(start));
        slots[2] = slots[2].replace(start, &format!("{start}{clip}"));
    });
    let saved = read(&slots);
    assert_eq!(saved.num_clips(), 1);
    let before = set.clone();
    assert_eq!(kinds(&replace(&mut set, saved)), [], "the save says nothing new");
    assert!(set == before);
    // Ids are never given twice, not after a save either.
    let changes = set.apply(&edits[0]).expect("accepted");
    assert_ne!(changes.removed(), changes.added());
}

/// The document with another device in front of those of the second track that has devices.
fn with_device_in_front(xml: &str, name: &str) -> String {
    edit_children(xml, DEVICES, 1, |devices| {
        let indent = devices[0].len() - devices[0].trim_start().len();
        let indent = &devices[0][..indent];
        let name = format!("{indent}\t<UserName Value=\"{name}\" />\n");
        let device = format!("{indent}<AutoFilter Id=\"90\">\n{name}{indent}</AutoFilter>\n");
        devices.insert(0, device);
    })
}

#[test]
fn a_device_that_an_event_announced_keeps_its_id_and_is_told_its_class_by_a_save() {
    let old = xml(&small());
    // By its name where the save has that, else by its place: a class is written shorter there.
    for (announced, saved, renamed) in [("Sweep", "Sweep", false), ("Auto Filter", "", true)] {
        let mut set = read(&old);
        let add = Edit::DeviceAdded { track: 1, device: 0, name: announced.into() };
        set.apply(&add).expect("accepted");
        let id = set.project().tracks[1].devices[0].id.clone();
        let changes = replace(&mut set, read(&with_device_in_front(&old, saved)));
        assert!(changes.added().is_empty() && changes.removed().is_empty(), "{announced}");
        let told = changes.changes.iter().find(|change| change.path.to_string().contains("device"));
        assert_eq!(told.expect("its class is news").node_id, id);
        let device = &set.project().tracks[1].devices[0];
        assert_eq!((&device.id, device.device_type.as_str()), (&id, "AutoFilter"));
        assert_eq!(device.name == announced, !renamed);
    }
}

#[test]
fn an_announced_device_takes_no_place_that_has_a_name_of_its_own() {
    let old = xml(&small());
    let mut set = read(&old);
    let known = set.project().tracks[1].devices.clone();
    let add = Edit::DeviceAdded { track: 1, device: 0, name: "Sweep".into() };
    set.apply(&add).expect("accepted");
    // Taken out again before the save: the devices that were there are what they were.
    let changes = replace(&mut set, read(&old));
    assert_eq!(kinds(&changes), [("removed", "tracks[1].devices[0]".to_owned())]);
    assert!(set.project().tracks[1].devices == known);
}

#[test]
fn a_clip_of_another_type_is_another_clip() {
    let old = xml(&small());
    let mut set = read(&old);
    let row = set.project().tracks[1].slots.iter().position(|slot| slot.has_clip).expect("a clip");
    let new = edit_children(&old, SLOTS, 0, |slots| {
        slots[row] = slots[row].replace("MidiClip", "AudioClip");
    });
    let changes = replace(&mut set, read(&new));
    let path = format!("tracks[1].clip_slots[{row}].clip");
    assert_eq!(kinds(&changes), [("removed", path.clone()), ("added", path)]);
}

#[test]
fn a_parameter_in_a_file_is_told_as_an_event_would_tell_it() {
    let old = xml(&small());
    let mut set = read(&old);
    let was = set.project().tracks[1].devices[0].parameters[2].value;
    let edit = Edit::DeviceParameter { track: 1, device: 0, parameter: 2, value: was + 1.0 };
    let changed = set.clone().apply(&edit).expect("accepted");
    let new = edit_children(&old, DEVICES, 1, |devices| {
        let line = format!("<Manual Value=\"{was}\" />");
        // Of equal values, the one of that parameter.
        let at = devices[0].find("<Frequency>").expect("the second parameter");
        let (head, tail) = devices[0].split_at(at);
        devices[0] = format!(
            "{head}{}",
            tail.replacen(&line, &format!("<Manual Value=\"{}\" />", was + 1.0), 1)
        );
    });
    assert_eq!(replace(&mut set, read(&new)), changed);
}

#[test]
fn a_device_of_another_shape_is_modified_as_a_whole() {
    let old = xml(&small());
    let mut set = read(&old);
    let new = edit_children(&old, DEVICES, 1, |devices| {
        devices[0] = devices[0].replace("Frequency>", "Cutoff>");
    });
    let changes = replace(&mut set, read(&new));
    assert_eq!(kinds(&changes), [("state_changed", "tracks[1].devices[0]".to_owned())]);
    assert!(matches!(
        changes.changes[0].kind,
        ChangeKind::StateChanged { attribute: "parameters", .. }
    ));
}

#[test]
fn what_is_in_a_rack_is_told_by_its_place_there() {
    let old = xml(&full(Version::Live12));
    // The first value in the rack is the switch of the first device in its first chain.
    let at = old.find("<Branches>").expect("a rack");
    let value = at + old[at..].find("<Manual Value=\"").expect("a value") + 15;
    let end = value + old[value..].find('"').expect("a closing quote");
    let other = if &old[value..end] == "true" { "false" } else { "true" };
    let new = format!("{}{other}{}", &old[..value], &old[end..]);
    let changes = replace(&mut read(&old), read(&new));
    let path = "tracks[0].devices[2].devices[0]".to_owned();
    let switch = format!("{path}.parameters[0]");
    assert_eq!(kinds(&changes), [("state_changed", path), ("state_changed", switch)]);

    // A parameter of a device in the rack that is in the first.
    let at = old.match_indices("<Branches>").nth(1).expect("a rack in a rack").0;
    let name = at + old[at..].find("<Resonance>").expect("its third parameter");
    let value = name + old[name..].find("<Manual Value=\"").expect("a value") + 15;
    let end = value + old[value..].find('"').expect("a closing quote");
    let new = format!("{}99{}", &old[..value], &old[end..]);
    let changes = replace(&mut read(&old), read(&new));
    let path = "tracks[0].devices[2].devices[1].devices[0].parameters[3]".to_owned();
    assert_eq!(kinds(&changes), [("state_changed", path)]);

    let chain = "<AudioEffectBranch Id=\"0\">";
    let renumbered = old.replacen(chain, "<AudioEffectBranch Id=\"7\">", 1);
    assert!(replace(&mut read(&old), read(&renumbered)).is_empty(), "class and name are the same");
}

#[test]
fn clips_of_the_arrangement_come_and_go_and_are_known_again() {
    let with = |arrangement| read(&xml(&Spec { arrangement, ..full(Version::Live11) }));
    let mut set = with(3);
    let id = set.project().tracks[1].arrangement[1].id.clone();
    let changes = replace(&mut set, with(2));
    let gone = |(kind, path): &(&str, String)| *kind == "removed" && path.contains("arrangement");
    assert!(kinds(&changes).iter().any(gone));
    assert_eq!(set.project().tracks[1].arrangement[1].id, id);
    replace(&mut set, with(3));
}

#[test]
fn a_set_that_another_version_saved_replays() {
    let versions = [Version::Live9, Version::Live10, Version::Live11, Version::Live12];
    let mut set = read(&xml(&full(Version::Live10)));
    for (seed, version) in (0..).zip(versions.into_iter().rev().chain(versions)) {
        replace(&mut set, read(&xml(&Spec { seed: seed / 2, ..full(version) })));
    }
}

/// Another value of the kind that a line has.
fn another(line: &str) -> Option<String> {
    let (head, tail) = line.split_once(" Value=\"")?;
    let (value, tail) = tail.split_once('"')?;
    let other = match (value, value.parse::<i64>()) {
        ("true", _) => "false".to_owned(),
        ("false", _) => "true".to_owned(),
        (_, Ok(number)) => (number + 1).to_string(),
        _ => format!("{value}1"),
    };
    Some(format!("{head} Value=\"{other}\"{tail}"))
}

#[test]
fn every_value_that_shows_is_hashed_and_told() {
    let spec = Spec { tracks: 2, groups: 0, scenes: 1, devices: 1, clips: 1, ..small() };
    let original = xml(&spec);
    let lines: Vec<_> = original.lines().collect();
    let set = read(&original);
    let before = without_hashes(json(&set));
    let mut shown = 0;
    for (number, line) in lines.iter().enumerate() {
        let Some(other) = another(line) else { continue };
        let mut changed = lines.clone();
        changed[number] = &other;
        let newer = read(&changed.join("\n"));
        let (is_shown, is_hashed) =
            (without_hashes(json(&newer)) != before, newer.root_hash() != set.root_hash());
        assert_eq!(is_shown, is_hashed, "line {number}: {line} to {other}");
        shown += usize::from(is_shown);
        assert_eq!(replace(&mut set.clone(), newer).is_empty(), !is_shown);
    }
    // Tempo; 4 tracks with name, colour, mixer and sends; 3 devices; 2 slots; 2 clips; a scene.
    assert!(shown > 60, "{shown}");
}

#[test]
fn ids_are_not_hashed() {
    // A group is referred to by its number, which is an attribute.
    let original = xml(&Spec { groups: 0, ..small() });
    let renumbered = original.replace(" Id=\"", " Id=\"9");
    let (set, other) = (read(&original), read(&renumbered));
    assert_ne!(json(&set), json(&other));
    assert_eq!(set.root_hash(), other.root_hash());
}

/// Takes some children out, renumbers some, and puts the rest in another order.
fn disturb(children: &mut Vec<String>, keys: &[u32]) {
    let keyed = children.drain(..).zip(keys.iter().chain(std::iter::repeat(&0)));
    let mut keyed: Vec<_> = keyed
        .filter(|(_, key)| *key % 5 != 1)
        .enumerate()
        .map(|(position, (child, key))| match key % 5 {
            2 => {
                let (head, tail) = child.split_once(" Id=\"").expect("an Id");
                let tail = tail.split_once('"').expect("a closing quote").1;
                (key, format!("{head} Id=\"{}\"{tail}", 1_000 + position))
            }
            _ => (key, child),
        })
        .collect();
    keyed.sort_by_key(|(key, _)| **key / 5 % 4);
    children.extend(keyed.into_iter().map(|(_, child)| child));
}

fn disturbed(xml: &str, keys: &[Vec<u32>]) -> String {
    let mut xml = edit_children(xml, SCENES, 0, |scenes| disturb(scenes, &keys[0]));
    xml = edit_children(&xml, SLOTS, 0, |slots| disturb(slots, &keys[1]));
    xml = edit_children(&xml, SLOTS, 2, |slots| disturb(slots, &keys[2]));
    xml = edit_children(&xml, DEVICES, 1, |devices| disturb(devices, &keys[3]));
    edit_children(&xml, TRACKS, 0, |tracks| disturb(tracks, &keys[4]))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn saves_that_move_things_about_replay_one_after_another(
        saves in prop::collection::vec(
            prop::collection::vec(prop::collection::vec(0..40_u32, 0..6), 5),
            1..4
        )
    ) {
        let original = xml(&small());
        let mut set = set(&small());
        for keys in &saves {
            replace(&mut set, read(&disturbed(&original, keys)));
            let name = Edit::ClipAdded { track: 0, scene: 0, name: "x".into() };
            let _ = set.apply(&name);
        }
        replace(&mut set, read(&original));
    }
}
