//! Small documents, written as Live would: tracks, slots, devices and scenes.

use live_set::{Changes, Edit, Mark, Mirror, Set};

use super::json;
use super::replay::{assert_same, ids, replay};

/// The type and path of each record.
pub(crate) fn kinds(changes: &Changes) -> Vec<(&'static str, String)> {
    changes.changes.iter().map(|it| (it.kind.as_str(), it.path.to_string())).collect()
}

pub(crate) fn rename(track: usize, name: &str) -> Edit {
    Edit::TrackName { track, name: name.into() }
}

pub(crate) fn value(name: &str, value: &str) -> String {
    format!("<{name} Value=\"{value}\" />")
}

pub(crate) fn manual(name: &str, value: &str) -> String {
    format!("<{name}><Manual Value=\"{value}\" /></{name}>")
}

pub(crate) fn device(class: &str, id: u32, user_name: &str, gain: &str) -> String {
    let (name, on) = (value("UserName", user_name), manual("On", "true"));
    format!("<{class} Id=\"{id}\">{on}{name}{}</{class}>", manual("Gain", gain))
}

/// A slot for each; some with a clip of that name.
pub(crate) fn slots(clips: &[Option<&str>]) -> String {
    let slot = |(id, clip): (usize, &Option<&str>)| {
        let clip = clip.map_or(String::new(), |name| {
            format!("<MidiClip Id=\"0\" Time=\"0\">{}</MidiClip>", value("Name", name))
        });
        format!("<ClipSlot Id=\"{id}\"><ClipSlot><Value>{clip}</Value></ClipSlot></ClipSlot>")
    };
    clips.iter().enumerate().map(slot).collect()
}

pub(crate) fn track(id: u32, name: &str, color: i32, inside: (&str, &str)) -> String {
    let (slots, devices) = inside;
    let (shown, color) = (value("EffectiveName", name), value("Color", &color.to_string()));
    let mixer = format!("{}{}", manual("Volume", "1"), manual("Speaker", "true"));
    format!(
        "<MidiTrack Id=\"{id}\"><Name>{shown}</Name>{color}<DeviceChain><Mixer>{mixer}</Mixer>\
         <MainSequencer><ClipSlotList>{slots}</ClipSlotList></MainSequencer><DeviceChain><Devices>\
         {devices}</Devices></DeviceChain></DeviceChain></MidiTrack>"
    )
}

/// A document with tracks and two scenes.
pub(crate) fn read(tracks: &[String]) -> Set {
    with_scenes(tracks, &[(0, "Intro"), (1, "")])
}

pub(crate) fn with_scenes(tracks: &[String], scenes: &[(u32, &str)]) -> Set {
    let scene =
        |(id, name): &(u32, &str)| format!("<Scene Id=\"{id}\">{}</Scene>", value("Name", name));
    let scenes: String = scenes.iter().map(scene).collect();
    let document = format!(
        "<Ableton MinorVersion=\"12.0_1\"><LiveSet><Tracks>{}</Tracks><Scenes>{scenes}</Scenes>\
         </LiveSet></Ableton>",
        tracks.concat()
    );
    Set::read(document.as_bytes()).expect("it reads")
}

/// Two tracks with two slots each, a clip in the first, and a device.
pub(crate) fn usual() -> [String; 2] {
    let device = device("Eq8", 0, "", "0.5");
    let slots = slots(&[Some("Riff"), None]);
    [track(10, "Bass", 3, (&slots, &device)), track(11, "Keys", 4, (&slots, &device))]
}

pub(crate) fn apply(mirror: &mut Mirror, edits: &[Edit]) {
    for edit in edits {
        mirror.apply(edit).expect("accepted");
    }
}

/// Saves, and holds the records against both trees.
pub(crate) fn save(mirror: &mut Mirror, file: Set, began: Mark, as_it_is: bool) -> Changes {
    let before = json(mirror.set());
    let changes = mirror.save(file, began, as_it_is);
    let replayed = replay(before, &serde_json::to_value(&changes).expect("serialises"));
    let after = json(mirror.set());
    assert_same(&replayed, &after);
    assert_eq!(mirror.set().clone().rehash(), mirror.set().root_hash(), "hashes are right");
    let mut all = ids(&after);
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count, "ids are unique");
    changes
}
