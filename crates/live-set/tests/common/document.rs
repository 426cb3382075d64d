//! What a document holds, found with another XML parser that keeps the whole document: every node
//! of the tree with its attributes, written from the description of the format alone.

use roxmltree::{Document, Node};
use serde_json::{Value, json};

/// The tree of a document as viewers are sent it, without ids and hashes.
pub(crate) fn tree(xml: &str) -> Value {
    let document = Document::parse(xml).expect("well-formed");
    let set = child(document.root_element(), "LiveSet").expect("a set");
    let main = child(set, "MainTrack").or(child(set, "MasterTrack"));
    let in_tracks = ["MidiTrack", "AudioTrack", "GroupTrack", "ReturnTrack"];
    let tracks = child(set, "Tracks").into_iter().flat_map(elements);
    let tracks = tracks.filter(|track| in_tracks.contains(&track.tag_name().name())).chain(main);
    let scenes = child(set, "Scenes").or(child(set, "SceneNames")).into_iter().flat_map(elements);
    let file_refs = set.descendants().filter_map(file_ref);
    let mixer = main.and_then(|main| descend(main, "DeviceChain/Mixer"));
    let tempo = mixer.and_then(|mixer| number(mixer, "Tempo/Manual")).unwrap_or(120.0);
    let signature = mixer.and_then(|mixer| whole(mixer, "TimeSignature/Manual")).unwrap_or(201);
    let attributes = json!({
        "tempo": tempo, "time_signature_id": signature, "is_playing": false, "position": 0.0
    });
    let tracks = tracks.enumerate().map(|(index, found)| track(found, index));
    let scenes = scenes.enumerate().map(|(index, found)| scene(found, index));
    let locators = descend(set, "Locators/Locators").into_iter().flat_map(elements).map(locator);
    node("project", attributes, tracks.chain(scenes).chain(file_refs).chain(locators).collect())
}

/// The same of a tree that was sent: its ids and hashes go.
pub(crate) fn without_ids(tree: &Value) -> Value {
    let children = tree["children"].as_array().expect("children are a list");
    let node_type = tree["node_type"].as_str().expect("a type is text");
    node(node_type, tree["attributes"].clone(), children.iter().map(without_ids).collect())
}

fn node(node_type: &str, attributes: Value, children: Vec<Value>) -> Value {
    json!({"node_type": node_type, "attributes": attributes, "children": children})
}

fn track(track: Node<'_, '_>, index: usize) -> Value {
    let name =
        ["Name/EffectiveName", "Name/UserName"].into_iter().filter_map(|at| value(track, at));
    let track_type = match track.tag_name().name() {
        "MidiTrack" | "AudioTrack" => "track",
        "GroupTrack" => "group",
        "ReturnTrack" => "return",
        _ => "master",
    };
    let mixer = mixer(descend(track, "DeviceChain/Mixer").expect("a mixer"));
    let armed = flag(track, "DeviceChain/MainSequencer/Recorder/IsArmed").unwrap_or(false);
    let attributes = json!({
        "name": name.clone().find(|name| !name.is_empty()).unwrap_or_default(),
        "index": index,
        "color": color(track),
        "type": track_type,
        "group_id": whole(track, "TrackGroupId").unwrap_or(-1),
        "is_frozen": flag(track, "Freeze").unwrap_or(false),
        "is_armed": armed,
        "is_muted": mixer["attributes"]["is_muted"],
        "is_soloed": mixer["attributes"]["is_soloed"],
        "volume": mixer["attributes"]["volume"],
        "pan": mixer["attributes"]["pan"],
    });
    let mut children = devices(descend(track, "DeviceChain/DeviceChain/Devices"));
    let slots = descend(track, "DeviceChain/MainSequencer/ClipSlotList").or(child(track, "Slots"));
    let slots = slots.into_iter().flat_map(elements).enumerate();
    children.extend(slots.map(|(row, found)| slot(found, index, row)));
    let arranged = ["ClipTimeable", "Sample"].into_iter().filter_map(|automated| {
        descend(track, &format!("DeviceChain/MainSequencer/{automated}/ArrangerAutomation/Events"))
    });
    let lanes = descend(track, "TakeLanes/TakeLanes").into_iter().flat_map(elements);
    let takes = lanes.filter_map(|lane| descend(lane, "ClipAutomation/Events"));
    children.extend(arranged.chain(takes).flat_map(elements).filter_map(clip));
    children.push(mixer);
    node("track", attributes, children)
}

fn mixer(mixer: Node<'_, '_>) -> Value {
    let holders: Vec<_> = child(mixer, "Sends").into_iter().flat_map(elements).collect();
    let sends = holders.iter().map(|holder| number(*holder, "Send/Manual").unwrap_or(0.0));
    let enabled = holders
        .iter()
        .map(|holder| flag(*holder, "EnabledByUser").or(flag(*holder, "Active")).unwrap_or(true));
    let attributes = json!({
        "volume": number(mixer, "Volume/Manual").unwrap_or(1.0),
        "pan": number(mixer, "Pan/Manual").unwrap_or(0.0),
        "is_muted": !flag(mixer, "Speaker/Manual").unwrap_or(true),
        "is_soloed": flag(mixer, "SoloSink").unwrap_or(false),
        "sends": sends.collect::<Vec<_>>(),
        "sends_enabled": enabled.collect::<Vec<_>>(),
        "crossfader": whole(mixer, "CrossFadeState/Manual").unwrap_or(1),
    });
    node("mixer", attributes, Vec::new())
}

fn devices(list: Option<Node<'_, '_>>) -> Vec<Value> {
    list.into_iter().flat_map(elements).map(device).collect()
}

fn device(device: Node<'_, '_>) -> Value {
    let class = device.tag_name().name();
    let plug_in = child(device, "PluginDesc").and_then(|plug_in| {
        let mut names = plug_in.descendants().filter(|found| {
            ["PlugName", "Name"].contains(&found.tag_name().name())
                && found.parent().and_then(|info| info.parent()) == Some(plug_in)
        });
        names.next().and_then(|name| name.attribute("Value"))
    });
    let patch = ["MxPatchRef", "MxDPatchRef"].into_iter().find_map(|reference| {
        let file = descend(device, &format!("PatchSlot/Value/{reference}/FileRef"))?;
        let path = value(file, "Path").unwrap_or_default();
        let name = value(file, "Name").or(path.rsplit(['/', '\\']).next())?;
        Some(name.trim_end_matches(".amxd"))
    });
    let names = [value(device, "UserName"), plug_in, patch, Some(class)];
    let name = names.into_iter().flatten().find(|name| !name.is_empty());
    let switch = json!({"name": "On", "value": number(device, "On/Manual").unwrap_or(1.0)});
    let others = device
        .descendants()
        .filter(|found| child(*found, "Manual").is_some() && is_own(device, *found))
        .map(|found| parameter(device, found));
    let parameters: Vec<_> = std::iter::once(switch).chain(others).collect();
    let attributes = json!({
        "name": name,
        "device_type": class,
        "is_enabled": flag(device, "On/Manual").unwrap_or(true),
        "parameters": parameters,
    });
    let chains = elements(device)
        .filter(|list| ["Branches", "ReturnBranches"].contains(&list.tag_name().name()))
        .flat_map(elements);
    let inner = chains.filter_map(|chain| child(chain, "DeviceChain")).flat_map(elements);
    let nested = inner.filter_map(|chain| child(chain, "Devices")).flat_map(elements);
    node("device", attributes, nested.map(self::device).collect())
}

/// False for the device's switch, which comes first whatever else there is, and for what belongs to
/// chains of a rack.
fn is_own(device: Node<'_, '_>, parameter: Node<'_, '_>) -> bool {
    let way: Vec<_> = parameter.ancestors().take_while(|above| *above != device).collect();
    let top = way.last().expect("inside the device").tag_name().name();
    match top {
        "On" => way.len() > 1,
        "Branches" | "ReturnBranches" | "PluginDesc" | "PatchSlot" => false,
        _ => true,
    }
}

/// Plug-ins name their parameters beside the value.
fn parameter(device: Node<'_, '_>, parameter: Node<'_, '_>) -> Value {
    let above = parameter.ancestors().take_while(|above| *above != device);
    let given = above
        .filter(|above| above.tag_name().name().ends_with("Parameter"))
        .filter_map(|above| value(above, "ParameterName").or(value(above, "Name")));
    let name = given.filter(|name| !name.is_empty()).last();
    let name = name.unwrap_or(parameter.tag_name().name());
    json!({"name": name, "value": number(parameter, "Manual").unwrap_or(0.0)})
}

fn slot(slot: Node<'_, '_>, track: usize, row: usize) -> Value {
    let held = descend(slot, "ClipSlot/Value").into_iter().flat_map(elements).find_map(clip);
    let attributes = json!({
        "track_index": track,
        "scene_index": row,
        "has_clip": held.is_some(),
        "has_stop_button": flag(slot, "HasStop").unwrap_or(true),
        "playing_status": 0,
        "color": -1,
    });
    node("clip_slot", attributes, held.into_iter().collect())
}

fn clip(clip: Node<'_, '_>) -> Option<Value> {
    let clip_type = match clip.tag_name().name() {
        "MidiClip" => "midi",
        "AudioClip" => "audio",
        _ => return None,
    };
    let mut attributes = json!({
        "name": value(clip, "Name").unwrap_or_default(),
        "clip_type": clip_type,
        "start_time": number(clip, "CurrentStart").unwrap_or(0.0),
        "end_time": number(clip, "CurrentEnd").unwrap_or(0.0),
        "loop_start": number(clip, "Loop/LoopStart").unwrap_or(0.0),
        "loop_end": number(clip, "Loop/LoopEnd").unwrap_or(0.0),
        "is_looped": flag(clip, "Loop/LoopOn").unwrap_or(false),
        "is_muted": flag(clip, "Disabled").unwrap_or(false),
        "color": color(clip),
    });
    if clip_type == "midi" {
        let notes = clip.descendants().filter(|note| note.has_tag_name("MidiNoteEvent")).count();
        attributes["note_count"] = json!(notes);
    } else {
        let file = descend(clip, "SampleRef/FileRef").and_then(file_ref);
        let name = file.map_or(json!(""), |file| file["attributes"]["name"].clone());
        attributes["sample_name"] = name;
    }
    Some(node("clip", attributes, Vec::new()))
}

fn scene(scene: Node<'_, '_>, index: usize) -> Value {
    let old_name = scene.attribute("Value").filter(|name| *name != format!(" {}", index + 1));
    let attributes = json!({
        "name": value(scene, "Name").or(old_name).unwrap_or_default(),
        "index": index,
        "color": color(scene),
        "tempo": number(scene, "Tempo").unwrap_or(120.0),
        "is_tempo_enabled": flag(scene, "IsTempoEnabled").unwrap_or(false),
        "time_signature_id": whole(scene, "TimeSignatureId").unwrap_or(201),
        "annotation": value(scene, "Annotation").unwrap_or_default(),
        "is_triggered": false,
    });
    node("scene", attributes, Vec::new())
}

fn locator(locator: Node<'_, '_>) -> Value {
    let attributes = json!({
        "name": value(locator, "Name").unwrap_or_default(),
        "time": number(locator, "Time").unwrap_or(0.0),
    });
    node("locator", attributes, Vec::new())
}

fn file_ref(found: Node<'_, '_>) -> Option<Value> {
    let foreign =
        |above: Node<'_, '_>| ["FreezeSequencer", "GroovePool"].contains(&above.tag_name().name());
    if !found.has_tag_name("FileRef") || found.ancestors().any(foreign) {
        return None;
    }
    let folders = child(found, "RelativePath").into_iter().flat_map(elements);
    let folders = folders.filter_map(|folder| folder.attribute("Dir")).map(|dir| format!("{dir}/"));
    let old_path = folders.collect::<String>() + value(found, "Name").unwrap_or_default();
    let paths = [value(found, "Path"), value(found, "RelativePath"), Some(&*old_path)];
    let path = paths.into_iter().flatten().find(|path| !path.is_empty())?;
    let last = path.rsplit(['/', '\\']).next();
    let attributes = json!({
        "name": value(found, "Name").or(last),
        "path": path,
        "ref_type": whole(found, "Type").unwrap_or(-1),
    });
    Some(node("file_ref", attributes, Vec::new()))
}

fn elements<'a, 'input>(parent: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    parent.children().filter(Node::is_element)
}

fn child<'a, 'input>(parent: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    elements(parent).find(|child| child.has_tag_name(name))
}

fn descend<'a, 'input>(from: Node<'a, 'input>, path: &str) -> Option<Node<'a, 'input>> {
    path.split('/').try_fold(from, child)
}

fn value<'a>(from: Node<'a, '_>, path: &str) -> Option<&'a str> {
    descend(from, path)?.attribute("Value")
}

fn number(from: Node<'_, '_>, path: &str) -> Option<f64> {
    match value(from, path)? {
        "true" => Some(1.0),
        "false" => Some(0.0),
        text => text.parse().ok(),
    }
}

fn whole(from: Node<'_, '_>, path: &str) -> Option<i64> {
    value(from, path)?.parse().ok()
}

fn flag(from: Node<'_, '_>, path: &str) -> Option<bool> {
    value(from, path)?.parse().ok()
}

fn color(of: Node<'_, '_>) -> i64 {
    whole(of, "Color").or(whole(of, "ColorIndex")).unwrap_or(-1)
}
