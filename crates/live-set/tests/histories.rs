//! Random histories: events, lost events, saves, touches and restarts, in any order.
//!
//! What Live has is a model of its own: see `common/live.rs`.

mod common;

use std::io::Write as _;

use common::document::{tree, without_ids};
use common::json;
use common::live::{Color, Live, Random};
use common::replay::{assert_same, replay};
use live_set::{Edit, Mark, Mirror, Set};
use serde_json::Value;

/// The tree without what a file does not say.
fn content(mut tree: Value) -> Value {
    let attributes = tree["attributes"].as_object_mut().expect("an object");
    for name in ["is_playing", "position", "playing_status", "is_triggered"] {
        attributes.remove(name);
    }
    if attributes.contains_key("has_stop_button") {
        attributes.remove("color");
    }
    let children = tree["children"].as_array_mut().expect("a list");
    children.iter_mut().for_each(|child| *child = content(child.take()));
    tree
}

/// The content without what only a file tells, which is not in the tree yet where an event
/// announced what it belongs to.
fn heard(tree: Value) -> Value {
    fn strip(mut node: Value) -> Value {
        let attributes = node["attributes"].as_object_mut().expect("an object");
        let of_files = [
            "color",
            "parameters",
            "device_type",
            "is_enabled",
            "note_count",
            "annotation",
            "start_time",
            "end_time",
            "loop_start",
            "loop_end",
        ];
        if attributes.contains_key("device_type") {
            attributes.remove("name");
        }
        of_files.iter().for_each(|name| _ = attributes.remove(*name));
        let children = node["children"].as_array_mut().expect("a list");
        children.iter_mut().for_each(|child| *child = strip(child.take()));
        node
    }
    strip(content(tree))
}

fn read(document: &str) -> Set {
    Set::read(document.as_bytes()).expect("it reads")
}

/// The children of one type.
fn of_type<'a>(tree: &'a mut Value, node_type: &str) -> Vec<&'a mut Value> {
    let children = tree["children"].as_array_mut().expect("a list").iter_mut();
    children.filter(|node| node["node_type"] == node_type).collect()
}

/// The tree of a document with the colours and devices' names that events told instead of it.
fn told(mut tree: Value, live: &Live) -> Value {
    let paint = |node: &mut Value, color: &Color| {
        if let Some((rgb, _)) = color.told {
            node["attributes"]["color"] = rgb.into();
        }
    };
    // The main track comes after those of the model.
    for (node, track) in of_type(&mut tree, "track").into_iter().zip(&live.tracks) {
        paint(node, &track.color);
        for (node, device) in of_type(node, "device").into_iter().zip(&track.devices) {
            if let Some((name, _)) = &device.told {
                node["attributes"]["name"] = name.as_str().into();
            }
        }
        for (node, slot) in of_type(node, "clip_slot").into_iter().zip(&track.slots) {
            if let Some(clip) = &slot.clip {
                paint(&mut node["children"][0], &clip.color);
            }
        }
    }
    for (node, scene) in of_type(&mut tree, "scene").into_iter().zip(&live.scenes) {
        paint(node, &scene.color);
    }
    tree
}

/// What becomes of one seed.
struct History {
    random: Random,
    live: Live,
    mirror: Mirror,
    viewer: Value,
    /// What Live saved last.
    saved: Live,
    /// The number of the last edit before which events were lost that no save has made good.
    lost: Option<Mark>,
    /// The number of events that arrived.
    told: u64,
    /// What has happened.
    log: Vec<String>,
}

impl History {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        (0..4).for_each(|_| _ = random.below(2));
        let live = Live::new(&mut random);
        let saved = live.clone();
        let mirror = Mirror::new(read(&saved.document()));
        let viewer = json(mirror.set());
        Self { random, live, mirror, viewer, saved, lost: None, told: 0, log: Vec::new() }
    }

    fn step(&mut self) {
        match self.random.below(12) {
            0 => self.save(),
            // A touch, or the same content again.
            1 => {
                let file = read(&self.saved.document());
                assert!(self.mirror.has_read(&file), "it says what it said");
            }
            2 if self.random.below(8) == 0 => self.restart(),
            3 if self.random.below(4) == 0 => {
                // Lost: Live goes on, and nobody is told.
                if !self.live.act(&mut self.random).is_empty() {
                    self.lost = Some(self.mirror.miss());
                    self.log.push("an event is lost".to_owned());
                }
            }
            _ => self.act(),
        }
    }

    fn act(&mut self) {
        for edit in self.live.act(&mut self.random) {
            self.tell(&edit);
        }
    }

    fn tell(&mut self, edit: &Edit) {
        self.log.push(format!("{edit:?}"));
        self.told += 1;
        self.live.hear(edit, self.told);
        // After a loss it may point at nothing.
        match self.mirror.apply(edit) {
            Ok(changes) => self.follow(&changes),
            Err(rejected) => assert!(self.lost.is_some(), "{edit:?}: {rejected}"),
        }
    }

    fn follow(&mut self, changes: &live_set::Changes) {
        let changes = serde_json::to_value(changes).expect("serialises");
        self.viewer = replay(self.viewer.take(), &changes);
    }

    /// Live saves, and goes on while its file is written and waited for.
    fn save(&mut self) {
        let began = (self.mirror.mark(), self.told);
        self.saved = self.live.clone();
        (0..self.random.below(4)).for_each(|_| self.act());
        self.take(began, false);
    }

    /// Live loads what it saved last.
    fn restart(&mut self) {
        self.live = Live { next_id: self.live.next_id, ..self.saved.clone() };
        // Until the file is read, what the new run tells may point at nothing.
        self.lost = Some(self.mirror.miss());
        let began = (self.mirror.mark(), self.told);
        (0..self.random.below(3)).for_each(|_| self.act());
        self.take(began, true);
    }

    /// What a server does once the file is still. The save began at a mark, after so many events.
    fn take(&mut self, (began, told): (Mark, u64), is_new_run: bool) {
        let file = read(&self.saved.document());
        self.log.push(format!("the file is read: {began:?}, new run: {is_new_run}"));
        if is_new_run || !self.mirror.has_read(&file) {
            let as_it_is = is_new_run || self.lost.is_some_and(|lost| lost <= began);
            let changes = self.mirror.save(file, began, as_it_is);
            self.follow(&changes);
            self.lost = self.lost.filter(|_| !as_it_is);
            if as_it_is {
                self.live.forget(told);
            }
        }
        self.mirror.settle();
    }

    /// While nothing is lost, the tree has all that events tell of.
    fn check_heard(&self) {
        if self.lost.is_none() {
            let found = heard(json(self.mirror.set()));
            assert_content(&without_ids(&found), &heard(tree(&self.live.document())), "project");
        }
    }

    /// A viewer who has followed and one who comes now have the same tree; after a changed save it
    /// is what Live has.
    fn check(&mut self) {
        assert_eq!(self.mirror.set().clone().rehash(), self.mirror.set().root_hash());
        assert_same(&self.viewer, &json(self.mirror.set()));
        if self.lost.is_some() {
            self.live.scenes[0].annotation.push_str(" more");
            let began = (self.mirror.mark(), self.told);
            self.saved = self.live.clone();
            self.take(began, false);
            assert!(self.lost.is_none());
            assert_same(&self.viewer, &json(self.mirror.set()));
        }
        // What only a file tells is as in the last one, and so is what came since.
        self.live.scenes[0].annotation.push_str(" more");
        self.saved = self.live.clone();
        let now = (self.mirror.now(), self.told);
        self.take(now, false);
        let document = self.live.document();
        let (found, expected) = (json(self.mirror.set()), told(tree(&document), &self.live));
        assert_content(&content(without_ids(&found)), &content(expected), "project");
        assert_ids(&found, &json(&read(&document)));
    }
}

/// Compares node by node, so that a failure names the first that differs.
fn assert_content(found: &Value, expected: &Value, path: &str) {
    assert_eq!(found["attributes"], expected["attributes"], "{path}");
    let (found, expected) = (found["children"].as_array(), expected["children"].as_array());
    let (found, expected) = (found.expect("a list"), expected.expect("a list"));
    let types =
        |nodes: &[Value]| nodes.iter().map(|it| it["node_type"].clone()).collect::<Vec<_>>();
    assert_eq!(types(found), types(expected), "{path}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_content(found, expected, &format!("{path}/{at}"));
    }
}

/// What no event announced has the id that a fresh reading gives it.
fn assert_ids(found: &Value, fresh: &Value) {
    let id = found["id"].as_str().expect("text");
    assert!(id.contains('+') || found["id"] == fresh["id"], "{id} is {}", fresh["id"]);
    let (found, fresh) = (found["children"].as_array(), fresh["children"].as_array());
    for (found, fresh) in found.expect("a list").iter().zip(fresh.expect("a list")) {
        assert_ids(found, fresh);
    }
}

/// How many histories, from the first seed on: `LIVE_SET_HISTORIES=5000`, or one that has failed:
/// `LIVE_SET_SEED=156`.
fn seeds() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|it| it.parse().ok());
    match number("LIVE_SET_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("LIVE_SET_HISTORIES").unwrap_or(1_000),
    }
}

fn live_through(seed: u64) {
    let mut history = History::new(seed);
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        for _ in 0..24 {
            history.step();
            history.check_heard();
        }
        history.check();
    }));
    if let Err(panic) = done {
        let log = history.log.join("\n");
        let _ = writeln!(std::io::stderr(), "the history of LIVE_SET_SEED={seed}:\n{log}");
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn in_random_histories_viewers_agree_and_the_tree_is_lives_own() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for first in 0..threads {
            scope.spawn(move || seeds().skip(first).step_by(threads).for_each(live_through));
        }
    });
}
