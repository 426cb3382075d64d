//! What the specification says of events in whatever order they come, said naively.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::told::{STRUCTURE, Told};

type Attributes = Map<String, Value>;

/// A node with what it holds: a track its devices, slots (by scene) and mixer, a slot its clip.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Track {
    own: Attributes,
    mixer: Attributes,
    devices: Vec<Attributes>,
    slots: HashMap<usize, (Attributes, Option<Attributes>)>,
}

/// The tree without ids and hashes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tree {
    project: Attributes,
    pub(crate) tracks: Vec<Track>,
    scenes: Vec<Attributes>,
}

fn children<'a>(node: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    let children = node["children"].as_array().expect("a list");
    children.iter().filter(move |it| it["node_type"] == kind)
}

fn attributes(node: &Value) -> Attributes {
    let mut attributes = node["attributes"].as_object().expect("an object").clone();
    // Positions are where things are; what a clip is follows from its track.
    let others = ["index", "track_index", "scene_index", "clip_type", "note_count", "sample_name"];
    others.iter().for_each(|it| _ = attributes.remove(*it));
    attributes
}

impl Tree {
    pub(crate) fn of(root: &Value) -> Self {
        let slot = |slot: &Value| {
            let row = slot["attributes"]["scene_index"].as_u64().expect("a row");
            let clip = children(slot, "clip").next().map(attributes);
            (usize::try_from(row).expect("small"), (attributes(slot), clip))
        };
        let track = |track: &Value| Track {
            own: attributes(track),
            mixer: children(track, "mixer").next().map(attributes).expect("a mixer"),
            devices: children(track, "device").map(attributes).collect(),
            slots: children(track, "clip_slot").map(slot).collect(),
        };
        Self {
            project: attributes(root),
            tracks: children(root, "track").map(track).collect(),
            scenes: children(root, "scene").map(attributes).collect(),
        }
    }

    /// Only what a file says.
    pub(crate) fn without_what_no_file_says(mut self) -> Self {
        ["is_playing", "position"].iter().for_each(|it| _ = self.project.remove(*it));
        self.scenes.iter_mut().for_each(|it| _ = it.remove("is_triggered"));
        for (slot, _) in self.tracks.iter_mut().flat_map(|it| it.slots.values_mut()) {
            ["playing_status", "color"].iter().for_each(|it| _ = slot.remove(*it));
        }
        self
    }
}

/// A server by the specification: the tree, and for each thing the number that set it last.
pub(crate) struct Model {
    pub(crate) tree: Tree,
    newest: Option<u32>,
    last: HashMap<String, u32>,
    structure: Option<u32>,
    pub(crate) processed: i128,
    pub(crate) rejected: i128,
    pub(crate) superseded: i128,
}

impl Model {
    pub(crate) fn new(tree: Tree) -> Self {
        let (last, structure) = (HashMap::new(), None);
        let (processed, rejected, superseded) = (0, 0, 0);
        Self { tree, newest: None, last, structure, processed, rejected, superseded }
    }

    /// A new run: Live has loaded its file.
    pub(crate) fn start_again(&mut self, in_file: Tree) {
        (self.newest, self.structure) = (None, None);
        self.last.clear();
        self.tree = in_file;
    }

    pub(crate) fn hear(&mut self, seq: u32, told: &Told) {
        let is_late = self.newest.is_some_and(|newest| seq < newest);
        self.newest = self.newest.max(Some(seq));
        let is_newer = |than: &u32| is_late && *than > seq;
        if self.structure.as_ref().is_some_and(is_newer) {
            (self.processed, self.superseded) = (self.processed + 1, self.superseded + 1);
            return;
        }
        let last = &self.last;
        let is_set = |thing: &String| last.get(thing).is_some_and(is_newer);
        let things = things(told);
        // A parameter is elsewhere once its track's devices have moved.
        let devices = told.path.ends_with("/param").then(|| format!("devices {}", told.at[0]));
        let stale: Vec<_> = things.iter().chain(&devices).map(is_set).collect();
        if stale.contains(&true) {
            self.superseded += 1;
            self.processed += 1;
            self.apply(told, &stale);
        } else if self.apply(told, &stale) {
            self.processed += 1;
        } else {
            self.rejected += 1;
            return;
        }
        if STRUCTURE.contains(&told.path) {
            self.structure = self.structure.max(Some(seq));
        }
        for thing in things {
            let last = self.last.entry(thing).or_default();
            *last = seq.max(*last);
        }
    }

    /// Does what is not stale of an event; `false` if it points at nothing.
    fn apply(&mut self, told: &Told, stale: &[bool]) -> bool {
        let Told { path, at, values } = told;
        let scenes = self.tree.scenes.len();
        let tree = &mut self.tree;
        let kind: Vec<_> = path.trim_start_matches("/live/").split('/').collect();
        match (kind[0], kind[1]) {
            ("transport", what) => {
                let name = match what {
                    "play" => "is_playing",
                    other => other,
                };
                if !stale[0] {
                    tree.project.insert(name.to_owned(), values[0].clone());
                }
            }
            ("cursor", _) => {}
            ("scene", what) => return tree.scene(what, at[0], values, stale),
            ("track", "added") => {
                if at[0] > tree.tracks.len() {
                    return false;
                }
                tree.tracks.insert(at[0], new_track(&values[0]));
            }
            ("track", "deleted") => {
                if at[0] >= tree.tracks.len() {
                    return false;
                }
                tree.tracks.remove(at[0]);
            }
            (of, what) => {
                let Some(track) = tree.tracks.get_mut(at[0]) else { return false };
                return match of {
                    "track" => track.set(what, &values[0], stale[0]),
                    "device" => track.device(what, at, values, stale.contains(&true)),
                    _ if at[1] >= scenes => false,
                    "clip_slot" => track.slot(what, at[1], values, stale),
                    _ => track.clip(what, at[1], values, stale),
                };
            }
        }
        true
    }
}

fn new_track(name: &Value) -> Track {
    let own = json!({
        "name": name, "color": -1, "type": "track", "is_muted": false, "is_soloed": false,
        "is_frozen": false, "is_armed": false, "volume": 1.0, "pan": 0.0, "group_id": -1,
    });
    let mixer = json!({
        "volume": 1.0, "pan": 0.0, "is_muted": false, "is_soloed": false, "sends": [],
        "sends_enabled": [], "crossfader": 1,
    });
    let of = |it: Value| it.as_object().expect("an object").clone();
    Track { own: of(own), mixer: of(mixer), ..Track::default() }
}

impl Tree {
    fn scene(&mut self, what: &str, at: usize, values: &[Value], stale: &[bool]) -> bool {
        let scenes = self.scenes.len();
        match what {
            "added" if at <= scenes => {
                let scene = json!({
                    "name": values[0], "color": -1, "tempo": 120.0, "is_tempo_enabled": false,
                    "time_signature_id": 201, "annotation": "", "is_triggered": false,
                });
                self.scenes.insert(at, scene.as_object().expect("an object").clone());
                self.move_slots(|row| Some(row + usize::from(row >= at)));
            }
            _ if at >= scenes => return false,
            "reordered" => {}
            "removed" => {
                self.scenes.remove(at);
                self.move_slots(|row| (row != at).then(|| row - usize::from(row > at)));
            }
            // What is stale stays.
            _ if stale[0] => {}
            "renamed" => _ = self.scenes[at].insert("name".to_owned(), values[0].clone()),
            "triggered" => _ = self.scenes[at].insert("is_triggered".to_owned(), json!(true)),
            what => _ = self.scenes[at].insert(what.to_owned(), values[0].clone()),
        }
        true
    }

    fn move_slots(&mut self, to: impl Fn(usize) -> Option<usize>) {
        for track in &mut self.tracks {
            let slots = std::mem::take(&mut track.slots);
            track.slots = slots.into_iter().filter_map(|(row, it)| Some((to(row)?, it))).collect();
        }
    }
}

impl Track {
    fn set(&mut self, what: &str, value: &Value, is_stale: bool) -> bool {
        let (name, is_mixers) = match what {
            "renamed" => ("name", false),
            "mute" => ("is_muted", true),
            "arm" => ("is_armed", false),
            "solo" => ("is_soloed", true),
            "color" => ("color", false),
            other => (other, true),
        };
        if !is_stale {
            self.own.insert(name.to_owned(), value.clone());
            if is_mixers {
                self.mixer.insert(name.to_owned(), value.clone());
            }
        }
        true
    }

    fn device(&mut self, what: &str, at: &[usize], values: &[Value], is_stale: bool) -> bool {
        let count = self.devices.len();
        if at[1] >= count + usize::from(what == "added") {
            return is_stale;
        }
        if is_stale {
            return true;
        }
        match what {
            "added" => {
                let new = json!({
                    "name": values[0], "device_type": "", "is_enabled": true, "parameters": [],
                });
                self.devices.insert(at[1], new.as_object().expect("an object").clone());
            }
            "deleted" => drop(self.devices.remove(at[1])),
            _ => {
                let device = &mut self.devices[at[1]];
                let parameters = device["parameters"].as_array_mut().expect("a list");
                while parameters.len() <= at[2] {
                    let value = if parameters.is_empty() { 1.0 } else { 0.0 };
                    parameters.push(json!({ "name": "", "value": value }));
                }
                parameters[at[2]]["value"] = values[0].clone();
                if at[2] == 0 {
                    device.insert("is_enabled".to_owned(), json!(values[0] != 0.0));
                }
            }
        }
        true
    }

    fn slot(&mut self, what: &str, row: usize, values: &[Value], stale: &[bool]) -> bool {
        if what != "created" {
            let Some((slot, _)) = self.slots.get_mut(&row) else { return false };
            let name = if what == "has_stop" { "has_stop_button" } else { what };
            if !stale[0] {
                slot.insert(name.to_owned(), values[0].clone());
            }
            return true;
        }
        // What is newer was about something that an even later event has moved.
        if stale.contains(&true) && !self.slots.contains_key(&row) {
            return true;
        }
        let (slot, clip) = self.slots.entry(row).or_insert_with(|| {
            let new = json!({ "color": -1 });
            (new.as_object().expect("an object").clone(), None)
        });
        if !stale[0] {
            slot.insert("has_stop_button".to_owned(), values[1].clone());
        }
        if !stale[1] {
            slot.insert("playing_status".to_owned(), values[2].clone());
        }
        if !stale[2..].contains(&true) {
            slot.insert("has_clip".to_owned(), values[0].clone());
            *clip = clip.take().filter(|_| values[0] == true);
        }
        true
    }

    fn clip(&mut self, what: &str, row: usize, values: &[Value], stale: &[bool]) -> bool {
        let Some((slot, clip)) = self.slots.get_mut(&row) else { return false };
        match what {
            "added" => {
                // Who it is has been said since.
                if stale[1] {
                    return true;
                }
                let new = json!({
                    "name": values[0], "start_time": 0.0, "end_time": 0.0, "loop_start": 0.0,
                    "loop_end": 0.0, "is_looped": false, "color": -1, "is_muted": false,
                });
                let mut new = new.as_object().expect("an object").clone();
                for (name, is_stale) in CLIP_VALUES.iter().zip(&stale[2..]) {
                    if let Some(before) = clip.as_ref().filter(|_| *is_stale) {
                        new.insert((*name).to_owned(), before[*name].clone());
                    }
                }
                slot.insert("has_clip".to_owned(), json!(true));
                *clip = Some(new);
            }
            "removed" if stale.contains(&true) => {}
            "removed" => {
                if slot["has_clip"] == false && clip.is_none() {
                    return false;
                }
                slot.insert("has_clip".to_owned(), json!(false));
                *clip = None;
            }
            _ => {
                // What is stale is not even looked for.
                if stale[0] {
                    return true;
                }
                let Some(clip) = clip else { return false };
                let name = match what {
                    "muted" => "is_muted",
                    "looping" => "is_looped",
                    other => other,
                };
                clip.insert(name.to_owned(), values[0].clone());
            }
        }
        true
    }
}

const CLIP_VALUES: [&str; 4] = ["name", "color", "is_muted", "is_looped"];

/// The things that an event sets.
fn things(told: &Told) -> Vec<String> {
    let Told { path, at, values } = told;
    let kind = path.trim_start_matches("/live/");
    let place = format!("{at:?}");
    let clip = |name: &str| format!("clip {name} {place}");
    let whole_clip = || {
        let values = CLIP_VALUES.iter().copied();
        ["which"].into_iter().chain(values).map(clip).collect::<Vec<_>>()
    };
    let has_clip = format!("clip_slot has_clip {place}");
    match kind {
        "clip_slot/created" => {
            let own = ["has_stop", "playing_status"];
            let mut things: Vec<_> =
                own.iter().map(|it| format!("clip_slot/{it} {place}")).collect();
            things.push(has_clip);
            // With it goes the clip.
            if values[0] == false {
                things.extend(whole_clip());
            }
            things
        }
        "scene/reordered" => vec![],
        "clip/added" | "clip/removed" => [vec![has_clip], whole_clip()].concat(),
        "clip/name" => vec![clip("name")],
        "clip/color" => vec![clip("color")],
        "clip/muted" => vec![clip("is_muted")],
        "clip/looping" => vec![clip("is_looped")],
        // Where the devices of a track are.
        "device/added" | "device/deleted" => vec![format!("devices {}", at[0])],
        _ => vec![format!("{kind} {place}")],
    }
}
