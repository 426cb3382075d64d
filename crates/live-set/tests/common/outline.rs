//! What is in a document, found by its lines and their tabs: Live writes one element a line. This
//! knows nothing of XML, and shares no idea with the reader that it checks.

/// What a document holds.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outline {
    pub(crate) tempo: String,
    pub(crate) tracks: Vec<Track>,
    pub(crate) scenes: Vec<String>,
}

/// What is found of a track.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Track {
    pub(crate) element: String,
    pub(crate) name: String,
    pub(crate) devices: Vec<Device>,
    pub(crate) slots: usize,
    /// Row, name and number of notes.
    pub(crate) clips: Vec<(usize, String, usize)>,
    pub(crate) sends: usize,
    pub(crate) volume: String,
    pub(crate) is_muted: bool,
    pub(crate) is_armed: bool,
}

/// What is found of a device.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Device {
    pub(crate) class: String,
    pub(crate) user_name: String,
    pub(crate) is_on: bool,
    /// Name and value.
    pub(crate) parameters: Vec<(String, String)>,
}

/// Reads the outline of a document.
pub(crate) fn outline(xml: &str) -> Outline {
    let mut outline = Outline::default();
    for section in
        section(xml, "\t\t<Tracks>").map(|tracks| children(tracks, 3)).unwrap_or_default()
    {
        outline.tracks.push(track(section, 3));
    }
    for main in ["\t\t<MasterTrack", "\t\t<MainTrack"] {
        if let Some(section) = section(xml, main) {
            outline.tracks.push(track(section, 2));
            let mixer = section_at(section, 4, "Mixer").expect("a main track has a mixer");
            outline.tempo = manual(mixer, 5, "Tempo");
        }
    }
    for scene in section(xml, "\t\t<Scenes>").map(|scenes| children(scenes, 3)).unwrap_or_default()
    {
        outline.scenes.push(value(scene, 4, "Name").unwrap_or_default());
    }
    outline
}

fn track(lines: &str, tabs: usize) -> Track {
    let name = section_at(lines, tabs + 1, "Name").unwrap_or_default();
    let mixer = section_at(lines, tabs + 2, "Mixer").unwrap_or_default();
    let sequencer = section_at(lines, tabs + 2, "MainSequencer").unwrap_or_default();
    let slots = section_at(sequencer, tabs + 3, "ClipSlotList").unwrap_or_default();
    let group_slots = section_at(lines, tabs + 1, "Slots").unwrap_or_default();
    let devices = section_at(lines, tabs + 2, "DeviceChain")
        .and_then(|chain| section_at(chain, tabs + 3, "Devices"))
        .unwrap_or_default();
    let slots = children(slots, tabs + 4);
    let clips = slots.iter().enumerate().filter(|(_, slot)| slot.contains("Clip Id="));
    Track {
        element: element(lines),
        name: value(name, tabs + 2, "EffectiveName").unwrap_or_default(),
        devices: children(devices, tabs + 4).into_iter().map(|d| device(d, tabs + 4)).collect(),
        slots: slots.len() + children(group_slots, tabs + 2).len(),
        clips: clips
            .map(|(row, slot)| {
                let name = value(slot, tabs + 8, "Name").expect("a clip has a name");
                (row, name, slot.matches("<MidiNoteEvent ").count())
            })
            .collect(),
        sends: mixer.matches("<TrackSendHolder ").count(),
        volume: manual(mixer, tabs + 3, "Volume"),
        is_muted: manual(mixer, tabs + 3, "Speaker") == "false",
        is_armed: sequencer.contains("<IsArmed Value=\"true\" />"),
    }
}

fn device(lines: &str, tabs: usize) -> Device {
    let children = children(lines.split_once('\n').map_or("", |(_, rest)| rest), tabs + 1);
    let manual_line = format!("\n{}<Manual Value=\"", "\t".repeat(tabs + 2));
    let parameters = children
        .iter()
        .filter(|child| child.contains(&manual_line))
        .map(|child| (element(child), manual(child, tabs + 1, &element(child))))
        .map(|(name, value)| (name, value.replace("true", "1").replace("false", "0")));
    Device {
        class: element(lines),
        user_name: value(lines, tabs + 1, "UserName").unwrap_or_default(),
        is_on: manual(lines, tabs + 1, "On") == "true",
        parameters: parameters.collect(),
    }
}

/// The lines from the first that starts with `start` to the one that closes it.
fn section<'a>(xml: &'a str, start: &str) -> Option<&'a str> {
    let start_line = format!("\n{start}");
    let from = xml.find(&start_line).map(|at| at + 1).or(xml.starts_with(start).then_some(0))?;
    let lines = &xml[from..];
    let first = lines.lines().next()?;
    if first.ends_with("/>") {
        return Some(first);
    }
    let tabs = first.len() - first.trim_start().len();
    let close = format!("\n{}</{}>", &first[..tabs], element(first));
    let to = lines.find(&close)?;
    Some(&lines[..to + 1])
}

fn section_at<'a>(lines: &'a str, tabs: usize, name: &str) -> Option<&'a str> {
    section(lines, &format!("{}<{name}>", "\t".repeat(tabs)))
}

/// The parts of a section, each from a line that opens an element with that many tabs.
fn children(lines: &str, tabs: usize) -> Vec<&str> {
    let open = format!("{}<", "\t".repeat(tabs));
    let mut starts = Vec::new();
    let mut at = 0;
    for line in lines.split_inclusive('\n') {
        if line.strip_prefix(&open).is_some_and(|rest| !rest.starts_with('/')) {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([at]);
    starts.iter().zip(ends).map(|(start, end)| &lines[*start..end]).collect()
}

fn element(lines: &str) -> String {
    let name = lines.trim_start().trim_start_matches('<');
    name.split([' ', '>']).next().unwrap_or_default().to_owned()
}

fn value(lines: &str, tabs: usize, name: &str) -> Option<String> {
    let start = format!("{}<{name} Value=\"", "\t".repeat(tabs));
    let line = lines.lines().find_map(|line| line.strip_prefix(&start))?;
    let value = line.strip_suffix("\" />")?;
    let value = value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    Some(value.replace("&amp;", "&"))
}

fn manual(lines: &str, tabs: usize, name: &str) -> String {
    let section = section_at(lines, tabs, name).unwrap_or_default();
    value(section, tabs + 1, "Manual").unwrap_or_default()
}
