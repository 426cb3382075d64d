//! Generated documents, against what is found in their XML by looking at lines.

mod common;

use common::outline::outline;
use common::{set, small, xml};
use live_set::generate::{Spec, Version};
use live_set::{ClipContent, NodeType, Set};

fn specs() -> [Spec; 5] {
    let small = small();
    [
        small.clone(),
        Spec { version: Version::Live11, seed: 7, tempo: 133.7, ..small.clone() },
        Spec { tracks: 12, groups: 3, returns: 4, scenes: 9, clips: 20, ..small.clone() },
        Spec { tracks: 1, groups: 0, returns: 0, scenes: 0, devices: 0, ..small.clone() },
        Spec { tracks: 0, groups: 0, returns: 0, scenes: 2, parameters: 0, ..small },
    ]
}

#[test]
fn what_is_read_is_what_was_specified() {
    for spec in specs() {
        let set = set(&spec);
        let others = spec.groups + spec.returns;
        assert_eq!(set.num_tracks(), spec.tracks + others + 1, "and the main track");
        assert_eq!(set.num_scenes(), spec.scenes);
        assert_eq!(set.num_devices(), (spec.tracks + others) * spec.devices);
        assert_eq!(set.num_clips(), spec.tracks * spec.clips.min(spec.scenes));
        assert_eq!(
            set.nodes_by_type(NodeType::ClipSlot).count(),
            (spec.tracks + spec.groups) * spec.scenes
        );
        assert_eq!(set.project().tempo, spec.tempo);
        let mut devices = set.project().tracks.iter().flat_map(|track| &track.devices);
        assert!(devices.all(|device| device.parameters.len() == 1 + spec.parameters));
    }
}

#[test]
fn what_is_read_is_what_the_lines_say() {
    for spec in specs() {
        let set = set(&spec);
        let outline = outline(&xml(&spec));
        assert_eq!(set.project().tempo.to_string(), outline.tempo);
        assert_eq!(set.num_tracks(), outline.tracks.len());
        for (track, found) in set.project().tracks.iter().zip(&outline.tracks) {
            assert_eq!(track.name, found.name);
            assert_eq!((track.is_armed, track.mixer.is_muted), (found.is_armed, found.is_muted));
            assert_eq!(track.mixer.volume.to_string(), found.volume);
            assert_eq!((track.slots.len(), track.mixer.sends.len()), (found.slots, found.sends));
            let devices: Vec<_> = track
                .devices
                .iter()
                .map(|device| common::outline::Device {
                    class: device.device_type.clone(),
                    user_name: Some(&device.name)
                        .filter(|name| **name != device.device_type)
                        .cloned()
                        .unwrap_or_default(),
                    is_on: device.is_enabled(),
                    parameters: device
                        .parameters
                        .iter()
                        .map(|parameter| (parameter.name.clone(), parameter.value.to_string()))
                        .collect(),
                })
                .collect();
            assert_eq!(devices, found.devices);
            let clips = track.slots.iter().filter_map(|slot| {
                let clip = slot.clip.as_ref()?;
                let notes = match &clip.content {
                    ClipContent::Midi { note_count } => *note_count,
                    _ => 0,
                };
                Some((slot.scene_index, clip.name.clone(), notes))
            });
            assert_eq!(clips.collect::<Vec<_>>(), found.clips);
        }
        let scenes: Vec<_> = set.project().scenes.iter().map(|scene| scene.name.clone()).collect();
        assert_eq!(scenes, outline.scenes);
    }
}

#[test]
fn a_seed_gives_one_document_and_another_seed_another() {
    let spec = small();
    assert_eq!(xml(&spec), xml(&spec));
    assert_ne!(xml(&spec), xml(&Spec { seed: 1, ..spec }));
}

#[test]
fn the_gzip_form_holds_the_same_set() {
    let spec = small();
    let mut als = Vec::new();
    spec.write_als(&mut als).expect("a vector takes everything");
    assert_eq!(als[..2], [0x1f, 0x8b]);
    assert_eq!(common::inflate(&als), xml(&spec));
    assert_eq!(Set::read(als.as_slice()).expect("reads"), set(&spec));
}

#[test]
fn several_gzip_members_are_one_document() {
    let xml = xml(&small());
    let (head, tail) = xml.as_bytes().split_at(xml.len() / 2);
    let mut als = Vec::new();
    for part in [head, tail] {
        let mut member = flate2::write::GzEncoder::new(&mut als, flate2::Compression::fast());
        std::io::Write::write_all(&mut member, part).expect("a vector takes everything");
    }
    assert_eq!(Set::read(als.as_slice()).expect("reads"), set(&small()));
}

#[test]
fn every_id_is_unique_and_finds_its_node() {
    let set = set(&Spec { tracks: 12, groups: 2, ..small() });
    let mut ids = std::collections::HashSet::new();
    for node in set.nodes() {
        assert!(ids.insert(node.id().clone()), "{} twice", node.id());
        let found = set.node(node.id().as_str()).expect("a node is found by its id");
        assert_eq!((found.id(), found.hash()), (node.id(), node.hash()));
    }
    for absent in ["", "project/", "track:2/", "track:2/mixer/x", "track:999", "scene:0/slot:1"] {
        assert!(set.node(absent).is_none(), "{absent}");
    }
}
