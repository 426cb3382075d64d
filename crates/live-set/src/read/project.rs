//! Reading the root element, the `LiveSet`, and the scenes.

use super::document::Document;
use super::track;
use super::value::set;
use crate::error::{ReadError, ReadErrorKind};
use crate::tree::{Key, Locator, NodeId, Project, Scene, SiblingKeys, Signal, Track, TrackType};

/// The oldest version of Live whose layout is supported.
const OLDEST_VERSION: u32 = 9;

/// Reads a whole document.
pub(super) fn document(document: &mut Document<'_>) -> Result<Project, ReadError> {
    if !document.next_child(0)? {
        return Err(document.error(ReadErrorKind::Empty));
    }
    let project = root(document)?;
    // Reads to the end of the file: only then is it known to be complete.
    if document.next_child(0)? {
        return Err(document.error(ReadErrorKind::Xml("a second root element".to_owned())));
    }
    let mut project = project.ok_or_else(|| document.error(ReadErrorKind::NoLiveSet))?;
    project.file_refs = document.take_file_refs();
    Ok(project)
}

fn root(document: &mut Document<'_>) -> Result<Option<Project>, ReadError> {
    if document.name() != "Ableton" {
        let root = document.name().chars().take(64).collect();
        return Err(document.error(ReadErrorKind::NotLive { root }));
    }
    match major_version(document)? {
        Some(version) if version < OLDEST_VERSION => {
            return Err(document.error(ReadErrorKind::UnsupportedVersion { version }));
        }
        _ => {}
    }
    let level = document.level();
    let mut project = None;
    while document.next_child(level)? {
        if document.name() == "LiveSet" && project.is_none() {
            project = Some(live_set(document)?);
        }
    }
    Ok(project)
}

/// The version of Live: the start of `MinorVersion`, as in `11.0_11300`. The attribute
/// `MajorVersion` is the format's version, and always 5.
fn major_version(document: &Document<'_>) -> Result<Option<u32>, ReadError> {
    let version = document.attribute("MinorVersion")?;
    Ok(version.and_then(|version| version.split('.').next()?.parse().ok()))
}

fn live_set(document: &mut Document<'_>) -> Result<Project, ReadError> {
    let level = document.level();
    let mut project = Project::new();
    let mut main = None;
    while document.next_child(level)? {
        match document.name() {
            // The first of each, if there are more: ids are unique in a list.
            "Tracks" if project.tracks.is_empty() => tracks(document, &mut project.tracks)?,
            "MainTrack" | "MasterTrack" if main.is_none() => {
                main = Some(main_track(document, &mut project)?);
            }
            // Up to Live 10 scenes are hardly more than their names.
            "Scenes" | "SceneNames" if project.scenes.is_empty() => {
                scenes(document, &mut project.scenes)?;
            }
            "Locators" if project.locators.is_empty() => {
                locators(document, &mut project.locators)?;
            }
            _ => {}
        }
    }
    if let Some(mut main) = main {
        main.index = project.tracks.len();
        project.tracks.push(main);
        document.within("tracks", project.tracks.len(), document.limits.tracks)?;
    }
    Ok(project)
}

fn tracks(document: &mut Document<'_>, tracks: &mut Vec<Track>) -> Result<(), ReadError> {
    let level = document.level();
    let mut keys = SiblingKeys::default();
    while document.next_child(level)? {
        let (track_type, signal) = match document.name() {
            "MidiTrack" => (TrackType::Track, Signal::Midi),
            "AudioTrack" => (TrackType::Track, Signal::Audio),
            "GroupTrack" => (TrackType::Group, Signal::Audio),
            "ReturnTrack" => (TrackType::Return, Signal::Audio),
            _ => continue,
        };
        let id = NodeId::top("track", keys.next(document.file_id()?));
        let mut track = Track::new(id, tracks.len(), track_type, signal);
        track::track(document, &mut track)?;
        tracks.push(track);
        document.within("tracks", tracks.len(), document.limits.tracks)?;
    }
    Ok(())
}

fn main_track(document: &mut Document<'_>, project: &mut Project) -> Result<Track, ReadError> {
    let id = NodeId::top("track", Key::Main);
    let mut track = Track::new(id, 0, TrackType::Master, Signal::Audio);
    let song = track::track(document, &mut track)?;
    set(&mut project.tempo, song.tempo);
    set(&mut project.time_signature_id, song.time_signature_id);
    Ok(track)
}

fn scenes(document: &mut Document<'_>, scenes: &mut Vec<Scene>) -> Result<(), ReadError> {
    let level = document.level();
    let mut keys = SiblingKeys::default();
    while document.next_child(level)? {
        if document.name() != "Scene" {
            continue;
        }
        let id = NodeId::top("scene", keys.next(document.file_id()?));
        let mut scene = Scene::new(id, scenes.len());
        set(&mut scene.name, document.text()?.filter(|name| !is_number(name)));
        read_scene(document, &mut scene)?;
        scenes.push(scene);
        document.within("scenes", scenes.len(), document.limits.scenes)?;
    }
    Ok(())
}

/// `Locators/Locator`, inside the set's own `Locators`.
fn locators(document: &mut Document<'_>, locators: &mut Vec<Locator>) -> Result<(), ReadError> {
    let level = document.level();
    let mut keys = SiblingKeys::default();
    while document.next_child(level)? {
        if document.name() != "Locators" {
            continue;
        }
        let list = document.level();
        while document.next_child(list)? {
            if document.name() != "Locator" {
                continue;
            }
            document.keep(size_of::<Locator>() + super::ID_BYTES)?;
            let id = NodeId::top("locator", keys.next(document.file_id()?));
            locators.push(read_locator(document, Locator::new(id))?);
        }
    }
    Ok(())
}

fn read_locator(document: &mut Document<'_>, mut locator: Locator) -> Result<Locator, ReadError> {
    let level = document.level();
    while document.next_child(level)? {
        match document.name() {
            "Name" => set(&mut locator.name, document.text()?),
            "Time" => set(&mut locator.time, document.number()?),
            _ => {}
        }
    }
    Ok(locator)
}

/// Up to Live 10 a scene without a name has its number as name, after a space.
fn is_number(name: &str) -> bool {
    name.strip_prefix(' ').is_some_and(|number| number.parse::<u32>().is_ok())
}

fn read_scene(document: &mut Document<'_>, scene: &mut Scene) -> Result<(), ReadError> {
    document.keep(size_of::<Scene>() + super::ID_BYTES)?;
    let level = document.level();
    while document.next_child(level)? {
        match document.name() {
            "Name" => set(&mut scene.name, document.text()?),
            "Annotation" => set(&mut scene.annotation, document.text()?),
            "Color" | "ColorIndex" => set(&mut scene.color, document.whole()?),
            "Tempo" => set(&mut scene.tempo, document.number()?),
            "IsTempoEnabled" => set(&mut scene.is_tempo_enabled, document.flag()?),
            "TimeSignatureId" => set(&mut scene.time_signature_id, document.whole()?),
            _ => {}
        }
    }
    Ok(())
}
