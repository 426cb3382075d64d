//! A set that events and saves change in turn, by documents that are written here as Live would.

mod common;

use common::json;
use common::replay::assert_same;
use common::small::{apply, device, kinds, read, rename, save, slots, track, usual, with_scenes};
use live_set::{Edit, Mirror, TrackKind};

#[test]
fn a_file_that_says_what_it_said_reverts_nothing() {
    let mut mirror = Mirror::new(read(&usual()));
    let edits = [
        rename(0, "Sub"),
        Edit::TrackColor { track: 1, color: 0xff_80_00 },
        Edit::TrackDeleted { track: 1 },
        Edit::ClipRemoved { track: 0, scene: 0 },
        Edit::SceneAdded { scene: 1, name: "Break".into() },
        Edit::DeviceDeleted { track: 0, device: 0 },
        Edit::TransportTempo { tempo: 99.0 },
    ];
    apply(&mut mirror, &edits);
    let before = mirror.set().clone();
    assert!(mirror.has_read(&read(&usual())));
    let now = mirror.now();
    assert_eq!(kinds(&save(&mut mirror, read(&usual()), now, false)), []);
    assert!(*mirror.set() == before);
}

#[test]
fn of_two_changes_to_one_thing_the_event_counts_if_it_is_newer_than_the_save() {
    let mut mirror = Mirror::new(read(&usual()));
    apply(&mut mirror, &[rename(0, "old"), Edit::TrackVolume { track: 0, volume: 0.25 }]);
    let began = mirror.mark();
    apply(&mut mirror, &[rename(1, "new"), Edit::TrackMute { track: 1, is_muted: true }]);
    let file = usual().map(|track| {
        let track = track.replace("\"Bass\"", "\"saved 0\"").replace("\"Keys\"", "\"saved 1\"");
        track.replace("<Manual Value=\"0.5\" />", "<Manual Value=\"0.75\" />")
    });
    save(&mut mirror, read(&file), began, false);
    let project = mirror.set().project();
    assert_eq!(mirror.set().track_names().collect::<Vec<_>>(), ["saved 0", "new"]);
    let mixers: Vec<_> =
        project.tracks.iter().map(|it| (it.mixer.volume, it.mixer.is_muted)).collect();
    assert_eq!(mixers, [(0.25, false), (1.0, true)], "the file changed neither");
    assert_eq!(project.tracks[0].devices[0].parameters[1].value, 0.75, "no event changed it");
}

#[test]
fn a_colour_and_the_name_of_an_announced_device_stay_and_what_no_event_set_follows_the_file() {
    let mut mirror = Mirror::new(read(&usual()));
    let color = 0x12_34_56;
    apply(
        &mut mirror,
        &[
            Edit::TrackColor { track: 0, color },
            Edit::ClipColor { track: 0, scene: 0, color },
            Edit::DeviceAdded { track: 0, device: 1, name: "Utility".into() },
        ],
    );
    for (round, palette) in [(1, 20), (2, 21)] {
        let gain = round.to_string();
        let both = [device("Eq8", 0, "", "0.5"), device("StereoGain", 7, "", &gain)].concat();
        let clips = slots(&[Some("Riff"), None])
            .replace("<Name", &format!("<Color Value=\"{palette}\" /><Name"));
        let tracks =
            [track(10, "Bass", palette, (&clips, &both)), usual()[1].replace("\"4\"", "\"9\"")];
        let now = mirror.now();
        save(&mut mirror, read(&tracks), now, false);
        let tracks = &mirror.set().project().tracks;
        assert_eq!((tracks[0].color, tracks[1].color), (color, 9));
        assert_eq!(tracks[0].slots[0].clip.as_ref().expect("a clip").color, color);
        let device = &tracks[0].devices[1];
        assert_eq!((device.name.as_str(), device.device_type.as_str()), ("Utility", "StereoGain"));
        assert_eq!(device.parameters[1].value, f64::from(round));
    }
    // As it is, the file counts for these too.
    let now = mirror.now();
    save(&mut mirror, read(&usual()), now, true);
    assert_eq!(mirror.set().project().tracks[0].color, 3);
}

#[test]
fn an_announced_track_is_found_by_the_id_that_its_first_save_gave_it() {
    let mut mirror = Mirror::new(read(&usual()));
    let add = Edit::TrackAdded { track: 1, name: "Pads".into(), kind: TrackKind::Midi };
    apply(&mut mirror, &[add]);
    let id = mirror.set().project().tracks[1].id.clone();
    let [first, last] = usual();
    let saved = |name: &str| {
        let inside = (slots(&[None, Some("Pad")]), device("Reverb", 0, "", "1"));
        read(&[first.clone(), track(99, name, 5, (&inside.0, &inside.1)), last.clone()])
    };
    let now = mirror.now();
    save(&mut mirror, saved("Pads"), now, false);
    let inside = |mirror: &Mirror| {
        let track = &mirror.set().project().tracks[1];
        let clip = track.slots[1].clip.as_ref().expect("the save has told of it");
        (track.id.clone(), clip.id.clone(), track.devices[0].id.clone(), track.mixer.id.clone())
    };
    let known = inside(&mirror);
    assert_eq!(known.0, id);
    let changes = save(&mut mirror, saved("Strings"), now, false);
    assert_eq!(kinds(&changes), [("modified", "tracks[1]".to_owned())]);
    assert_eq!(inside(&mirror), known, "everything inside is what it was");
    // Where it was moved, it is the same track too.
    let moved = [last.clone(), track(99, "Strings", 5, ("", "")), first.clone()];
    save(&mut mirror, read(&moved), now, false);
    assert_eq!(mirror.set().project().tracks[1].id, id);
}

#[test]
fn two_announced_devices_that_change_places_keep_their_own_parameters() {
    let one = |id| device("StereoGain", id, "", "0.1");
    let other = |id| device("AutoFilter", id, "", "0.9");
    // Swapped by a second save, and by the first that knows them.
    for is_known in [true, false] {
        let mut mirror = Mirror::new(read(&usual()));
        let parameter =
            |device, value| Edit::DeviceParameter { track: 0, device, parameter: 5, value };
        apply(
            &mut mirror,
            &[
                Edit::DeviceAdded { track: 0, device: 1, name: "Utility".into() },
                Edit::DeviceAdded { track: 0, device: 2, name: "Auto Filter".into() },
                parameter(1, 0.1),
                parameter(2, 0.9),
            ],
        );
        let ids = |mirror: &Mirror| -> Vec<_> {
            mirror.set().project().tracks[0].devices.iter().map(|it| it.id.clone()).collect()
        };
        let announced = ids(&mirror);
        let now = mirror.now();
        let eq = device("Eq8", 0, "", "0.5");
        let slots = slots(&[None, None]);
        let save_chain = |mirror: &mut Mirror, chain: &[String]| {
            let file = [track(10, "Bass", 3, (&slots, &chain.concat())), usual()[1].clone()];
            save(mirror, read(&file), now, false);
        };
        if is_known {
            save_chain(&mut mirror, &[eq.clone(), one(5), other(6)]);
            assert_eq!(ids(&mirror), announced);
        }
        save_chain(&mut mirror, &[eq.clone(), other(6), one(5)]);
        let swapped = [&announced[0], &announced[2], &announced[1]];
        assert_eq!(ids(&mirror).iter().collect::<Vec<_>>(), swapped);
        for (device, name, value) in [(1, "Auto Filter", 0.9), (2, "Utility", 0.1)] {
            let device = &mirror.set().project().tracks[0].devices[device];
            let values: Vec<_> = device.parameters.iter().map(|it| it.value).collect();
            assert_eq!((device.name.as_str(), values[1], values[5]), (name, value, value));
        }
    }
}

#[test]
fn what_an_event_took_out_stays_out_until_the_file_changes_it() {
    let [first, last] = usual();
    let renamed = last.replace("Keys", "Organ");
    for (is_newer, is_changed, comes) in
        [(false, false, false), (true, true, false), (false, true, true)]
    {
        let mut mirror = Mirror::new(read(&usual()));
        let marks = [mirror.mark(), {
            apply(&mut mirror, &[Edit::TrackDeleted { track: 1 }]);
            mirror.mark()
        }];
        let began = if is_newer { marks[0] } else { marks[1] };
        let second = if is_changed { &renamed } else { &last };
        // Something else has changed, so that the save is one.
        let file = [first.replace("Bass", "Sub"), second.clone()];
        save(&mut mirror, read(&file), began, false);
        let names: Vec<_> = mirror.set().track_names().collect();
        assert_eq!(names, if comes { vec!["Sub", "Organ"] } else { vec!["Sub"] });
    }
}

#[test]
fn a_track_that_was_moved_by_two_events_has_what_it_had() {
    let [first, last] = usual();
    let mut mirror = Mirror::new(read(&[first.clone(), last.clone()]));
    apply(
        &mut mirror,
        &[
            Edit::TrackDeleted { track: 0 },
            Edit::TrackAdded { track: 1, name: "Bass".into(), kind: TrackKind::Midi },
        ],
    );
    let now = mirror.now();
    save(&mut mirror, read(&[last, first]), now, false);
    let tracks = &mirror.set().project().tracks;
    assert_eq!(mirror.set().track_names().collect::<Vec<_>>(), ["Keys", "Bass"]);
    assert_eq!((tracks[1].devices.len(), tracks[1].slots.len()), (1, 2));
    assert_eq!(mirror.set().num_clips(), 2);
}

#[test]
fn what_is_renamed_while_a_save_is_written_is_known_by_its_old_name() {
    // The new name is another's that the save has too, or one that has since gone to another.
    for names in [["Lead", "Lead"], ["Lead", "Pads"], ["Lead", "Pads 2"]] {
        let mut mirror = Mirror::new(read(&usual()));
        let add = |track, name: &str| {
            let (name, kind) = (name.into(), TrackKind::Midi);
            Edit::TrackAdded { track, name, kind }
        };
        apply(&mut mirror, &[add(0, "Pads"), add(3, "Lead")]);
        let ids = |mirror: &Mirror| -> Vec<_> {
            mirror.set().project().tracks.iter().map(|it| it.id.clone()).collect()
        };
        let announced = ids(&mirror);
        let began = mirror.mark();
        apply(&mut mirror, &[rename(0, "?"), rename(0, names[0]), rename(3, names[1])]);
        let [first, last] = usual();
        let clips = [slots(&[Some("Pad"), None]), slots(&[None, Some("Solo")])];
        let new = |at: usize, id, name| track(id, name, 5, (&clips[at], ""));
        let file = read(&[new(0, 98, "Pads"), first, last, new(1, 99, "Lead")]);
        save(&mut mirror, file, began, false);
        assert_eq!(ids(&mirror), announced, "no track more, and each is what it was");
        let tracks = &mirror.set().project().tracks;
        let clip = |track: usize, row: usize| {
            tracks[track].slots[row].clip.as_ref().map(|it| it.name.as_str())
        };
        assert_eq!((clip(0, 0), clip(3, 1)), (Some("Pad"), Some("Solo")));
        assert_eq!((&*tracks[0].name, &*tracks[3].name), (names[0], names[1]));
    }
}

#[test]
fn a_clip_that_was_taken_out_and_put_back_before_a_save_is_what_the_file_has() {
    let [first, last] = usual();
    for (name, is_newer, end) in
        [("Riff", false, 4.0), ("Riff", true, 0.0), ("Fill", false, 0.0), ("Fill", true, 0.0)]
    {
        let riff = "<Name Value=\"Riff\" />";
        let first = first.replace(riff, &format!("<CurrentEnd Value=\"4\" />{riff}"));
        let mut mirror = Mirror::new(read(&[first.clone(), last.clone()]));
        let before = mirror.mark();
        let added = Edit::ClipAdded { track: 0, scene: 0, name: name.into() };
        apply(&mut mirror, &[Edit::ClipRemoved { track: 0, scene: 0 }, added]);
        let began = if is_newer { before } else { mirror.mark() };
        // Something else has changed, so that the save is one.
        save(&mut mirror, read(&[first, last.replace("Keys", "Organ")]), began, false);
        let clip = mirror.set().project().tracks[0].slots[0].clip.as_deref().expect("a clip");
        assert_eq!((&*clip.name, clip.end_time), (name, end), "newer: {is_newer}");
    }
}

#[test]
fn slots_go_with_their_scenes_whoever_moves_those() {
    let mut mirror = Mirror::new(read(&usual()));
    let began = mirror.mark();
    // Since the save began a row was put in front; the save has one behind the first.
    apply(&mut mirror, &[Edit::SceneAdded { scene: 0, name: "Count".into() }]);
    let inside = (slots(&[Some("Riff"), Some("Fill"), None]), device("Eq8", 0, "", "0.5"));
    let tracks = [10, 11].map(|id| track(id, "Bass", 3, (&inside.0, &inside.1)));
    let file = with_scenes(&tracks, &[(0, "Intro"), (7, "Fill"), (1, "")]);
    save(&mut mirror, file, began, false);
    let project = mirror.set().project();
    let scenes: Vec<_> = project.scenes.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(scenes, ["Count", "Intro", "Fill", ""]);
    for track in &project.tracks {
        let slots: Vec<_> = track
            .slots
            .iter()
            .map(|it| (it.scene_index, it.clip.as_ref().map(|clip| clip.name.as_str())))
            .collect();
        assert_eq!(slots, [(1, Some("Riff")), (2, Some("Fill")), (3, None)]);
    }
}

#[test]
fn as_it_is_the_file_counts_for_all_but_what_is_newer() {
    let mut mirror = Mirror::new(read(&usual()));
    apply(
        &mut mirror,
        &[
            rename(0, "old"),
            Edit::TrackDeleted { track: 1 },
            Edit::TrackAdded { track: 0, name: "gone".into(), kind: TrackKind::Midi },
            Edit::TransportPlay { is_playing: true },
            Edit::SceneTriggered { scene: 1 },
        ],
    );
    let began = mirror.mark();
    apply(&mut mirror, &[Edit::TrackPan { track: 1, pan: 0.5 }]);
    let bass = mirror.set().project().tracks[1].id.clone();
    // It is done again to what the file has there: to the right track now.
    save(&mut mirror, read(&usual()), began, true);
    let project = mirror.set().project();
    assert_eq!(mirror.set().track_names().collect::<Vec<_>>(), ["Bass", "Keys"]);
    assert_eq!((&project.tracks[0].id, project.tracks[1].mixer.pan), (&bass, 0.5));
    assert!(project.is_playing && project.scenes[1].is_triggered, "no file says these");
    let now = mirror.now();
    mirror.settle();
    save(&mut mirror, read(&usual()), now, true);
    assert_eq!(mirror.set().root_hash(), {
        let mut set = read(&usual());
        set.continue_from(mirror.set());
        set.root_hash()
    });
}

#[test]
fn what_was_announced_before_a_save_and_taken_out_since_stays_out() {
    let mut mirror = Mirror::new(read(&usual()));
    apply(
        &mut mirror,
        &[
            Edit::TrackAdded { track: 1, name: "Pad".into(), kind: TrackKind::Midi },
            Edit::SceneAdded { scene: 0, name: "Count".into() },
            Edit::DeviceAdded { track: 0, device: 1, name: "Utility".into() },
            Edit::ClipAdded { track: 0, scene: 2, name: "Take".into() },
        ],
    );
    let began = mirror.mark();
    apply(
        &mut mirror,
        &[
            Edit::ClipRemoved { track: 0, scene: 2 },
            Edit::DeviceDeleted { track: 0, device: 1 },
            Edit::SceneRemoved { scene: 0 },
            Edit::TrackDeleted { track: 1 },
        ],
    );
    let before = json(mirror.set());
    let devices = device("Eq8", 0, "", "0.5") + &device("StereoGain", 1, "", "1");
    let clips = slots(&[None, Some("Riff"), Some("Take")]);
    let inside = (slots(&[None, Some("Riff"), None]), device("Eq8", 0, "", "0.5"));
    let file = [
        track(10, "Bass", 3, (&clips, &devices)),
        track(20, "Pad", 3, ("", "")),
        track(11, "Keys", 4, (&inside.0, &inside.1)),
    ];
    let file = with_scenes(&file, &[(7, "Count"), (0, "Intro"), (1, "")]);
    save(&mut mirror, file, began, false);
    assert_same(&json(mirror.set()), &before);
    let now = mirror.now();
    save(&mut mirror, read(&usual()), now, false);
    assert_same(&json(mirror.set()), &before);
}

#[test]
fn a_clip_that_took_anothers_place_since_the_save_began_is_not_that_one() {
    let mut mirror = Mirror::new(read(&usual()));
    let name = |name: &str| Edit::ClipAdded { track: 0, scene: 1, name: name.into() };
    apply(&mut mirror, &[name("Take")]);
    let began = mirror.mark();
    apply(&mut mirror, &[Edit::ClipRemoved { track: 0, scene: 1 }, name("Other")]);
    let before = json(mirror.set());
    let file = |clip| {
        let [_, last] = usual();
        // Only the first has an end of its own, of which no event tells.
        let end =
            |slots: String| slots.replace("\"Take\" />", "\"Take\" /><CurrentEnd Value=\"8\" />");
        let clips = end(slots(&[Some("Riff"), Some(clip)]));
        let inside = (clips, device("Eq8", 0, "", "0.5"));
        read(&[track(10, "Bass", 3, (&inside.0, &inside.1)), last])
    };
    save(&mut mirror, file("Take"), began, false);
    assert_same(&json(mirror.set()), &before);
    let now = mirror.now();
    save(&mut mirror, file("Other"), now, false);
    assert_same(&json(mirror.set()), &before);
}

#[test]
fn of_two_that_are_alike_the_one_without_a_number_is_given_the_new_one() {
    let [track, _] = usual();
    let mut mirror =
        Mirror::new(with_scenes(std::slice::from_ref(&track), &[(0, "Verse"), (1, "Verse")]));
    // That the first is gone is not told.
    let lost = mirror.miss();
    apply(&mut mirror, &[Edit::SceneAdded { scene: 1, name: "Verse".into() }]);
    let announced = mirror.set().project().scenes[1].id.clone();
    let file = with_scenes(&[track], &[(7, "Verse"), (1, "Verse")]);
    let began = mirror.mark();
    assert!(lost <= began);
    save(&mut mirror, file, began, true);
    let ids: Vec<_> = mirror.set().project().scenes.iter().map(|it| it.id.to_string()).collect();
    assert_eq!(ids, [announced.as_str(), "scene:1"]);
}
