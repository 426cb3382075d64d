//! Documents as old and new versions of Live write them, by hand: what is where, in both.

use std::io::Write;

use live_set::{NodeType, Set};

/// A set with a track and whatever else, as a version writes it.
fn read(version: &str, tracks: &str, rest: &str) -> Set {
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Ableton MajorVersion=\"5\" \
         MinorVersion=\"{version}\"><LiveSet><Tracks>{tracks}</Tracks>{rest}</LiveSet></Ableton>\n"
    );
    Set::read(document.as_bytes()).expect("it reads")
}

fn chain(track: &str, inside: &str) -> String {
    format!("<{track} Id=\"12\"><DeviceChain>{inside}</DeviceChain></{track}>")
}

fn devices(inside: &str) -> String {
    chain("AudioTrack", &format!("<DeviceChain><Devices>{inside}</Devices></DeviceChain>"))
}

#[test]
fn a_send_is_switched_by_enabled_by_user_in_live_12_and_by_active_before() {
    for (version, flag) in [("12.0_12117", "EnabledByUser"), ("11.0_433", "Active")] {
        let holder = |value: &str| {
            format!(
                "<TrackSendHolder Id=\"0\"><Send><Manual Value=\"0.5\" /></Send>\
                 <{flag} Value=\"{value}\" /></TrackSendHolder>"
            )
        };
        let sends = [holder("true"), holder("false"), holder("true")].concat();
        let mixer = format!("<Mixer><Sends>{sends}</Sends></Mixer>");
        let set = read(version, &chain("AudioTrack", &mixer), "");
        assert_eq!(set.project().tracks[0].mixer.sends_enabled, [true, false, true], "{version}");
    }
}

#[test]
fn the_switch_is_parameter_0_and_the_macros_of_a_rack_follow_it() {
    let manual = |name: &str, value: &str| {
        format!("<{name}><LomId Value=\"0\" /><Manual Value=\"{value}\" /></{name}>")
    };
    for (version, macros) in [("9.7_365", 8), ("10.0_377", 8), ("11.0_433", 16), ("12.0_12117", 16)]
    {
        let all: String =
            (0..macros).map(|n| manual(&format!("MacroControls.{n}"), &n.to_string())).collect();
        let inner = format!(
            "<Branches><AudioEffectBranch Id=\"0\"><DeviceChain><AudioToAudioDeviceChain>\
             <Devices><Eq8 Id=\"0\">{}{}</Eq8></Devices></AudioToAudioDeviceChain></DeviceChain>\
             </AudioEffectBranch></Branches>",
            manual("On", "false"),
            manual("GlobalGain", "3")
        );
        let returned = inner.replace("Branches>", "ReturnBranches>").replace("Eq8", "Reverb");
        let on = manual("On", "true");
        let selector = manual("ChainSelector", "7");
        let rack = format!(
            "<AudioEffectGroupDevice Id=\"3\">{on}{inner}{all}{selector}{returned}\
             </AudioEffectGroupDevice>"
        );
        let set = read(version, &devices(&rack), "");
        let rack = &set.project().tracks[0].devices[0];
        let names: Vec<_> = rack.parameters.iter().map(|it| it.name.clone()).collect();
        let mut expected = vec!["On".to_owned()];
        expected.extend((0..macros).map(|n| format!("MacroControls.{n}")));
        expected.push("ChainSelector".to_owned());
        assert_eq!(names, expected, "{version}");
        assert_eq!((rack.parameters[0].value, rack.parameters[8].value), (1.0, 7.0));
        let inside: Vec<_> = rack.devices.iter().map(|it| it.device_type.as_str()).collect();
        assert_eq!(inside, ["Eq8", "Reverb"], "the chains', then the return chains'");
        let eq = &rack.devices[0];
        assert!(!eq.is_enabled() && rack.is_enabled());
        assert_eq!((eq.parameters[0].value, eq.parameters[1].value), (0.0, 3.0));
    }
}

#[test]
fn a_max_device_is_named_after_its_file_unless_the_user_has_named_it() {
    let new = "<MxPatchRef Id=\"0\"><FileRef><RelativePath Value=\"Presets/LFO.amxd\" />\
               <Path Value=\"/Max for Live/LFO MIDI.amxd\" /></FileRef></MxPatchRef>";
    let old = "<MxDPatchRef Id=\"0\"><FileRef><RelativePath>\
               <RelativePathElement Dir=\"Max\" /></RelativePath>\
               <Name Value=\"LFO MIDI.amxd\" /></FileRef></MxDPatchRef>";
    for (version, reference) in [("12.0_12117", new), ("11.0_433", new), ("10.0_377", old)] {
        for class in ["MxDeviceMidiEffect", "MxDeviceAudioEffect", "MxDeviceInstrument"] {
            for (user_name, shown) in [("", "LFO MIDI"), ("Wobble", "Wobble")] {
                let device = format!(
                    "<{class} Id=\"0\"><UserName Value=\"{user_name}\" />\
                     <PatchSlot><Value>{reference}</Value></PatchSlot></{class}>"
                );
                let set = read(version, &devices(&device), "");
                let device = &set.project().tracks[0].devices[0];
                assert_eq!((device.name.as_str(), device.device_type.as_str()), (shown, class));
            }
        }
    }
}

#[test]
fn locators_are_the_last_children_of_the_project() {
    let locator = |id, time: &str, name: &str| {
        format!(
            "<Locator Id=\"{id}\"><LomId Value=\"0\" /><Time Value=\"{time}\" />\
             <Name Value=\"{name}\" /><Annotation Value=\"\" /><IsSongStart Value=\"false\" />\
             </Locator>"
        )
    };
    let both = [locator(4, "0", "Intro"), locator(2, "32.5", "")].concat();
    let sample = "<X><FileRef><Path Value=\"/a.wav\" /></FileRef></X>";
    for version in ["9.7_365", "12.0_12117"] {
        let rest = format!("<Locators><Locators>{both}</Locators></Locators>{sample}");
        let set = read(version, "", &rest);
        let found: Vec<_> =
            set.project().locators.iter().map(|it| (it.name.as_str(), it.time)).collect();
        assert_eq!(found, [("Intro", 0.0), ("", 32.5)]);
        let types: Vec<_> = set.root().children().iter().map(|it| it.node_type()).collect();
        assert_eq!(types, [NodeType::FileRef, NodeType::Locator, NodeType::Locator]);
        let json = serde_json::to_value(set.root()).expect("serialises");
        let shown = &json["children"][1];
        assert_eq!((&shown["node_type"], &shown["id"]), (&"locator".into(), &"locator:4".into()));
        assert_eq!(shown["attributes"], serde_json::json!({"name": "Intro", "time": 0.0}));
    }
}

#[test]
fn a_group_has_the_slots_of_its_own_list_and_not_those_that_freezing_made() {
    let frozen = "<ClipSlotList><ClipSlot Id=\"0\" /></ClipSlotList>";
    for version in ["9.7_365", "12.0_12117"] {
        let slots: String = (0..3)
            .map(|id| format!("<GroupTrackSlot Id=\"{id}\"><LomId Value=\"0\" /></GroupTrackSlot>"))
            .collect();
        let group = format!(
            "<GroupTrack Id=\"9\"><Slots>{slots}</Slots><DeviceChain><FreezeSequencer>{frozen}\
             </FreezeSequencer></DeviceChain></GroupTrack>"
        );
        let set = read(version, &group, "");
        let rows: Vec<_> = set.project().tracks[0].slots.iter().map(|it| it.scene_index).collect();
        assert_eq!(rows, [0, 1, 2], "{version}");
    }
}

#[test]
fn colours_scenes_and_main_tracks_are_found_under_their_old_and_new_names() {
    let track = |color: &str, value| {
        format!("<MidiTrack Id=\"1\"><{color} Value=\"{value}\" /></MidiTrack>")
    };
    let main = |element: &str| {
        format!(
            "<{element}><DeviceChain><Mixer><Tempo><Manual Value=\"99\" /></Tempo>\
             <TimeSignature><Manual Value=\"200\" /></TimeSignature></Mixer></DeviceChain></{element}>"
        )
    };
    let new_scenes = "<Scenes><Scene Id=\"0\"><Name Value=\"Drop\" /><Color Value=\"5\" /></Scene>\
                      <Scene Id=\"1\"><Name Value=\"\" /></Scene></Scenes>";
    let old_scenes = "<SceneNames><Scene Value=\"Drop\"><ColorIndex Value=\"5\" /></Scene>\
                      <Scene Value=\" 2\" /></SceneNames>";
    let cases = [
        ("12.0_12117", "Color", "MainTrack", new_scenes),
        ("11.0_433", "Color", "MasterTrack", new_scenes),
        ("10.0_377", "ColorIndex", "MasterTrack", old_scenes),
        ("9.7_365", "ColorIndex", "MasterTrack", old_scenes),
    ];
    for (version, color, element, scenes) in cases {
        let set = read(version, &track(color, 7), &format!("{}{scenes}", main(element)));
        let project = set.project();
        assert_eq!((project.tempo, project.time_signature_id), (99.0, 200), "{version}");
        assert_eq!((project.tracks[0].color, project.tracks.len()), (7, 2), "{version}");
        let scenes: Vec<_> = project.scenes.iter().map(|it| (it.name.as_str(), it.color)).collect();
        assert_eq!(scenes, [("Drop", 5), ("", -1)], "{version}");
    }
}

#[test]
fn references_to_files_are_read_as_old_and_new_versions_write_them() {
    let new = "<RelativePath Value=\"Samples/Kick.wav\" /><Path Value=\"/Music/Samples/Kick.wav\" />\
               <Type Value=\"1\" />";
    let old = "<RelativePath><RelativePathElement Dir=\"Samples\" /></RelativePath>\
               <Name Value=\"Kick.wav\" /><Type Value=\"1\" />";
    let cases = [
        ("12.0_12117", new, "/Music/Samples/Kick.wav"),
        ("11.0_433", new, "/Music/Samples/Kick.wav"),
        ("10.0_377", old, "Samples/Kick.wav"),
        ("9.7_365", old, "Samples/Kick.wav"),
    ];
    for (version, file, path) in cases {
        let slot = format!(
            "<MainSequencer><ClipSlotList><ClipSlot Id=\"0\"><ClipSlot><Value><AudioClip Time=\"0\">\
             <SampleRef><FileRef>{file}</FileRef></SampleRef></AudioClip></Value></ClipSlot>\
             <HasStop Value=\"false\" /></ClipSlot></ClipSlotList></MainSequencer>"
        );
        let set = read(version, &chain("AudioTrack", &slot), "");
        let found = &set.project().file_refs[0];
        assert_eq!(
            (found.name.as_str(), found.path.as_str(), found.ref_type),
            ("Kick.wav", path, 1)
        );
        let slot = &set.project().tracks[0].slots[0];
        let clip = serde_json::to_value(set.node(slot.clip.as_ref().expect("a clip").id.as_str()));
        assert_eq!(clip.expect("serialises")["attributes"]["sample_name"], "Kick.wav");
        assert!(!slot.has_stop_button);
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).expect("a vector takes everything");
    gzip.finish().expect("a vector takes everything")
}

#[test]
fn zero_bytes_behind_a_gzip_stream_are_padding_and_anything_else_is_damage() {
    let document = b"<Ableton MinorVersion=\"12.0_1\"><LiveSet><Tracks/></LiveSet></Ableton>";
    let (head, tail) = document.split_at(20);
    let zeros = [0; 70_000];
    for padded in [
        [gzip(document).as_slice(), &zeros].concat(),
        [gzip(document).as_slice(), &[0]].concat(),
        [gzip(head).as_slice(), &gzip(tail), &zeros].concat(),
    ] {
        Set::read(padded.as_slice()).expect("padding means nothing");
    }
    for rest in [&b"x"[..], &[0, 0, 1], &[0x1f, 0x8b]] {
        let damaged = [gzip(document).as_slice(), rest].concat();
        assert!(Set::read(damaged.as_slice()).is_err(), "{rest:?}");
    }
    let parted = [gzip(head).as_slice(), &zeros, &gzip(tail)].concat();
    assert!(Set::read(parted.as_slice()).is_err(), "padding is at the end");
    Set::read(document.as_slice()).expect("plain XML reads, whatever its file is called");
}
