//! Values of which a file stores something else than events say: they stay as an event set them.

mod common;

use common::small::{apply, device, kinds, manual, read, save, slots, track, usual, value};
use live_set::{Edit, Mirror};

/// Gains as Live writes them: 0 dB, and the top of the fader, which is the `Max` of each `Volume`.
const GAINS: [&str; 2] = ["1", "1.99526238"];

#[test]
fn a_save_leaves_the_volume_that_an_event_set_for_a_file_has_another_unit() {
    let with_gain = |gain: &str| {
        let volume = |gain: &str| manual("Volume", gain);
        usual().map(|track| track.replace(&volume("1"), &volume(gain)))
    };
    let volumes = |mirror: &Mirror| {
        let tracks = &mirror.set().project().tracks;
        [tracks[0].mixer.volume, tracks[1].mixer.volume]
    };
    // At the top, a fader says 1, which as a gain is 0 dB.
    let mut mirror = Mirror::new(read(&with_gain(GAINS[0])));
    apply(&mut mirror, &[Edit::TrackVolume { track: 0, volume: 1.0 }]);
    let now = mirror.now();
    let changes = save(&mut mirror, read(&with_gain(GAINS[1])), now, false);
    assert_eq!(volumes(&mirror), [1.0, 1.995_262_38], "no event has told of the second");
    assert!(changes.changes.iter().all(|it| it.path.to_string().starts_with("tracks[1]")));
    // As it is, the file counts, and what came since is told of anew.
    let began = mirror.mark();
    apply(&mut mirror, &[Edit::TrackVolume { track: 1, volume: 0.85 }]);
    save(&mut mirror, read(&with_gain(GAINS[1])), began, true);
    assert_eq!(volumes(&mirror), [1.995_262_38, 0.85]);
    let now = mirror.now();
    save(&mut mirror, read(&with_gain(GAINS[0])), now, false);
    assert_eq!(volumes(&mirror), [1.0, 0.85]);
}

#[test]
fn a_colour_that_an_event_set_stays_even_where_it_is_the_number_in_the_file() {
    let mut mirror = Mirror::new(read(&usual()));
    let index = mirror.set().project().tracks[0].color;
    apply(&mut mirror, &[Edit::TrackColor { track: 0, color: index }]);
    let now = mirror.now();
    let [first, last] = usual();
    let color = |index: i32| format!("<Color Value=\"{index}\" />");
    let file = [first.replace(&color(index), &color(20)), last];
    let changes = save(&mut mirror, read(&file), now, false);
    assert_eq!(mirror.set().project().tracks[0].color, index);
    assert_eq!(kinds(&changes), []);
}

#[test]
fn a_device_keeps_the_name_that_an_event_gave_it_even_where_that_is_its_class() {
    let mut mirror = Mirror::new(read(&usual()));
    let add = |device: usize, name: &str| Edit::DeviceAdded { track: 0, device, name: name.into() };
    apply(&mut mirror, &[add(1, "Operator"), add(2, "Utility")]);
    let file = |names: [&str; 3]| {
        let [_, last] = usual();
        let classes = [("Eq8", 0), ("Operator", 7), ("StereoGain", 8)];
        let all =
            classes.iter().zip(names).map(|((class, id), name)| device(class, *id, name, "1"));
        read(&[track(10, "Bass", 3, ("", &all.collect::<String>())), last])
    };
    let names = |mirror: &Mirror| {
        let devices = &mirror.set().project().tracks[0].devices;
        devices.iter().map(|it| it.name.clone()).collect::<Vec<_>>()
    };
    for (saved, expected) in [
        (["", "", ""], ["Eq8", "Operator", "Utility"]),
        // Nobody has told of the first.
        (["Mine", "Mine", "Mine"], ["Mine", "Operator", "Utility"]),
        (["", "", ""], ["Eq8", "Operator", "Utility"]),
    ] {
        let now = mirror.now();
        save(&mut mirror, file(saved), now, false);
        assert_eq!(names(&mirror), expected, "{saved:?}");
    }
    // As it is, the file counts, and from then on too.
    for name in ["Mine", "Yours"] {
        let now = mirror.now();
        save(&mut mirror, file([name; 3]), now, name == "Mine");
        assert_eq!(names(&mirror), [name; 3]);
    }
}

#[test]
fn a_clip_that_comes_back_in_a_save_has_the_files_colour_and_not_that_of_the_removed_one() {
    let removed = Edit::ClipRemoved { track: 0, scene: 0 };
    let emptied = Edit::ClipSlotState {
        track: 0,
        scene: 0,
        has_clip: false,
        has_stop_button: true,
        playing_status: 0,
    };
    for gone in [removed, emptied] {
        let mut mirror = Mirror::new(read(&usual()));
        apply(&mut mirror, &[Edit::ClipColor { track: 0, scene: 0, color: 0x12_34_56 }, gone]);
        // Live numbers the only clip of a slot 0 each time, and no event has told of the new one.
        let clips = slots(&[Some("New"), None]);
        for color in [7, 9] {
            let painted = clips.replace(
                "</MidiClip>",
                &format!("{}</MidiClip>", value("Color", &color.to_string())),
            );
            let [_, last] = usual();
            let file = read(&[track(10, "Bass", 3, (&painted, "")), last]);
            let now = mirror.now();
            save(&mut mirror, file, now, false);
            let clip = mirror.set().slot(0, 0).and_then(|slot| slot.clip.as_deref());
            assert_eq!(clip.map(|it| (&*it.name, it.color)), Some(("New", color)));
        }
    }
}
