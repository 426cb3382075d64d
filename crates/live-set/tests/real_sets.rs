//! Real sets, against what is found in their XML by looking at lines.

mod common;

use common::outline::{Outline, outline};
use common::{inflate, real_set};
use live_set::{Path, Set, Value, diff};

const SETS: [&str; 4] = ["bar-11.3.als", "default-12.1.als", "foo-11.3-backup.als", "foo-11.3.als"];

/// Compares what the reader kept with what the lines say.
fn assert_is_outlined(set: &Set, outline: &Outline) {
    assert_eq!(set.project().tempo.to_string(), outline.tempo);
    assert_eq!(set.num_tracks(), outline.tracks.len());
    for (track, found) in set.project().tracks.iter().zip(&outline.tracks) {
        assert_eq!(track.name, found.name);
        let track_type = match found.element.as_str() {
            "MidiTrack" | "AudioTrack" => "track",
            "ReturnTrack" => "return",
            "GroupTrack" => "group",
            _ => "master",
        };
        assert_eq!(track.track_type.as_str(), track_type);
        assert_eq!(track.slots.len(), found.slots, "{}", track.name);
        assert_eq!(track.is_armed, found.is_armed, "{}", track.name);
        assert_eq!(track.mixer.is_muted, found.is_muted, "{}", track.name);
        assert_eq!(track.mixer.volume.to_string(), found.volume, "{}", track.name);
        assert_eq!(track.mixer.sends.len(), found.sends, "{}", track.name);
        assert_eq!(track.devices.len(), found.devices.len(), "{}", track.name);
        for (device, found) in track.devices.iter().zip(&found.devices) {
            assert_eq!(device.device_type, found.class);
            assert_eq!(device.is_enabled(), found.is_on);
            let parameters = device.parameters.iter().map(|parameter| parameter.name.as_str());
            let names = found.parameters.iter().map(|(name, _)| name.as_str());
            assert!(parameters.eq(names), "{}", device.name);
        }
    }
    let scenes: Vec<_> = set.project().scenes.iter().map(|scene| scene.name.clone()).collect();
    assert_eq!(scenes, outline.scenes);
}

#[test]
fn what_is_read_of_real_sets_is_what_their_lines_say() {
    for name in SETS {
        let Some(als) = real_set(name) else { return };
        let set = Set::read(als.as_slice()).expect(name);
        assert_is_outlined(&set, &outline(&inflate(&als)));
    }
}

#[test]
fn names_in_real_sets_are_those_seen_in_live() {
    let Some(als) = real_set("foo-11.3.als") else { return };
    let set = Set::read(als.as_slice()).expect("foo reads");
    let names: Vec<_> = set.track_names().collect();
    let midi_audio = ["1-MIDI", "2-MIDI", "3-Audio", "4-Audio"];
    let returns = ["A-Gated Verb Send", "B-Large Reverb Send", "C-Delay Brigade Return"];
    assert_eq!(names, [&midi_audio[..], &returns, &["Master"]].concat());
    assert_eq!(
        (set.num_scenes(), set.num_devices(), set.num_clips()),
        (8, 19, 0),
        "7 devices, 12 in racks"
    );
    assert_eq!(set.project().tracks[4].devices[0].device_type, "AudioEffectGroupDevice");
    assert_eq!(set.project().tempo, 199.990005);
    // A return's rack holds a chain of a rack, with plug-ins behind it.
    let racks = set.project().tracks.iter().flat_map(|track| &track.devices);
    let chains: Vec<Vec<_>> = racks
        .map(|rack| rack.devices.iter().map(|device| device.device_type.as_str()).collect())
        .collect();
    let mixed = ["AudioEffectGroupDevice", "PluginDevice", "PluginDevice"];
    assert!(chains.iter().any(|chain| chain == &mixed), "{chains:?}");

    let Some(als) = real_set("default-12.1.als") else { return };
    let set = Set::read(als.as_slice()).expect("default reads");
    let names: Vec<_> = set.track_names().collect();
    assert_eq!(names, ["1-MIDI", "2-MIDI", "3-Audio", "4-Audio", "A-Reverb", "B-Delay", "Main"]);
    // One MIDI clip is in the file: the groove pool's, which is none of the session's.
    assert_eq!((set.num_scenes(), set.num_devices(), set.num_clips()), (8, 2, 0));
    let reverb = &set.project().tracks[4].devices[0];
    assert_eq!((reverb.name.as_str(), reverb.parameters[1].name.as_str()), ("Reverb", "PreDelay"));
    assert_eq!(reverb.parameters[1].value, 2.5);
}

#[test]
fn one_file_loaded_twice_gives_the_same_tree() {
    for name in SETS {
        let Some(als) = real_set(name) else { return };
        let first = Set::read(als.as_slice()).expect(name);
        let second = Set::read(als.as_slice()).expect(name);
        assert_eq!(first, second);
        assert!(diff(&first, &second).is_empty());
        let plain = Set::read(inflate(&als).as_bytes()).expect(name);
        assert_eq!(first, plain, "the XML alone is the same set");
    }
}

#[test]
fn a_backup_differs_from_its_set_by_the_tempo_alone() {
    let Some(old) = real_set("foo-11.3-backup.als") else { return };
    let Some(new) = real_set("foo-11.3.als") else { return };
    let old = Set::read(old.as_slice()).expect("the backup reads");
    let new = Set::read(new.as_slice()).expect("the set reads");
    let changes = diff(&old, &new);
    let [change] = changes.changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(change.path, Path::Project);
    let live_set::ChangeKind::StateChanged { attribute, old_value, new_value } = &change.kind
    else {
        panic!("{change:?}")
    };
    assert_eq!(*attribute, "tempo");
    assert_eq!((old_value, new_value), (&Value::Float(120.0), &Value::Float(199.990005)));
}

/// What Live numbers: the elements of a device that have a `Manual` child, in their order, by
/// another parser.
#[test]
fn the_numbers_of_parameters_are_those_of_the_document() {
    for name in SETS {
        let Some(als) = real_set(name) else { return };
        let xml = inflate(&als);
        let document = roxmltree::Document::parse(&xml).expect("well-formed");
        let has_manual = |node: &roxmltree::Node<'_, '_>| {
            node.children().any(|child| child.has_tag_name("Manual"))
        };
        let tracks = document.descendants().find(|node| node.has_tag_name("Tracks"));
        let lists = tracks.expect("tracks").children().filter_map(|track| {
            let chain = track.children().find(|node| node.has_tag_name("DeviceChain"))?;
            let chain = chain.children().find(|node| node.has_tag_name("DeviceChain"))?;
            chain.children().find(|node| node.has_tag_name("Devices"))
        });
        let mut set = Set::read(als.as_slice()).expect(name);
        let mut checked = 0;
        for (track, devices) in lists.enumerate() {
            let devices = devices.children().filter(roxmltree::Node::is_element);
            for (device, element) in devices.enumerate() {
                let numbered: Vec<_> = element.children().filter(has_manual).collect();
                for (parameter, element) in numbered.iter().enumerate() {
                    let edit = live_set::Edit::DeviceParameter {
                        track,
                        device,
                        parameter,
                        value: -1_000.0 - parameter as f64,
                    };
                    set.apply(&edit).expect("it is there");
                    let found = &set.project().tracks[track].devices[device];
                    let found = &found.parameters[parameter];
                    assert_eq!(found.name, element.tag_name().name(), "{name}: {parameter}");
                    assert_eq!(found.value, -1_000.0 - parameter as f64);
                    checked += 1;
                }
                let switch =
                    live_set::Edit::DeviceParameter { track, device, parameter: 0, value: 0.0 };
                set.apply(&switch).expect("it is there");
                assert!(!set.project().tracks[track].devices[device].is_enabled());
            }
        }
        assert!(checked > 50, "{name}: {checked}");
    }
}
