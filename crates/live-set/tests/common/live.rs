//! What Live has, changes and saves: a model that writes its documents itself and shares nothing
//! with the crate but the protocol.

use live_set::{Edit, TrackKind};

/// A xorshift generator.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).expect("31 bits") % end
    }

    pub(crate) fn number(&mut self) -> f64 {
        self.below(64) as f64 / 64.0
    }

    pub(crate) fn name(&mut self) -> String {
        ["Bass", "Keys", "Pad", "Lead", "Vox", "Drum"][self.below(6)].to_owned()
    }
}

/// A colour: its number in Live's palette, which files have, and what an event said of it, if one
/// arrived.
#[derive(Clone, Default)]
pub(crate) struct Color {
    pub(crate) index: usize,
    /// RGB, and the number of the event.
    pub(crate) told: Option<(i32, u64)>,
}

impl Color {
    fn any(random: &mut Random) -> Self {
        Self { index: random.below(COLORS), told: None }
    }

    /// Another colour; gives what the sender says of it: sometimes a number of the palette.
    fn change(&mut self, random: &mut Random) -> i32 {
        self.index = random.below(COLORS);
        let rgb = if random.below(4) == 0 { random.below(COLORS) } else { self.index << 10 };
        i32::try_from(rgb).expect("24 bits")
    }
}

const COLORS: usize = 70;

#[derive(Clone)]
pub(crate) struct Clip {
    pub(crate) color: Color,
    pub(crate) name: String,
    pub(crate) is_muted: bool,
    pub(crate) is_looped: bool,
    /// Only the file tells of it.
    pub(crate) notes: usize,
}

#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) id: u32,
    pub(crate) class: &'static str,
    /// A name that somebody gave it, of which only the file tells.
    pub(crate) name: String,
    /// The name in the event that announced it, and the number of that event.
    pub(crate) told: Option<(String, u64)>,
    pub(crate) parameters: Vec<f64>,
}

#[derive(Clone)]
pub(crate) struct Track {
    pub(crate) id: u32,
    pub(crate) color: Color,
    pub(crate) name: String,
    pub(crate) is_armed: bool,
    pub(crate) is_muted: bool,
    pub(crate) volume: f64,
    pub(crate) devices: Vec<Device>,
    /// One for each scene.
    pub(crate) slots: Vec<Slot>,
}

#[derive(Clone)]
pub(crate) struct Slot {
    pub(crate) id: u32,
    pub(crate) has_stop: bool,
    pub(crate) clip: Option<Clip>,
}

#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) id: u32,
    pub(crate) color: Color,
    pub(crate) name: String,
    /// Only the file tells of it.
    pub(crate) annotation: String,
}

/// What Live has.
#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) tempo: f64,
    pub(crate) tracks: Vec<Track>,
    pub(crate) scenes: Vec<Scene>,
    pub(crate) next_id: u32,
}

/// Shown name and class of a device.
const CLASSES: [(&str, &str); 3] =
    [("Utility", "StereoGain"), ("Reverb", "Reverb"), ("Operator", "Operator")];

impl Live {
    pub(crate) fn new(random: &mut Random) -> Self {
        let mut live = Self { tempo: 120.0, tracks: Vec::new(), scenes: Vec::new(), next_id: 1 };
        for _ in 0..3 {
            let id = live.id();
            let (name, color) = (random.name(), Color::any(random));
            live.scenes.push(Scene { id, color, name, annotation: String::new() });
        }
        for _ in 0..3 {
            let mut track = live.track(random);
            track.devices.push(live.device(random.below(3)));
            track.slots[random.below(3)].clip = Some(clip(random));
            live.tracks.push(track);
        }
        live
    }

    pub(crate) fn id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    pub(crate) fn track(&mut self, random: &mut Random) -> Track {
        let slots = (0..self.scenes.len()).map(|_| self.slot()).collect();
        Track {
            id: self.id(),
            color: Color::any(random),
            name: random.name(),
            is_armed: false,
            is_muted: false,
            volume: 1.0,
            devices: Vec::new(),
            slots,
        }
    }

    pub(crate) fn slot(&mut self) -> Slot {
        Slot { id: self.id(), has_stop: true, clip: None }
    }

    pub(crate) fn device(&mut self, class: usize) -> Device {
        let (id, class, parameters) = (self.id(), CLASSES[class].1, vec![1.0, 0.5, 0.25]);
        Device { id, class, name: String::new(), told: None, parameters }
    }

    /// The document that Live would save now.
    pub(crate) fn document(&self) -> String {
        let value =
            |name: &str, value: &dyn std::fmt::Display| format!("<{name} Value=\"{value}\" />");
        let manual = |name: &str, of: &dyn std::fmt::Display| {
            format!("<{name}>{}</{name}>", value("Manual", of))
        };
        let clip = |clip: &Clip| {
            let notes = "<MidiNoteEvent Time=\"0\" />".repeat(clip.notes);
            format!(
                "<MidiClip Id=\"0\" Time=\"0\"><CurrentStart Value=\"0\" /><CurrentEnd Value=\"4\" />\
                 <Loop><LoopStart Value=\"0\" /><LoopEnd Value=\"4\" />{}</Loop>{}{}{}<Notes><KeyTracks>\
                 <KeyTrack Id=\"0\"><Notes>{notes}</Notes></KeyTrack></KeyTracks></Notes></MidiClip>",
                value("LoopOn", &clip.is_looped),
                value("Name", &clip.name),
                value("Color", &clip.color.index),
                value("Disabled", &clip.is_muted),
            )
        };
        let track = |track: &Track| {
            let slots: String = track.slots.iter().map(|Slot { id, has_stop, clip: held }| {
                let held = held.as_ref().map(clip).unwrap_or_default();
                format!(
                    "<ClipSlot Id=\"{id}\"><ClipSlot><Value>{held}</Value></ClipSlot>{}</ClipSlot>",
                    value("HasStop", has_stop)
                )
            }).collect();
            let devices: String = track
                .devices
                .iter()
                .map(|device| {
                    let on = manual("On", &(device.parameters[0] != 0.0));
                    let rest = device.parameters[1..].iter().enumerate();
                    let rest: String = rest.map(|(at, it)| manual(&format!("P{at}"), it)).collect();
                    let name = value("UserName", &device.name);
                    format!("<{0} Id=\"{1}\">{on}{name}{rest}</{0}>", device.class, device.id)
                })
                .collect();
            format!(
                "<MidiTrack Id=\"{}\"><Name>{}</Name>{}<DeviceChain><Mixer>{}{}</Mixer>\
                 <MainSequencer><ClipSlotList>{slots}</ClipSlotList><Recorder>{}</Recorder>\
                 </MainSequencer><DeviceChain><Devices>{devices}</Devices></DeviceChain>\
                 </DeviceChain></MidiTrack>",
                track.id,
                value("EffectiveName", &track.name),
                value("Color", &track.color.index),
                manual("Volume", &track.volume),
                manual("Speaker", &!track.is_muted),
                value("IsArmed", &track.is_armed),
            )
        };
        let scene = |scene: &Scene| {
            let (name, note) = (value("Name", &scene.name), value("Annotation", &scene.annotation));
            let color = value("Color", &scene.color.index);
            format!("<Scene Id=\"{}\">{name}{note}{color}</Scene>", scene.id)
        };
        format!(
            "<Ableton MinorVersion=\"12.0_1\"><LiveSet><Tracks>{}</Tracks><MainTrack><DeviceChain>\
             <Mixer>{}</Mixer></DeviceChain></MainTrack><Scenes>{}</Scenes></LiveSet></Ableton>",
            self.tracks.iter().map(track).collect::<String>(),
            manual("Tempo", &self.tempo),
            self.scenes.iter().map(scene).collect::<String>(),
        )
    }

    /// An event arrives: what it says of colours and of devices' names stays.
    pub(crate) fn hear(&mut self, edit: &Edit, number: u64) {
        if let Some((color, rgb)) = self.color(edit) {
            color.told = Some((rgb, number));
        }
        if let Edit::DeviceAdded { track, device, name } = edit {
            self.tracks[*track].devices[*device].told = Some((name.clone(), number));
        }
    }

    fn color(&mut self, of: &Edit) -> Option<(&mut Color, i32)> {
        match *of {
            Edit::TrackColor { track, color } => Some((&mut self.tracks[track].color, color)),
            Edit::SceneColor { scene, color } => Some((&mut self.scenes[scene].color, color)),
            Edit::ClipColor { track, scene, color } => {
                let clip = self.tracks[track].slots[scene].clip.as_mut();
                clip.map(|clip| (&mut clip.color, color))
            }
            _ => None,
        }
    }

    /// A file counts as it is: what events up to a number said is forgotten.
    pub(crate) fn forget(&mut self, until: u64) {
        let forget = |color: &mut Color| color.told = color.told.filter(|told| told.1 > until);
        for track in &mut self.tracks {
            forget(&mut track.color);
            let devices = track.devices.iter_mut();
            devices.for_each(|it| it.told = it.told.take().filter(|told| told.1 > until));
            let clips = track.slots.iter_mut().filter_map(|slot| slot.clip.as_mut());
            clips.for_each(|clip| forget(&mut clip.color));
        }
        self.scenes.iter_mut().for_each(|scene| forget(&mut scene.color));
    }

    /// Somebody does something; gives what the sender tells of it, in its order.
    pub(crate) fn act(&mut self, random: &mut Random) -> Vec<Edit> {
        let (tracks, scenes) = (self.tracks.len(), self.scenes.len());
        match random.below(21) {
            0 if tracks < 6 => self.add_track(random),
            1 if tracks > 1 => {
                let track = random.below(tracks);
                self.tracks.remove(track);
                vec![Edit::TrackDeleted { track }]
            }
            2 if scenes < 6 => self.add_scene(random),
            3 if scenes > 1 => {
                let scene = random.below(scenes);
                self.scenes.remove(scene);
                self.tracks.iter_mut().for_each(|track| drop(track.slots.remove(scene)));
                vec![Edit::SceneRemoved { scene }]
            }
            4 | 5 | 15 => self.change_devices(random.below(tracks), random),
            6 => {
                let (scene, name) = (random.below(scenes), random.name());
                self.scenes[scene].name.clone_from(&name);
                vec![Edit::SceneName { scene, name }]
            }
            7 => {
                self.tempo = 60.0 + random.number() * 64.0;
                vec![Edit::TransportTempo { tempo: self.tempo }]
            }
            // What no event tells of.
            8 => {
                let scene = random.below(scenes);
                self.scenes[scene].annotation = random.name();
                Vec::new()
            }
            9..=13 => self.change_slot(random),
            14 => {
                let scene = random.below(scenes);
                let color = self.scenes[scene].color.change(random);
                if random.below(3) == 0 {
                    Vec::new()
                } else {
                    vec![Edit::SceneColor { scene, color }]
                }
            }
            _ => self.change_track(random.below(tracks), random),
        }
    }

    pub(crate) fn change_track(&mut self, track: usize, random: &mut Random) -> Vec<Edit> {
        let it = &mut self.tracks[track];
        match random.below(5) {
            0 => {
                it.name = random.name();
                vec![Edit::TrackName { track, name: it.name.clone() }]
            }
            1 => {
                it.is_muted = !it.is_muted;
                vec![Edit::TrackMute { track, is_muted: it.is_muted }]
            }
            2 => {
                it.is_armed = !it.is_armed;
                vec![Edit::TrackArm { track, is_armed: it.is_armed }]
            }
            3 => {
                let color = it.color.change(random);
                // What plays is in events only, and some colours are in files only.
                let told = (random.below(3) > 0).then_some(Edit::TrackColor { track, color });
                told.into_iter().chain([Edit::TransportPlay { is_playing: true }]).collect()
            }
            _ => {
                it.volume = random.number();
                vec![Edit::TrackVolume { track, volume: it.volume }]
            }
        }
    }

    pub(crate) fn add_track(&mut self, random: &mut Random) -> Vec<Edit> {
        let at = random.below(self.tracks.len() + 1);
        let track = self.track(random);
        let name = track.name.clone();
        self.tracks.insert(at, track);
        let kind = TrackKind::Midi;
        let slots = (0..self.scenes.len()).map(|scene| announced(at, scene, false, true));
        std::iter::once(Edit::TrackAdded { track: at, name, kind }).chain(slots).collect()
    }

    pub(crate) fn add_scene(&mut self, random: &mut Random) -> Vec<Edit> {
        let (at, name) = (random.below(self.scenes.len() + 1), random.name());
        let (id, color) = (self.id(), Color::any(random));
        let scene = Scene { id, color, name: name.clone(), annotation: String::new() };
        self.scenes.insert(at, scene);
        let slots: Vec<_> = (0..self.tracks.len()).map(|_| self.slot()).collect();
        self.tracks.iter_mut().zip(slots).for_each(|(track, slot)| track.slots.insert(at, slot));
        let slots = (0..self.tracks.len()).map(|track| announced(track, at, false, true));
        std::iter::once(Edit::SceneAdded { scene: at, name }).chain(slots).collect()
    }

    pub(crate) fn change_devices(&mut self, track: usize, random: &mut Random) -> Vec<Edit> {
        let count = self.tracks[track].devices.len();
        match random.below(5) {
            0 if count < 4 => {
                let (device, class) = (random.below(count + 1), random.below(3));
                let new = self.device(class);
                self.tracks[track].devices.insert(device, new);
                vec![Edit::DeviceAdded { track, device, name: CLASSES[class].0.to_owned() }]
            }
            1 if count > 0 => {
                let device = random.below(count);
                self.tracks[track].devices.remove(device);
                vec![Edit::DeviceDeleted { track, device }]
            }
            2 if count > 0 => {
                self.tracks[track].devices[random.below(count)].name = random.name();
                Vec::new()
            }
            _ if count > 0 => {
                let (device, parameter) = (random.below(count), random.below(3));
                let value = if parameter == 0 { random.below(2) as f64 } else { random.number() };
                self.tracks[track].devices[device].parameters[parameter] = value;
                vec![Edit::DeviceParameter { track, device, parameter, value }]
            }
            _ => Vec::new(),
        }
    }

    pub(crate) fn change_slot(&mut self, random: &mut Random) -> Vec<Edit> {
        let (track, scene) = (random.below(self.tracks.len()), random.below(self.scenes.len()));
        let Slot { has_stop: stop, clip: held, .. } = &mut self.tracks[track].slots[scene];
        match (held, random.below(5)) {
            (Some(clip), 0) => {
                clip.name = random.name();
                vec![Edit::ClipName { track, scene, name: clip.name.clone() }]
            }
            (Some(clip), 1) => {
                clip.is_muted = !clip.is_muted;
                // The notes are in the file only.
                clip.notes += 1;
                vec![Edit::ClipMuted { track, scene, is_muted: clip.is_muted }]
            }
            (Some(clip), 4) => {
                let color = clip.color.change(random);
                vec![Edit::ClipColor { track, scene, color }]
            }
            (held @ Some(_), 2) => {
                *held = None;
                vec![Edit::ClipRemoved { track, scene }]
            }
            (held @ None, 1 | 2) => {
                let new = clip(random);
                let name = new.name.clone();
                let (is_muted, is_looped) = (new.is_muted, new.is_looped);
                *held = Some(new);
                vec![
                    Edit::ClipAdded { track, scene, name },
                    Edit::ClipMuted { track, scene, is_muted },
                    Edit::ClipLooping { track, scene, is_looped },
                ]
            }
            (held, _) => {
                *stop = !*stop;
                vec![announced(track, scene, held.is_some(), *stop)]
            }
        }
    }
}

pub(crate) fn clip(random: &mut Random) -> Clip {
    let (is_muted, is_looped) = (random.below(4) == 0, random.below(4) > 0);
    let color = Color::any(random);
    Clip { color, name: random.name(), is_muted, is_looped, notes: random.below(4) }
}

pub(crate) fn announced(track: usize, scene: usize, has_clip: bool, has_stop_button: bool) -> Edit {
    Edit::ClipSlotState { track, scene, has_clip, has_stop_button, playing_status: 0 }
}
